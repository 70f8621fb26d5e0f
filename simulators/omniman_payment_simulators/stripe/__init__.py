"""Stripe on this machine: ``StripeSimulator`` to run it, ``StripeControl`` to play the far side."""

from .control import StripeControl
from .simulator import StripeSimulator

__all__ = ["StripeControl", "StripeSimulator"]
