"""The page on which a shopper finishes a payment: its address, and what a presenter needs.

Knows no gateway by its package: what to show comes from a payment's ``next_action`` alone.
"""

from .address import pay_url
from .presenters import Presentation, Presenter, Waiting

__all__ = ["Presentation", "Presenter", "Waiting", "pay_url"]
