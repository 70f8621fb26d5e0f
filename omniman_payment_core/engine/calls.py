"""What a gateway call looks like from different sides: to wrappers, in the audit, to decisions."""

from __future__ import annotations

from collections.abc import Callable
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
from .answers import GarbageError, transaction_id_in

if TYPE_CHECKING:
    from ..plugins.registry import Account


def terms_of(account: Account) -> Terms:
    """An account as decisions see it."""
    return Terms(
        account=account.name,
        plugin=account.plugin,
        version=account.version,
        fingerprint=account.fingerprint,
        livemode=account.livemode,
        abilities=account.abilities,
        registration=account.registration,
        choose_transaction_id=_choosing(account, "choose_transaction_id"),
        choose_refund_id=_choosing(account, "choose_refund_id"),
    )


def _choosing(account: Account, method: str) -> Callable[[str], str] | None:
    """A backend's way to name things. What it raises or gives wrongly is a fault of the account.

    It is asked inside a transaction of ours, where nothing may get past us and end the worker.
    """
    if method not in account.abilities:
        return None
    choose = getattr(account.backend, method)

    def chosen(key: str) -> str:
        try:
            return transaction_id_in(method, choose(key))
        except KeyboardInterrupt:
            raise
        except GarbageError as error:
            why = str(error)
        except BaseException:
            # Not what it says of itself: that may hold a secret, or be a trap.
            why = f"{method}() raised an exception"
        raise ConfigurationError(f'account "{account.name}": the backend\'s {why}')

    return chosen


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
