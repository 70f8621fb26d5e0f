"""Payment methods: the ways in which a card comes to a PaymentIntent."""

from __future__ import annotations

from typing import Any

from .cards import Card, by_name, by_number
from .errors import ApiError, invalid, missing_resource, unvalidated
from .records import Intent, Method, Token
from .state import State


def make(state: State, given: dict[str, Any]) -> Method:
    """``POST /v1/payment_methods``, and ``payment_method_data`` anywhere else."""
    return _keep(state, _card_of(given), given.get("billing_details", {}))


def make_token(state: State, given: dict[str, Any]) -> Token:
    """A confirmation token; by Stripe.js, or by the test helper."""
    if "payment_method_data" in given:
        method = make(state, given["payment_method_data"])
    elif "payment_method" in given:
        method = find(state, given["payment_method"])
    else:
        raise unvalidated(
            "You must provide one of `payment_method` or `payment_method_data`.",
            code="parameter_missing",
            param="payment_method_data",
        )
    token = Token(
        id=state.new_id("ctoken"),
        method=method.id,
        created=state.now(),
        return_url=given.get("return_url"),
        setup_future_usage=given.get("setup_future_usage"),
        shipping=given.get("shipping"),
    )
    state.tokens[token.id] = token
    return token


def attach(state: State, intent: Intent, given: dict[str, Any]) -> None:
    """Whatever of the ways to give a card was used; nothing where none was."""
    used = [
        name
        for name in ("confirmation_token", "payment_method_data", "payment_method")
        if name in given
    ]
    if "confirmation_token" in used and len(used) > 1:
        raise unvalidated(
            f"You may only specify one of these parameters: {', '.join(sorted(used))}.",
            code=None,
            param="confirmation_token",
        )
    if "confirmation_token" in used:
        method = _redeem(state, intent, given["confirmation_token"])
    elif "payment_method_data" in used:
        method = make(state, given["payment_method_data"])
    elif "payment_method" in used:
        method = find(state, given["payment_method"])
    else:
        return
    intent.method, intent.card = method.id, method.card
    if intent.status == "requires_payment_method":
        intent.status = "requires_confirmation"


def find(state: State, number: str) -> Method:
    """A payment method that was made, or one of Stripe's test ones, made on the spot."""
    known = state.methods.get(number)
    if known is not None:
        return known
    card = by_name(number) if number.startswith("pm_card_") else None
    if card is None:
        raise missing_resource("PaymentMethod", number, "payment_method", status=400)
    return _keep(state, card, {})


def _redeem(state: State, intent: Intent, number: str) -> Method:
    token = state.tokens.get(number)
    if token is None:
        raise missing_resource("confirmation_token", number, "confirmation_token")
    if token.intent is not None and token.intent != intent.id:
        raise invalid(
            f"The provided ConfirmationToken ({number}) was used already; make another one.",
            param="confirmation_token",
        )
    token.intent = intent.id
    intent.return_url = token.return_url or intent.return_url
    intent.setup_future_usage = token.setup_future_usage or intent.setup_future_usage
    intent.shipping = token.shipping or intent.shipping
    return state.methods[token.method]


def _keep(state: State, card: Card, billing: dict[str, Any]) -> Method:
    method = Method(state.new_id("pm"), card, state.now(), billing=billing)
    state.methods[method.id] = method
    return method


def _card_of(given: dict[str, Any]) -> Card:
    """The card, by its token or its number."""
    if given.get("type") != "card":
        raise unvalidated(
            "This simulator knows cards only: type has to be card.", code=None, param="type"
        )
    details = given.get("card", {})
    if "token" in details:
        number = details["token"]
        card = by_name(number) if number.startswith("tok_") else None
        if card is None:
            raise missing_resource("token", number, "card[token]")
        return card
    number = details.get("number", "")
    card = by_number(number)
    if card is None:
        raise _unknown_number(number)
    return card


def _unknown_number(number: str) -> ApiError:
    if not number:
        return unvalidated(
            "Missing required param: card[number].", code="parameter_missing", param="card[number]"
        )
    return ApiError(
        402, "card_error", "Your card number is incorrect.", code="incorrect_number", param="number"
    )
