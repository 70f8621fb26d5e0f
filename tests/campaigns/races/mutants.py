"""Rules broken on purpose: the races have to find what comes of it."""

from __future__ import annotations

from collections.abc import Callable


def people_do_not_wait() -> None:
    """Who decides does so in the middle of what a worker writes."""
    from omniman_payment_django.store import DjangoStore

    _change(DjangoStore, lock_order=lambda self, order_ref: None)


def decided_anyway() -> None:
    """Whether somebody has decided on a refund already is not looked at."""
    from omniman_payment_django import approvals
    from omniman_payment_django.models import RefundRequest

    _change(approvals, _waiting=lambda number: RefundRequest.objects.get(pk=number))


def _change(place: object, **attributes: object) -> None:
    for name, value in attributes.items():
        setattr(place, name, value)


MUTANTS: dict[str, Callable[[], None]] = {
    "people-do-not-wait": people_do_not_wait,
    "decided-anyway": decided_anyway,
}
