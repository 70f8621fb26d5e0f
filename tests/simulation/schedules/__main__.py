"""``python -m tests.simulation.schedules``: every schedule to a depth, or one played again."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from ..gateways import STRENGTHS
from .scenarios import SCENARIOS, plays
from .walk import Failed, Schedule, survey


def main() -> int:
    """Run; 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.schedules")
    parser.add_argument("--depth", type=int, default=2, help="how many faults at once")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only these")
    parser.add_argument("--strength", choices=STRENGTHS, action="append", help="only these")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--replay", nargs=3, metavar=("SCENARIO", "STRENGTH", "FAULTS"), help="tell its story"
    )
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if asked.replay:
        return _replay(Schedule.parse(asked.replay))
    chosen = [
        Schedule(scenario, strength)
        for scenario in asked.scenario or SCENARIOS
        for strength in asked.strength or STRENGTHS
        if plays(scenario, strength)
    ]
    began, total, failed = time.perf_counter(), 0, 0
    with ProcessPoolExecutor(asked.processes) as pool:
        for schedule, found in zip(
            chosen, pool.map(survey, chosen, [asked.depth] * len(chosen)), strict=True
        ):
            total, failed = total + found.count, failed + len(found.failures)
            print(f"{found.count:8}  {schedule.scenario} {schedule.strength}", flush=True)
            for failure in found.failures:
                print(failure, file=sys.stderr)
    took = time.perf_counter() - began
    print(f"{total} schedules, {failed} failed, {total / took:.0f} a second")
    return 1 if failed else 0


def _replay(schedule: Schedule) -> int:
    try:
        stage = schedule.run()
    except Failed as error:
        print(error)
        return 1
    print("\n".join(stage.story))
    print(f"{schedule} holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
