"""Which order status may follow which, from a channel's ``order_flow``. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CANCELLED = "cancelled"

DEFAULT_TRANSITIONS: Mapping[str, Sequence[str]] = {
    "new": ("confirmed", "processing", "completed", CANCELLED),
    "confirmed": ("processing", "ready", "dispatched", "completed", CANCELLED),
    "processing": ("ready", "dispatched", "completed", CANCELLED),
    "ready": ("dispatched", "delivered", "completed", CANCELLED),
    "dispatched": ("delivered", "completed", "returned"),
    "delivered": ("completed", "returned"),
    "completed": ("returned",),
    CANCELLED: (),
    "returned": (),
}
"""What holds where a channel states no ``order_flow["transitions"]`` of its own."""


class TransitionError(ValueError):
    """The order's flow does not allow this step; nothing was changed."""

    def __init__(self, message: str, *, status: str, target: str) -> None:
        super().__init__(message)
        self.status = status
        self.target = target


def transitions_of(config: object) -> Mapping[str, Any]:
    """The channel's table of steps, or the default one."""
    flow = config.get("order_flow") if isinstance(config, Mapping) else None
    table = flow.get("transitions") if isinstance(flow, Mapping) else None
    return table if isinstance(table, Mapping) else DEFAULT_TRANSITIONS


def check_transition(config: object, channel: str, ref: str, status: str, target: str) -> None:
    """Raise :class:`TransitionError` unless ``target`` may follow ``status``."""
    table = transitions_of(config)
    allowed = table.get(status, ())
    allowed = allowed if isinstance(allowed, (list, tuple)) else ()
    if target in allowed:
        return
    steps = ", ".join(f'"{step}"' for step in allowed) or "nothing"
    raise TransitionError(
        f'order {ref} cannot go from "{status}" to "{target}": '
        f'the order_flow of channel "{channel}" allows {steps}',
        status=status,
        target=target,
    )
