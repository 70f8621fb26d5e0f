"""Pieces of the error texts that plugins and settings share: nearest spelling, lists of names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """`` Did you mean "x"?`` where a known name is close, or nothing."""
    # Only errors need it, and importing it costs every start a millisecond.
    import difflib

    folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold()[:200], list(folded), n=1, cutoff=cutoff)
    return f' Did you mean "{folded[close[0]]}"?' if close else ""


def quoted(names: Iterable[str]) -> str:
    """``"a", "b"``, or ``none``."""
    return ", ".join(f'"{name}"' for name in names) or "none"


def listed(headline: str, problems: Sequence[str]) -> str:
    """A headline with every problem on a line of its own; one problem stands alone."""
    if len(problems) == 1:
        return f"{headline}: {problems[0]}"
    return "\n".join([f"{headline}: {len(problems)} problems", *(f"  - {p}" for p in problems)])


def kind_of(value: object) -> str:
    """A value's type in an error text, which never shows the value."""
    return "null" if value is None else type(value).__name__
