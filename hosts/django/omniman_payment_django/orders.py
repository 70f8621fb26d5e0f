"""Where orders live: the port that the store asks, and a guard around another project's.

Knows nothing of payments but the summary it is given and the names of triggers.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import transaction

from omniman_payment_core.records import ChannelView, OrderView, Trigger

log = logging.getLogger("omniman_payment.orders")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something an order refused; the payment stands all the same."""

    kind: str
    order_ref: str
    subject: str
    message: str


class OrderAdapter(Protocol):
    """Orders as the store uses them, always inside its transaction and on its database.

    Made with the alias of that database: ``Adapter(using)``.
    """

    def load(
        self, refs: Collection[str], *, lock: bool, wait: bool = True
    ) -> Mapping[str, OrderView]:
        """The orders that exist. With ``lock`` they stay as they are until the commit.

        Without ``wait`` one that somebody else has locked may be left out.
        """
        ...

    def write_summaries(
        self, summaries: Mapping[str, Mapping[str, Any]]
    ) -> Sequence[Problem] | None:
        """Put each order's payment summary where shops look for it."""
        ...

    def fire(self, triggers: Mapping[str, Sequence[Trigger]]) -> Sequence[Problem]:
        """Do each order's auto-transitions; report those that its flow forbids."""
        ...


def target_of(channel: ChannelView, trigger: str) -> str | None:
    """The status to which a trigger moves orders of a channel, if to any."""
    config = channel.config
    flow = config.get("order_flow") if isinstance(config, Mapping) else None
    moves = flow.get("auto_transitions") if isinstance(flow, Mapping) else None
    target = moves.get(trigger) if isinstance(moves, Mapping) else None
    return target if isinstance(target, str) and target else None


class GuardedOrders:
    """Another project's orders: what goes wrong over there never undoes a payment here."""

    def __init__(self, orders: OrderAdapter, using: str) -> None:
        self._orders = orders
        self._using = using

    def load(
        self, refs: Collection[str], *, lock: bool, wait: bool = True
    ) -> Mapping[str, OrderView]:
        return self._orders.load(refs, lock=lock, wait=wait)

    def write_summaries(self, summaries: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
        """Each in a savepoint of its own."""
        problems = []
        for ref, summary in summaries.items():
            try:
                with transaction.atomic(using=self._using):
                    self._orders.write_summaries({ref: summary})
            except Exception as error:
                problems.append(_failure("summary_not_written", ref, ref, error))
        return problems

    def fire(self, triggers: Mapping[str, Sequence[Trigger]]) -> Sequence[Problem]:
        """Each in a savepoint of its own."""
        problems: list[Problem] = []
        for ref, names in triggers.items():
            try:
                with transaction.atomic(using=self._using):
                    problems += self._orders.fire({ref: names})
            except Exception as error:
                subject = f"{ref}:{','.join(names)}"
                problems.append(_failure("transition_refused", ref, subject, error))
        return problems


def _failure(kind: str, ref: str, subject: str, error: Exception) -> Problem:
    log.warning("order %s: %s", ref, kind, exc_info=error)
    return Problem(kind, ref, subject, f"order {ref}: {type(error).__name__}: {error}"[:2000])
