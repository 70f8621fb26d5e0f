"""All groups of cases in one class, and the guard that keeps them all switched on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .charges import ChargeCases
from .holds import HoldCases
from .idempotency import IdempotencyCases
from .lost_answers import LostAnswerCases
from .refunds import RefundCases
from .shape import ShapeCases
from .webhooks import WebhookCases

_GUARD = "test_no_case_is_overridden_without_a_reason"


class BackendConformance(
    ShapeCases,
    HoldCases,
    ChargeCases,
    RefundCases,
    IdempotencyCases,
    LostAnswerCases,
    WebhookCases,
):
    """Subclass this; the package's docstring shows how.

    A case that a backend cannot pass yet may be overridden only with
    ``@pytest.mark.xfail(reason=...)``, so that the gap is printed with its reason.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if getattr(cls, _GUARD) is not getattr(BackendConformance, _GUARD):
            raise TypeError(f"{cls.__name__} overrides {_GUARD}, which guards all the others")

    def test_no_case_is_overridden_without_a_reason(self) -> None:
        silent = list(overridden(type(self)))
        assert not silent, (
            f"{type(self).__name__} overrides cases of the kit without "
            f"@pytest.mark.xfail(reason=...): {', '.join(silent)}"
        )


def overridden(case: type) -> Iterator[str]:
    """The kit's tests that a class replaces, leaves out or skips without saying why."""
    for name in dir(BackendConformance):
        if not name.startswith("test_"):
            continue
        mine = getattr(case, name, None)
        if mine is getattr(BackendConformance, name):
            continue
        if not any(_is_reasoned(mark) for mark in getattr(mine, "pytestmark", ())):
            yield name


def _is_reasoned(mark: pytest.Mark) -> bool:
    return mark.name == "xfail" and bool(str(mark.kwargs.get("reason", "")).strip())
