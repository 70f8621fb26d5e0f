"""Decisions: pure functions from what is known to what is written and called next."""

from .auditing import Breach, PaymentBooks, breaches
from .comparing import Books, differences, moved_money
from .deciding import Directory, decide, resolve
from .syncing import sync_of
from .terms import (
    Answered,
    Found,
    Invalid,
    Misconfigured,
    Moment,
    NotAttempted,
    NotFound,
    Outcome,
    Prepared,
    Refused,
    Rules,
    Terms,
    Unknown,
    check_binding,
)

__all__ = [
    "Answered",
    "Books",
    "Breach",
    "Directory",
    "Found",
    "Invalid",
    "Misconfigured",
    "Moment",
    "NotAttempted",
    "NotFound",
    "Outcome",
    "PaymentBooks",
    "Prepared",
    "Refused",
    "Rules",
    "Terms",
    "Unknown",
    "breaches",
    "check_binding",
    "decide",
    "differences",
    "moved_money",
    "resolve",
    "sync_of",
]
