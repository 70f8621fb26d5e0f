"""``settings.OMNIMAN["RECONCILE"]``, read and checked: every problem at once, with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured

from omniman_payment_django.conf import omniman

RECONCILE = "RECONCILE"
SLOWEST, FASTEST = 0.01, 1000.0

_WHOLE: Mapping[str, tuple[int, int]] = {"every_hours": (0, 24 * 31), "reach_days": (1, 366)}


@dataclass(frozen=True, slots=True)
class ReconcileOptions:
    """When the worker compares by itself, how far back, and how fast it asks."""

    every: timedelta = timedelta(hours=24)
    """Nothing is compared by itself where this is zero."""
    reach: timedelta = timedelta(days=30)
    """Each run compares what began within this, and whatever has not ended."""
    rate: float = 10.0
    """Questions about single payments in a second, at most."""


def reconcile_options() -> ReconcileOptions:
    """The options in force; raises ``ImproperlyConfigured`` with all that is wrong with them."""
    stated = omniman().get(RECONCILE, {})
    problems = list(problems_of(stated))
    if problems:
        raise ImproperlyConfigured("; ".join(problems))
    usual = ReconcileOptions()
    return ReconcileOptions(
        every=timedelta(hours=stated["every_hours"]) if "every_hours" in stated else usual.every,
        reach=timedelta(days=stated["reach_days"]) if "reach_days" in stated else usual.reach,
        rate=float(stated.get("rate", usual.rate)),
    )


def problems_of(stated: object) -> Iterator[str]:
    """What is wrong with the setting, in words that name the place and no value."""
    where = f'OMNIMAN["{RECONCILE}"]'
    if not isinstance(stated, Mapping):
        yield f"{where} is a {type(stated).__name__}, not a dict"
        return
    for name, value in stated.items():
        here = f'{where}["{name}"]'
        if name in _WHOLE:
            least, most = _WHOLE[name]
            if type(value) is not int or not least <= value <= most:
                yield f"{here} is not a whole number from {least} to {most}"
        elif name == "rate":
            if type(value) not in (int, float) or not SLOWEST <= value <= FASTEST:
                yield f"{here} is not a number from {SLOWEST} to {FASTEST:.0f}"
        else:
            yield f"{here} is unknown; known: {', '.join([*_WHOLE, 'rate'])}"
