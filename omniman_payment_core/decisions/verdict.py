"""``payment.verdict``: a person says what became of an operation that nobody knows about.

The last way out of an unknown outcome. Only a parked operation can be judged, and what is said
stands in the ledger with who said it and why.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..records import Directive, EventKind, Operation, OperationKind, OperationState, Source
from ..values import RefundStatus
from .draft import Draft
from .late import watch_for_late_money
from .payloads import PayloadError, read_flag, read_text
from .refund_facts import accept_refund
from .refunding import release


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person found out at the gateway."""

    operation: str
    happened: bool
    actor: str
    reason: str
    reference: str
    """The gateway's id of what happened: of the transaction, or of a refund."""

    @property
    def said(self) -> str:
        return f"{self.actor}: {self.reason}"


def decide_verdict(draft: Draft) -> None:
    """Write the verdict down, and let everything that waited behind it run again."""
    verdict = read_verdict(draft.directive)
    operation = _find(draft, verdict.operation)
    if operation is None:
        draft.fail(
            "unknown_operation",
            f"order {draft.directive.order_ref} has no operation {verdict.operation}",
        )
        return
    if operation.state != OperationState.PARKED:
        draft.fail(
            "not_parked",
            f"operation {operation.key} is {operation.state}: only one that is parked "
            "needs a verdict",
        )
        return
    draft.source, draft.actor = Source.OPERATOR, verdict.actor
    before = draft.touched
    if verdict.happened:
        _it_happened(draft, operation, verdict)
    else:
        _it_did_not(draft, operation, verdict)
    watch_for_late_money(draft, before)
    # Whatever is written now, the gateway is asked once more, as far as it can tell.
    draft.check_soon()
    draft.complete(operation=operation.key, happened=verdict.happened)


def read_verdict(directive: Directive) -> Verdict:
    """The payload; raises :class:`PayloadError` naming what is wrong."""
    payload = directive.payload
    texts = {name: read_text(payload, name) or "" for name in ("operation", "actor", "reason")}
    for name, text in texts.items():
        if not text.strip():
            raise PayloadError(f'"{name}" is missing')
    happened = read_flag(payload, "happened")
    if happened is None:
        raise PayloadError('"happened" is missing: it has to be true or false')
    return Verdict(happened=happened, reference=read_text(payload, "reference") or "", **texts)


def _find(draft: Draft, key: str) -> Operation | None:
    """The operation, its own payment chosen: an order may have several."""
    operation = draft.operation(key)
    payment = draft.find_payment(operation.payment_id) if operation is not None else None
    if payment is None:
        return None
    draft.choose(payment)
    return operation


def _it_happened(draft: Draft, operation: Operation, verdict: Verdict) -> None:
    payment, amount = draft.touched, operation.amount_q
    reference = verdict.reference or payment.transaction_id or ""
    said = {"verdict": verdict.said}
    match operation.kind:
        case OperationKind.PREPARE | OperationKind.AUTHORIZE | OperationKind.CHARGE:
            if payment.transaction_id is None:
                if not verdict.reference:
                    raise PayloadError(
                        '"reference" is missing: without the transaction\'s id at the gateway '
                        "nothing can be captured or refunded later"
                    )
                draft.update(transaction_id=verdict.reference)
            if operation.kind == OperationKind.AUTHORIZE:
                key = f"{operation.key}:authorized"
                draft.record(EventKind.AUTHORIZED, amount, key, reference=reference, **said)
            elif operation.kind == OperationKind.CHARGE:
                key = f"{payment.id}:captured:{payment.captured_q + amount}"
                draft.record(EventKind.CAPTURED, amount, key, reference=reference, **said)
        case OperationKind.CAPTURE:
            key = f"{operation.key}:captured"
            draft.record(EventKind.CAPTURED, amount, key, reference=reference, **said)
        case OperationKind.REFUND:
            if not verdict.reference:
                raise PayloadError(
                    '"reference" is missing: without the refund\'s id at the gateway the next '
                    "look would take it for another one"
                )
            accept_refund(draft, operation, RefundStatus.SUCCEEDED, verdict.reference)
        case OperationKind.CANCEL:
            key = f"{operation.key}:voided"
            draft.record(EventKind.VOIDED, payment.open_q, key, reference=reference, **said)
    draft.settle_operation(
        operation, OperationState.OK, gateway_reference=reference, evidence=verdict.said
    )


def _it_did_not(draft: Draft, operation: Operation, verdict: Verdict) -> None:
    draft.record(
        EventKind.NOTE,
        0,
        f"{operation.key}:verdict",
        verdict=verdict.said,
        operation=operation.key,
        about=str(operation.kind),
        happened=False,
    )
    if operation.kind == OperationKind.REFUND:
        release(draft, operation)
    draft.settle_operation(operation, OperationState.ABANDONED, evidence=verdict.said)
