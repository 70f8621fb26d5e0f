"""The parameters of our requests to Stripe, from the words of the payment protocol. Pure.

Source: the API reference of PaymentIntents and Refunds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from omniman_payment_core.errors import InvalidRequestError

from .config import Config
from .reading import ORDER_REF, PAGE, PAID_ON, PAYMENT_ID, REFUND_KEY

EXPAND = ("latest_charge",)
EXPAND_ALL = ("latest_charge.refunds",)

_METHOD_NAMES = ("payment_method_id", "payment_method", "id", "token")
"""What a payment method may be called; the first is the specification page's."""
_KNOWN = frozenset(
    {
        "type",
        *_METHOD_NAMES,
        "confirmation_token",
        "customer",
        "off_session",
        "receipt_email",
        "return_url",
        "setup_future_usage",
    }
)
_METHOD = re.compile(r"(?:pm|card|src|ba)_[A-Za-z0-9_]{1,128}")
_TOKEN = re.compile(r"tok_[A-Za-z0-9_]{1,128}")
_CONFIRMATION = re.compile(r"ctoken_[A-Za-z0-9_]{1,128}")

_MAX_METADATA, _MAX_NAME, _MAX_VALUE = 50, 40, 500
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")

Params = dict[str, Any]


def check_method(payment_method: Mapping[str, Any]) -> None:
    """Every entry is one that means something here.

    :raises InvalidRequestError: naming what is wrong, never quoting it.
    """
    unknown = sorted(str(name) for name in payment_method if name not in _KNOWN)
    if unknown:
        raise InvalidRequestError(
            f"payment_method has entries that Stripe's plugin does not know: {', '.join(unknown)}; "
            f"known are {', '.join(sorted(_KNOWN))}"
        )
    kind = payment_method.get("type", "card")
    if kind != "card":
        raise InvalidRequestError('payment_method["type"] has to be "card"')
    _method_of(payment_method)


def is_given(payment_method: Mapping[str, Any]) -> bool:
    """Whether the shop brings the card, or the shopper will give it to Stripe's page."""
    return bool(_method_of(payment_method))


def opening(
    config: Config,
    amount: int,
    currency: str,
    order_ref: str,
    payment_method: Mapping[str, Any],
    metadata: Mapping[str, Any] | None,
    *,
    capture: bool,
) -> Params:
    """A new PaymentIntent, not confirmed yet: it moves nothing."""
    redirects = "always" if _return_url(config, payment_method) else "never"
    params: Params = {
        "amount": amount,
        "currency": currency.lower(),
        "capture_method": "automatic" if capture else "manual",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": redirects},
        "metadata": _metadata(order_ref, payment_method, metadata),
        "expand": list(EXPAND),
    }
    for name in ("customer", "receipt_email", "setup_future_usage"):
        if payment_method.get(name):
            params[name] = payment_method[name]
    if config.multicapture and not capture:
        params["payment_method_options"] = {"card": {"request_multicapture": "if_available"}}
    return params


def confirming(config: Config, payment_method: Mapping[str, Any]) -> Params:
    """What turns an open PaymentIntent into a hold or a charge."""
    params: Params = {**_method_of(payment_method), "expand": list(EXPAND)}
    return_url = _return_url(config, payment_method)
    if return_url:
        params["return_url"] = return_url
    if payment_method.get("off_session") is True:
        params["off_session"] = True
    return params


def capturing(amount: int | None, *, final: bool) -> Params:
    """Take what is held or a part of it; a part that is not the last keeps the rest held."""
    params: Params = {"expand": list(EXPAND)}
    if amount is not None:
        params["amount_to_capture"] = amount
    if not final:
        params["final_capture"] = False
    return params


def refunding(
    transaction_id: str, amount: int | None, reason: str | None, key: str | None
) -> Params:
    """A refund that carries our key and the shop's own words; Stripe knows three reasons only."""
    metadata = {}
    if key:
        metadata[REFUND_KEY] = key
    if reason:
        metadata["reason"] = reason[:_MAX_VALUE]
    params: Params = {
        "payment_intent": transaction_id,
        "reason": reason if reason in _REASONS else "requested_by_customer",
        "metadata": metadata,
        "expand": ["charge"],
    }
    if amount is not None:
        params["amount"] = amount
    return params


def searching(order_ref: str) -> Params:
    """The order's PaymentIntents by their metadata; the index is up to a minute behind."""
    quoted = order_ref.replace("\\", "\\\\").replace("'", "\\'")
    return {
        "query": f"metadata['{ORDER_REF}']:'{quoted}'",
        "limit": 100,
        "expand": ["data.latest_charge"],
    }


def _method_of(payment_method: Mapping[str, Any]) -> Params:
    confirmation = payment_method.get("confirmation_token")
    given = {n: payment_method[n] for n in _METHOD_NAMES if payment_method.get(n)}
    if len(given) + bool(confirmation) > 1:
        names = [*given, *(["confirmation_token"] if confirmation else [])]
        raise InvalidRequestError(f"payment_method has {' and '.join(names)}: one has to go")
    if confirmation:
        if not (isinstance(confirmation, str) and _CONFIRMATION.fullmatch(confirmation)):
            raise InvalidRequestError(
                'payment_method["confirmation_token"] is not a confirmation token (ctoken_...)'
            )
        return {"confirmation_token": confirmation}
    for name, value in given.items():
        if isinstance(value, str) and _METHOD.fullmatch(value):
            return {"payment_method": value}
        if isinstance(value, str) and _TOKEN.fullmatch(value):
            return {"payment_method_data": {"type": "card", "card": {"token": value}}}
        raise InvalidRequestError(
            f'payment_method["{name}"] is neither a payment method (pm_...) nor a token (tok_...)'
        )
    return {}


def _return_url(config: Config, payment_method: Mapping[str, Any]) -> str | None:
    return payment_method.get("return_url") or config.return_url


def _metadata(
    order_ref: str, payment_method: Mapping[str, Any], metadata: Mapping[str, Any] | None
) -> dict[str, str]:
    own = {str(name): _flat(value) for name, value in (metadata or {}).items() if value is not None}
    for name, value in own.items():
        if not name or len(name) > _MAX_NAME or "[" in name or "]" in name:
            raise InvalidRequestError(
                f"metadata has a name that Stripe does not take: 1 to {_MAX_NAME} characters, no "
                "square brackets"
            )
        if len(value) > _MAX_VALUE:
            raise InvalidRequestError(
                f'metadata["{name}"] is longer than the {_MAX_VALUE} characters that Stripe takes'
            )
    own[ORDER_REF] = order_ref
    own[PAID_ON] = "server" if is_given(payment_method) else PAGE
    if len(own) > _MAX_METADATA:
        raise InvalidRequestError(
            f"metadata has more entries than Stripe takes ({_MAX_METADATA}, of which "
            f"{ORDER_REF}, {PAYMENT_ID} and {PAID_ON} are ours)"
        )
    return own


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
