"""A Pix institution: charges, payments, refunds and notifications over mutual TLS."""

from .control import ControlError, PixControl
from .simulator import PixSimulator

__all__ = ["ControlError", "PixControl", "PixSimulator"]
