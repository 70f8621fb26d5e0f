"""Three hundred simulated histories in small portions, for the mutants to live through.

Not collected with the other tests, among which ten thousand are: named to pytest when wanted.
"""

from __future__ import annotations

import logging

import pytest

from tests.simulation.violations import Violation
from tests.simulation.world import World

HISTORIES = 300
AT_ONCE = 5
ENDLESS = 20_000


class Ending(World):
    """A world in which nothing goes on for ever."""

    def dies(self, where: str) -> bool:
        if self.steps > ENDLESS:
            raise Violation(f"no end after {self.steps} steps")
        return super().dies(where)


@pytest.mark.parametrize("first", range(0, HISTORIES, AT_ONCE))
def test_histories_break_no_invariant(first: int) -> None:
    logging.disable(logging.CRITICAL)
    try:
        for seed in range(first, first + AT_ONCE):
            Ending(seed).run()
    finally:
        logging.disable(logging.NOTSET)
