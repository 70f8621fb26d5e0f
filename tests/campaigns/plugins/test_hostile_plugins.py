"""Whatever a backend does in whichever method, no money is lost, doubled or declared failed."""

from __future__ import annotations

import pytest

from .scenes import KIT, OPERATIONS, play, strengths_of
from .stage import Misbehaviour

MOMENTS = ("before", "after")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("misbehaviour", KIT, ids=str)
def test_a_backend_that_misbehaves_neither_loses_nor_doubles_money(
    misbehaviour: Misbehaviour, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment in MOMENTS:
        act = getattr(misbehaviour, moment)
        for strength in strengths_of(operation):
            if act is not None:
                with monkeypatch.context() as patch:
                    play(strength, operation, act, patch)


def test_the_kit_is_as_large_as_it_claims() -> None:
    moments = sum(getattr(m, moment) is not None for m in KIT for moment in MOMENTS)
    assert len({m.name for m in KIT}) == len(KIT) >= 90
    assert moments * len(OPERATIONS) >= 1000
