"""The engine and the ports it needs; see :mod:`omniman_payment_core.engine.engine`."""

from .breaker import BreakerRules
from .engine import Answer, Batch, Engine, Limits, Work
from .ports import Accounts, Clock, Settlement, Store, Written

__all__ = [
    "Accounts",
    "Answer",
    "Batch",
    "BreakerRules",
    "Clock",
    "Engine",
    "Limits",
    "Settlement",
    "Store",
    "Work",
    "Written",
]
