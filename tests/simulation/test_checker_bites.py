"""The simulation is worth its silence: each way of getting it wrong is found within seconds.

Every mutant undoes one rule of the design. A history that breaks an invariant, or that the
store itself refuses to write, has found it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.decisions import Refused, Unknown, absorbing, capture, operations
from omniman_payment_core.decisions.draft import Draft
from omniman_payment_core.engine import engine as engine_module
from omniman_payment_core.engine import gateway
from omniman_payment_core.records import OperationState
from omniman_payment_core.testing import MemoryStore
from omniman_payment_core.values import PaymentResult

from .world import World

ENOUGH = 1500


def key_for_each_attempt(patch: pytest.MonkeyPatch) -> None:
    """The idempotency key belongs to the attempt, not to the operation."""
    genuine = gateway.call_backend

    def call(backend: Any, abilities: Any, request: Any) -> Any:
        method = getattr(backend, request.method)

        def with_own_key(*args: Any, **kwargs: Any) -> Any:
            if "idempotency_key" in kwargs:
                kwargs["idempotency_key"] += f"-{request.attempt}"
                kwargs.pop("transaction_id", None)
            return method(*args, **kwargs)

        double = type("Double", (), {request.method: staticmethod(with_own_key)})()
        return genuine(double, abilities, request)

    patch.setattr(engine_module, "call_backend", call)


def timeout_is_failure(patch: pytest.MonkeyPatch) -> None:
    """An answer that did not come counts as a no."""
    genuine = gateway._raised

    def raised(request: Any, error: BaseException, scrub: Any) -> Any:
        outcome = genuine(request, error, scrub)
        if isinstance(outcome, Unknown) and request.operation is not None:
            return Refused("declined", "timeout", PaymentResult(False, None, "failed"))
        return outcome

    patch.setattr(gateway, "_raised", raised)


def doubt_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What was sent and not answered is taken for never sent."""
    genuine = operations.resolve_doubt

    def resolve(draft: Draft, terms: Any, operation: Any, parameters: Any) -> None:
        draft.settle_operation(operation, OperationState.ABANDONED, evidence="surely not")

    for module in (capture, operations):
        patch.setattr(module, "resolve_doubt", resolve)
    from omniman_payment_core.decisions import opening, refunding

    patch.setattr(opening, "resolve_doubt", resolve)
    patch.setattr(refunding, "resolve_doubt", resolve)
    assert genuine is not resolve


def absence_is_proof_at_once(patch: pytest.MonkeyPatch) -> None:
    """Not found means never happened, however short ago it was sent."""
    patch.setattr(operations, "_absence_is_proven", lambda draft, terms, op: draft.absent)


def key_is_trusted_for_ever(patch: pytest.MonkeyPatch) -> None:
    """A key is sent again although the gateway has forgotten it."""
    patch.setattr(
        operations, "_may_repeat", lambda draft, terms, op: op.kind in terms.abilities.keyed
    )


def fence_is_skipped(patch: pytest.MonkeyPatch) -> None:
    """A worker whose lease is over decides as if it still held it."""
    genuine = MemoryStore.settle

    def settle(self: MemoryStore, settlements: Any, *, tell: bool) -> Any:
        held = [
            type(s)(s.directive_id, s.order_ref, s.fence, _always_fenced(s.resolve))
            for s in settlements
        ]
        return genuine(self, held, tell=tell)

    patch.setattr(MemoryStore, "settle", settle)


def _always_fenced(resolve: Callable[..., Any]) -> Callable[..., Any]:
    return lambda case, now, fenced: resolve(case, now, True)


def refunds_are_not_reserved(patch: pytest.MonkeyPatch) -> None:
    """What is refundable forgets the refunds that are under way."""
    patch.setattr(
        Draft, "refundable_q", lambda self: self.touched.captured_q - self.touched.refunded_q
    )


def capture_waits_behind_a_parked_hold(patch: pytest.MonkeyPatch) -> None:
    """Nobody tells a directive that what it waits for is waiting for a person."""

    def blocked(draft: Draft) -> bool:
        operation = draft.unsettled()
        if operation is None or operation.cause == draft.directive.identity:
            return False
        draft.wait("waiting")
        return True

    patch.setattr(capture, "blocked", blocked)


def stale_answer_takes_back(patch: pytest.MonkeyPatch) -> None:
    """An old attempt's "never sent" is believed about a newer one."""

    def take_back(draft: Draft, request: Any, operation: Any) -> None:
        if operation.in_doubt:
            draft.put(operations.evolve(operation, state=OperationState.PLANNED))

    patch.setattr(absorbing, "_take_back", take_back)


def lease_is_not_checked_before_sending(patch: pytest.MonkeyPatch) -> None:
    """A worker that slept past its lease, and past the key's window, still sends."""
    patch.setattr(engine_module.Engine, "_too_late", lambda self, work: False)


MUTANTS = [
    key_for_each_attempt,
    timeout_is_failure,
    doubt_is_forgotten,
    absence_is_proof_at_once,
    key_is_trusted_for_ever,
    fence_is_skipped,
    refunds_are_not_reserved,
    capture_waits_behind_a_parked_hold,
    stale_answer_takes_back,
    lease_is_not_checked_before_sending,
]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_rule_is_found(
    mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    for seed in range(ENOUGH):
        try:
            World(seed).run()
        except Exception:
            return
    pytest.fail(f"{ENOUGH} histories did not notice: {mutant.__doc__}")


def test_the_lease_outlives_the_call_budget_twice() -> None:
    limits = engine_module.Limits()
    assert limits.lease >= 2 * limits.call_budget
    assert limits.lease - limits.call_budget > timedelta()
