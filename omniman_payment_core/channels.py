"""A channel's payment settings, read from its ``config`` with clear errors. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .records import ChannelView, Topic, Trigger
from .values import PaymentFlow


class LateMoney(StrEnum):
    """What to do with money that comes after the order stopped wanting it, or twice."""

    FLAG = "flag"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """What a channel asks of its payments."""

    flow: PaymentFlow
    late_money: LateMoney
    auto_transitions: Mapping[str, str]

    @property
    def first_topic(self) -> Topic:
        """The directive that committing a session enqueues."""
        return Topic.HOLD if self.flow is PaymentFlow.AUTHORIZE_CAPTURE else Topic.CHARGE


class ChannelConfigError(ValueError):
    """A channel's config is wrong; ``problems`` names every mistake."""

    def __init__(self, code: str, problems: list[str]) -> None:
        super().__init__(f'channel "{code}": ' + "; ".join(problems))
        self.code = code
        self.problems = tuple(problems)


def read_channel(channel: ChannelView) -> ChannelPolicy:
    """The policy of a channel; raises :class:`ChannelConfigError` naming every problem."""
    config = channel.config
    if not isinstance(config, Mapping):
        raise ChannelConfigError(channel.code, ["config is not an object"])
    problems: list[str] = []
    flow = _one_of(config, "payment_flow", PaymentFlow, PaymentFlow.AUTHORIZE_CAPTURE, problems)
    late = _one_of(config, "late_money", LateMoney, LateMoney.FLAG, problems)
    moves = _auto_transitions(config, problems)
    if problems:
        raise ChannelConfigError(channel.code, problems)
    return ChannelPolicy(PaymentFlow(flow), LateMoney(late), moves)


def _one_of(
    config: Mapping[str, Any],
    key: str,
    choices: type[StrEnum],
    default: StrEnum,
    problems: list[str],
) -> StrEnum:
    value = config.get(key, default)
    try:
        return choices(value)
    except ValueError:
        known = ", ".join(f'"{choice}"' for choice in choices)
        problems.append(f'config["{key}"] is {value!r}; it can be {known}')
        return default


_TRIGGERS = tuple(trigger.value for trigger in Trigger)


def _auto_transitions(config: Mapping[str, Any], problems: list[str]) -> Mapping[str, str]:
    flow = config.get("order_flow", {})
    moves = flow.get("auto_transitions", {}) if isinstance(flow, Mapping) else None
    if not isinstance(moves, Mapping):
        problems.append('config["order_flow"]["auto_transitions"] is not an object')
        return {}
    for name, target in moves.items():
        if name.startswith("on_payment_") and name not in _TRIGGERS:
            known = ", ".join(_TRIGGERS)
            problems.append(
                f'config["order_flow"]["auto_transitions"] has "{name}"; known: {known}'
            )
        elif not isinstance(target, str) or not target:
            problems.append(
                f'config["order_flow"]["auto_transitions"]["{name}"] is not a status name'
            )
    return moves
