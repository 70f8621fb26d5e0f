"""Each toxic at each position of each operation: the call says exactly what became of it."""

from __future__ import annotations

import pytest

from .exchanges import play
from .proxy import POSITIONS, TOXICS, Spoiling
from .sides import Side


def spoiling(side: Side, operation: str, toxic: str, position: str) -> Spoiling:
    return Spoiling(toxic, position, side.requests.get(operation, ""))


@pytest.mark.parametrize("toxic", TOXICS)
@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize(
    "operation", ["charge", "capture", "refund", "cancel", "get_status", "list"]
)
def test_a_call_to_stripe_is_sorted_exactly_and_takes_effect_once(
    stripe_behind_proxy: Side, operation: str, position: str, toxic: str
) -> None:
    side = stripe_behind_proxy
    play(side, operation, spoiling(side, operation, toxic, position))


@pytest.mark.parametrize("toxic", TOXICS)
@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("operation", ["charge", "refund", "cancel", "get_status", "list"])
def test_a_call_to_efi_is_sorted_exactly_and_takes_effect_once(
    efi_behind_proxy: Side, operation: str, position: str, toxic: str
) -> None:
    side = efi_behind_proxy
    play(side, operation, spoiling(side, operation, toxic, position))
