"""The border to plugins: one call out, one outcome back, nothing a plugin does gets further.

Whatever a backend raises or returns becomes an :data:`Outcome`. What is not certainly a
"not carried out" or a plain answer is unknown, and looked up by whoever comes next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from ..contracts import Abilities
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
    Unknown,
)
from ..errors import (
    ConfigurationError,
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    RateLimitedError,
    TransactionNotFoundError,
)
from ..records import GatewayRequest
from ..secrets import Scrubber
from ..values import PaymentResult, PaymentStatus
from .answers import GarbageError, checked, transaction_id_in

MAX_RETRY_AFTER = timedelta(hours=1)
_NEGATIVE = (PaymentStatus.FAILED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED)


def call_backend(backend: Any, abilities: Abilities, request: GatewayRequest) -> Any:
    """The plain method call for a request, with the optional keywords the backend takes."""
    method = getattr(backend, request.method)
    extra: dict[str, Any] = {}
    if request.method in abilities.keyed and request.operation is not None:
        extra["idempotency_key"] = request.operation.key
    if request.method in ("authorize", "charge", "prepare"):
        if request.method in abilities.addressed and request.transaction_id is not None:
            extra["transaction_id"] = request.transaction_id
        if request.method == "prepare":
            extra["capture"] = request.capture
        return method(
            amount_q=request.amount_q,
            currency=request.currency,
            order_ref=request.order_ref,
            payment_method=_copy(request.payment_method),
            metadata={**_copy(request.metadata), "payment_id": request.payment_id},
            **extra,
        )
    if request.method == "find":
        return method(request.order_ref)
    if request.method in abilities.priced:
        extra["currency"] = request.currency
    if request.method == "capture":
        if request.final is not None:
            extra["final"] = request.final
        return method(request.transaction_id, amount_q=request.amount_q, **extra)
    if request.method == "refund":
        return method(
            request.transaction_id, amount_q=request.amount_q, reason=request.reason, **extra
        )
    return method(request.transaction_id, **extra)


def outcome_of(
    request: GatewayRequest, perform: Callable[[], Any], scrub: Callable[[str], str]
) -> Outcome:
    """Carry the call out and say what became of it. Raises nothing."""
    try:
        return _cleaned(_read(request, perform()), request, scrub)
    except BaseException as error:
        try:
            return _raised(error, _discreet(request, scrub))
        except BaseException:
            # Even its class or its attributes were a trap.
            return Unknown("an exception that cannot be looked at", plugin_fault=True)


def _cleaned(outcome: Outcome, request: GatewayRequest, scrub: Callable[[str], str]) -> Outcome:
    """The outcome with its texts fit to be stored and shown."""
    match outcome:
        case Answered(result) if result.error_code or result.error_message:
            return Answered(_scrubbed(result, _discreet(request, scrub)))
        case Refused():
            clean = _discreet(request, scrub)
            result = _scrubbed(outcome.result, clean)
            return Refused(result.error_code or "", clean(outcome.message), result)
        case Found(results) if any(r.error_code or r.error_message for r in results):
            return Found(tuple(_scrubbed(r, _discreet(request, scrub)) for r in results))
    return outcome


def _scrubbed(result: PaymentResult, scrub: Callable[[str], str]) -> PaymentResult:
    """The answer with its texts fit to be stored and shown."""
    code, message = result.error_code, result.error_message
    return replace(
        result,
        error_code=scrub(code) if code else code,
        error_message=scrub(message) if message else message,
    )


_A_WORD = re.compile(r"[A-Za-z_-]{1,24}")


def _discreet(request: GatewayRequest, scrub: Callable[[str], str]) -> Callable[[str], str]:
    """Plugins quote what they were given: the payment method's details are taken out as well.

    Plain words stay, or a text about a declined card could not say "card".
    """
    details = [text for text in _details(request.payment_method) if not _A_WORD.fullmatch(text)]
    if not details:
        return scrub
    of_method = Scrubber(details)
    return lambda text: scrub(of_method.text(text))


def _details(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif type(value) is int and abs(value) >= 10**5:
        yield str(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _details(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _details(item)


def _raised(error: BaseException, scrub: Callable[[str], str]) -> Outcome:
    message = scrub(_text(error))
    match error:
        case RateLimitedError(retry_after=seconds):
            return NotAttempted(message, _retry_after(seconds), counted=False)
        case NotAttemptedError():
            return NotAttempted(message)
        case TransactionNotFoundError():
            return NotFound(message)
        case InvalidRequestError():
            return Invalid(message)
        case ConfigurationError():
            return Misconfigured(message)
        case OutcomeUnknownError():
            return Unknown(message)
        case GarbageError():
            return Unknown(message, plugin_fault=True)
        case _:
            # Perhaps after the request had left: nothing about it is known.
            return Unknown(f"{type(error).__name__}: {message}", plugin_fault=True)


def _text(error: BaseException) -> str:
    """A plugin's exception may be unable to say what it is."""
    try:
        return str.__str__(str(error)) or type(error).__name__
    except BaseException:
        return type(error).__name__


def _retry_after(seconds: object) -> timedelta | None:
    # "At once" from a gateway that is busy would be a loop: it gets the ordinary backoff.
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds <= 0:
        return None
    return min(timedelta(seconds=min(seconds, 10**6)), MAX_RETRY_AFTER)


def _read(request: GatewayRequest, answer: Any) -> Outcome:
    if request.method == "prepare":
        if isinstance(answer, PaymentResult) and not answer.success:
            result = checked(answer)
            message = result.error_message or "the gateway declined"
            return Refused(result.error_code or "declined", message, result)
        return Prepared(transaction_id_in("prepare", answer))
    if request.method == "find":
        if not isinstance(answer, (list, tuple)):
            raise GarbageError("find() did not return a list")
        return Found(tuple(checked(item) for item in answer[:100]))
    result = checked(answer)
    if request.operation is None:
        return Answered(result)
    if not result.success and (result.error_code or result.status in _NEGATIVE):
        return Refused(
            result.error_code or "", result.error_message or "the gateway declined", result
        )
    return Answered(result)


def _copy(value: Mapping[str, Any]) -> dict[str, Any]:
    """Plugins get their own copy of what we will need again."""
    return cast("dict[str, Any]", _deep(value))


def _deep(value: Any) -> Any:
    if type(value) is str or type(value) is int:
        return value
    if type(value) is dict or isinstance(value, Mapping):
        return {key: _deep(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_deep(item) for item in value]
    return value
