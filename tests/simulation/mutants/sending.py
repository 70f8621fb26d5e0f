"""Mutants of the write-ahead protocol: keys, doubt, leases, fences."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_core.decisions import absorbing, deciding, observing, operations
from omniman_payment_core.decisions.draft import Draft
from omniman_payment_core.engine import engine, gateway
from omniman_payment_core.records import OperationState
from omniman_payment_core.testing import MemoryStore

from .seams import replace, rewrite


def key_for_each_attempt(patch: pytest.MonkeyPatch) -> None:
    """The idempotency key belongs to the attempt, not to the operation."""
    rewrite(
        patch,
        gateway.call_backend,
        ("= request.operation.key", '= f"{request.operation.key}-{request.attempt}"'),
        ("request.method in abilities.addressed and", "request.attempt == 1 and"),
    )


def key_without_ordinal(patch: pytest.MonkeyPatch) -> None:
    """All operations of one kind of a payment share a key."""
    rewrite(patch, operations.operation_key, ("_{ordinal}", ""))


def nothing_is_written_ahead(patch: pytest.MonkeyPatch) -> None:
    """The call leaves while the store still says that nothing was sent."""
    rewrite(patch, operations.send, ("state=OperationState.SENT", "state=operation.state"))


def timeout_is_failure(patch: pytest.MonkeyPatch) -> None:
    """An answer that did not come counts as a no."""
    rewrite(
        patch,
        gateway._raised,
        (
            "case OutcomeUnknownError():\n            return Unknown(message)",
            "case OutcomeUnknownError():\n"
            "            return Refused('timeout', message, PaymentResult(False, None, 'failed'))",
        ),
    )


def doubt_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What was sent and not answered is taken for never sent."""

    def resolve(draft: Draft, terms: Any, operation: Any, parameters: Any) -> None:
        draft.settle_operation(operation, OperationState.ABANDONED, evidence="surely not")

    replace(patch, operations.resolve_doubt, resolve)


def absence_is_proof_at_once(patch: pytest.MonkeyPatch) -> None:
    """Not found means never happened, however short ago it was sent."""
    replace(patch, operations._absence_is_proven, lambda draft, terms, op: draft.absent)


def look_is_as_new_as_its_settling(patch: pytest.MonkeyPatch) -> None:
    """What a slow worker read long ago is taken for what is so now."""
    rewrite(patch, absorbing._looked, ("min(began, draft.now)", "draft.now"))


def silence_is_absence(patch: pytest.MonkeyPatch) -> None:
    """An answer that says nothing of an operation is taken to deny it."""
    replace(patch, observing.tells_of, lambda draft, operation, seen: True)


def key_is_trusted_for_ever(patch: pytest.MonkeyPatch) -> None:
    """A key is sent again although the gateway has forgotten it."""
    replace(
        patch,
        operations._may_repeat,
        lambda draft, terms, op: op.kind in terms.abilities.keyed,
    )


def parameters_are_not_frozen(patch: pytest.MonkeyPatch) -> None:
    """Another request may go out under a key that was used before."""
    rewrite(
        patch, operations.send, ("parameters.digest != operation.params_hash", "not parameters")
    )


def rate_limit_is_a_no(patch: pytest.MonkeyPatch) -> None:
    """ "Too many requests" ends an operation as if the gateway had refused it."""
    rewrite(
        patch,
        gateway._raised,
        (
            "return NotAttempted(message, _retry_after(seconds), counted=False)",
            "return Refused('rate_limited', message, PaymentResult(False, None, 'failed'))",
        ),
    )


def vague_no_is_final(patch: pytest.MonkeyPatch) -> None:
    """A no without a reason, such as an error saved under the key, is believed without a look."""
    rewrite(patch, absorbing._refused, ("if not code and", "if code is None and"))


def stale_answer_takes_back(patch: pytest.MonkeyPatch) -> None:
    """An old attempt's "never sent" is believed about a newer one."""
    rewrite(
        patch,
        absorbing._take_back,
        (
            "operation.in_doubt and latest and not request.was_in_doubt",
            "operation.in_doubt and request.attempt",
        ),
    )


def fence_is_skipped(patch: pytest.MonkeyPatch) -> None:
    """A worker whose lease is over decides as if it still held it."""
    rewrite(
        patch,
        MemoryStore.settle,
        ("directive.fence == settlement.fence", "True"),
        ("directive.status == DirectiveStatus.RUNNING", "True"),
        ("directive.available_at > now", "True"),
    )


def facts_of_an_old_fence_are_dropped(patch: pytest.MonkeyPatch) -> None:
    """What a worker learned is thrown away because its lease is over."""
    genuine = deciding.resolve

    def resolve(case: Any, *rest: Any, fenced: bool) -> Any:
        changes = genuine(case, *rest, fenced=fenced)
        return changes if fenced else type(changes)(call=changes.call)

    replace(patch, deciding.resolve, resolve)


def lease_is_not_checked_before_sending(patch: pytest.MonkeyPatch) -> None:
    """A worker that slept past its lease, and past the key's window, still sends."""
    replace(patch, engine.Engine._too_late, lambda self, work: False)


def dead_workers_lease_is_kept(patch: pytest.MonkeyPatch) -> None:
    """A directive whose worker died is never taken by another."""
    rewrite(patch, MemoryStore._due, ("d.status in _OPEN", "d.status == DirectiveStatus.PENDING"))


def operation_for_each_delivery(patch: pytest.MonkeyPatch) -> None:
    """A directive that is delivered again begins a second operation."""
    replace(patch, Draft.mine, lambda self: None)
