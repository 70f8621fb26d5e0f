"""Arguments that several commands take."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime


def moment(text: str) -> datetime:
    """A date, or a date with a time; UTC where it names no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("a date such as 2026-05-01 is expected") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
