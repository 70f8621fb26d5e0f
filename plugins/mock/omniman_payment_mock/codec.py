"""The far side's records as JSON text and back, for a store that writes them down."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from omniman_payment_core.values import NextAction, PaymentResult, RefundSnapshot, RefundStatus

from .script import NO_BEHAVIOUR, parse
from .store import Remembered
from .transactions import GatewayRefund, Movement, Transaction


def dump_transaction(txn: Transaction) -> str:
    data = {f.name: getattr(txn, f.name) for f in fields(txn)}
    data["behaviour"] = txn.behaviour.source
    data["refunds"] = [asdict(r) for r in txn.refunds]
    return json.dumps(data, default=_moment)


def load_transaction(text: str) -> Transaction:
    data = json.loads(text)
    source = data["behaviour"]
    data["behaviour"] = NO_BEHAVIOUR if source is None else parse(source)
    data["refunds"] = tuple(
        GatewayRefund(**{**r, "status": RefundStatus(r["status"])}) for r in data["refunds"]
    )
    _moments(data, "created_at", "expires_at", "hold_expires_at")
    return Transaction(**data)


def dump_movement(movement: Movement) -> str:
    return json.dumps(asdict(movement), default=_moment)


def load_movement(text: str) -> Movement:
    data = json.loads(text)
    _moments(data, "at")
    return Movement(**data)


def dump_answer(known: Remembered) -> str:
    return json.dumps(asdict(known), default=_moment)


def load_answer(text: str) -> Remembered:
    data = json.loads(text)
    _moments(data, "at")
    answer = data["answer"]
    _moments(answer, "expires_at", "hold_expires_at")
    if answer["next_action"] is not None:
        answer["next_action"] = NextAction(**answer["next_action"])
    if answer["refunds"] is not None:
        answer["refunds"] = tuple(RefundSnapshot(**r) for r in answer["refunds"])
    return Remembered(tuple(data["asked"]), PaymentResult(**answer), data["at"])


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in the books")


def _moments(data: dict[str, Any], *names: str) -> None:
    for name in names:
        if data[name] is not None:
            data[name] = datetime.fromisoformat(data[name])
