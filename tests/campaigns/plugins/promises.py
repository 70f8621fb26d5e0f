"""What has to hold whatever a backend did: money, service, and texts that are fit to be kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from omniman_payment_core.records import DirectiveStatus
from tests.simulation.invariants import check_always, check_at_rest

from .stage import CARD, SECRET, Stage

LONGEST = 2100
"""The scrubber's two thousand characters, and what a sentence around them takes."""
ENDED = (DirectiveStatus.COMPLETED, DirectiveStatus.FAILED, DirectiveStatus.PARKED)


def check_money(stage: Stage) -> None:
    """No effect twice or under a key nobody knows; what moved is in the books, or flagged."""
    check_always(stage)
    check_at_rest(stage)
    keys = [movement.key for movement in stage.gateway.moved if movement.key is not None]
    assert len(keys) == len(set(keys)), "money moved twice under one key"


def check_no_false_failure(stage: Stage) -> None:
    """No backend here ever passes on a refusal of its gateway, so nothing may have failed.

    The one exception is a request that the backend itself calls invalid; then nothing moved.
    """
    for directive in stage.store.directives.values():
        if directive.status == DirectiveStatus.FAILED:
            assert stage.flags("invalid_request"), directive
    for operation in stage.operations():
        if operation.state in ("refused", "abandoned"):
            assert operation.evidence, operation


def check_texts(stage: Stage, logged: str) -> None:
    """Everything kept or logged is free of secrets, bounded, and of a kind any database takes."""
    store = stage.store
    rows: list[Any] = [
        *store.directives.values(), *store.payments.values(), *store.operations.values(),
        *store.refunds.values(), *store.events.values(), *store.flags.values(), *store.calls,
        *(order.data for order in store.orders.values()),
    ]  # fmt: skip
    for row in rows:
        for value in _values(row):
            _check_value(value, row)
    assert SECRET not in logged
    assert CARD not in logged
    assert all(len(line) < 2 * LONGEST for line in logged.splitlines()), "an endless line of log"


def _check_value(value: object, row: object) -> None:
    assert value is None or type(value) in (str, int, bool, datetime) or _is_ours(value), (
        f"{type(value)} in {type(row).__name__}"
    )
    match value:
        case str():
            assert SECRET not in value, type(row)
            assert CARD not in value, type(row)
            assert len(value) <= LONGEST, f"{len(value)} characters in {type(row).__name__}"
        case bool():
            pass
        case int():
            assert abs(value) < 2**63, type(row)
        case datetime():
            value.astimezone(UTC)


def _is_ours(value: object) -> bool:
    return isinstance(value, str) and type(value).__module__.startswith("omniman_payment_core")


def _values(row: Any) -> Iterator[Any]:
    if is_dataclass(row) and not isinstance(row, type):
        for field in fields(row):
            yield from _values(getattr(row, field.name))
    elif isinstance(row, Mapping):
        assert type(row) is dict, f"a {type(row).__name__} is kept"
        json.dumps(row, allow_nan=False)
        for key, value in row.items():
            yield from _values(key)
            yield from _values(value)
    elif isinstance(row, (tuple, list)):
        for value in row:
            yield from _values(value)
    else:
        yield row


def check_service(stage: Stage, others: list[int]) -> None:
    """The orders whose backend behaved were served meanwhile, and so is the next one."""
    for number in others:
        assert stage.directive(number).status == DirectiveStatus.COMPLETED
    stage.order("last")
    number = stage.hold("last")
    stage.settle_down()
    assert stage.directive(number).status == DirectiveStatus.COMPLETED
    assert stage.gateway.held_q("last") == 1000
