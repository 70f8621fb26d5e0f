"""What a gateway call looks like from different sides: to wrappers, in the audit, to decisions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..decisions import (
    Answered,
    Found,
    Invalid,
    Misconfigured,
    NotAttempted,
    NotFound,
    Outcome,
    Prepared,
    Refused,
    Terms,
    Unknown,
)
from ..errors import ConfigurationError
from ..notices import GatewayCall
from ..records import CallRecord, GatewayRequest

if TYPE_CHECKING:
    from ..plugins.registry import Account


def terms_of(account: Account) -> Terms:
    """An account as decisions see it."""
    backend, abilities = account.backend, account.abilities
    return Terms(
        account=account.name,
        plugin=account.plugin,
        version=account.version,
        fingerprint=account.fingerprint,
        livemode=account.livemode,
        abilities=abilities,
        registration=account.registration,
        choose_transaction_id=(
            backend.choose_transaction_id if "choose_transaction_id" in abilities else None
        ),
        choose_refund_id=backend.choose_refund_id if "choose_refund_id" in abilities else None,
    )


def check_binding(account: Account, request: GatewayRequest) -> None:
    """A running payment never goes to another gateway account than the one it began with."""
    if account.fingerprint != request.fingerprint or account.livemode != request.livemode:
        raise ConfigurationError(
            f'account "{account.name}" is not the one this payment was begun with '
            f"(now {account.fingerprint}, live mode {account.livemode}); configure the old "
            "account under its old name until its payments are done"
        )


def notice_of(request: GatewayRequest) -> GatewayCall:
    """A call as wrappers see it."""
    operation = request.operation
    return GatewayCall(
        account=request.account,
        plugin=request.plugin,
        method=request.method,
        order_ref=request.order_ref,
        payment_id=request.payment_id,
        idempotency_key=operation.key if operation is not None else None,
        amount_q=request.amount_q,
        currency=request.currency,
        attempt=request.attempt,
    )


_OUTCOMES: dict[type, str] = {
    Answered: "answered",
    Found: "found",
    Prepared: "prepared",
    Refused: "refused",
    NotFound: "not_found",
    NotAttempted: "not_attempted",
    Unknown: "unknown",
    Invalid: "invalid",
    Misconfigured: "misconfigured",
}


def call_record(
    request: GatewayRequest, outcome: Outcome, duration_us: int, at: datetime
) -> CallRecord:
    """The audit row of a call: what was asked and what came of it, without any payload."""
    result = outcome.result if isinstance(outcome, (Answered, Refused)) else None
    operation = request.operation
    return CallRecord(
        order_ref=request.order_ref,
        payment_id=request.payment_id,
        account=request.account,
        method=request.method,
        operation_key=operation.key if operation is not None else "",
        amount_q=request.amount_q,
        currency=request.currency,
        attempt=request.attempt,
        outcome=_OUTCOMES[type(outcome)],
        duration_us=duration_us,
        at=at,
        transaction_id=(result.transaction_id if result else None) or request.transaction_id or "",
        status=result.status[:32] if result else "",
        code=outcome.code if isinstance(outcome, Refused) else "",
        message=getattr(outcome, "message", ""),
    )
