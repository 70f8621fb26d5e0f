"""The life of a PaymentIntent: docs.stripe.com/payments/paymentintents/lifecycle."""

from __future__ import annotations

from typing import Any

from . import disputes, money
from .cards import Card, by_name, by_number, message_of
from .errors import ApiError, invalid, missing_resource, unvalidated
from .objects import charge_of, intent_of, method_of
from .records import Charge, Intent, Method
from .state import State

HOLD_SECONDS = 7 * 86_400
STATE = "payment_intent_unexpected_state"
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")

_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELABLE = (*_CONFIRMABLE, "requires_capture", "processing")


def create(state: State, given: dict[str, Any]) -> Intent:
    """``POST /v1/payment_intents``."""
    currency = given["currency"].lower()
    money.check(given["amount"], currency)
    method = given.get("capture_method", "automatic_async")
    if method not in ("automatic", "automatic_async", "manual"):
        raise _bad_choice("capture_method", "automatic, automatic_async, or manual")
    confirm = given.get("confirm", False)
    if not confirm:
        for name in ("off_session", "error_on_requires_action", "return_url"):
            if name in given:
                raise unvalidated(
                    f"The parameter `{name}` can only be passed when `confirm` is set to `true`.",
                    code=None,
                    param=name,
                )
    automatic = given.get("automatic_payment_methods")
    allowed = given.get("allowed_payment_method_types")
    if automatic and allowed:
        raise unvalidated(
            "You may only specify one of these parameters: allowed_payment_method_types, "
            "automatic_payment_methods.",
            code=None,
            param="automatic_payment_methods",
        )
    redirects = None
    if allowed is None:
        redirects = (automatic or {}).get("allow_redirects", "always")
        if redirects not in ("always", "never"):
            raise _bad_choice("automatic_payment_methods[allow_redirects]", "always or never")
    number = state.new_id("pi")
    intent = Intent(
        id=number,
        secret=f"{number}_secret_{state.new_id('x')[2:]}",
        amount=given["amount"],
        currency=currency,
        created=state.now(),
        capture_method=method,
        metadata=given.get("metadata", {}),
        allow_redirects=redirects,
        customer=given.get("customer"),
        description=given.get("description"),
        receipt_email=given.get("receipt_email"),
        setup_future_usage=given.get("setup_future_usage"),
        statement_descriptor_suffix=given.get("statement_descriptor_suffix"),
        allowed_types=allowed,
        multicapture=_wants_multicapture(given),
    )
    if confirm:
        _check_return_url(intent, given)
    _attach(state, intent, given)
    state.intents[number] = intent
    state.emit("payment_intent.created", intent_of(state, intent))
    if confirm:
        confirm_intent(state, intent, given)
    return intent


def update(state: State, intent: Intent, given: dict[str, Any]) -> None:
    """``POST /v1/payment_intents/:id``."""
    if "amount" in given:
        if intent.status not in _CONFIRMABLE:
            raise _unexpected(state, intent, "could not be updated", _CONFIRMABLE, "updated")
        money.check(given["amount"], intent.currency)
        intent.amount = given["amount"]
    for name, value in given.get("metadata", {}).items():
        if value:
            intent.metadata[name] = value
        else:
            intent.metadata.pop(name, None)
    for name in ("description", "receipt_email"):
        if name in given:
            setattr(intent, name, given[name] or None)


def confirm_intent(
    state: State, intent: Intent, given: dict[str, Any], *, by_shopper: bool = False
) -> None:
    """``POST /v1/payment_intents/:id/confirm``, and ``confirm=true``; also from the browser."""
    if intent.status not in _CONFIRMABLE:
        if intent.status == "succeeded":
            raise invalid(
                "You cannot confirm this PaymentIntent because it has already succeeded after "
                "being previously confirmed.",
                code=STATE,
                payment_intent=intent_of(state, intent),
            )
        raise _unexpected(state, intent, "could not be confirmed", _CONFIRMABLE, "confirmed")
    if not by_shopper:
        _check_return_url(intent, given)
    _attach(state, intent, given)
    card = intent.card
    if card is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
            code=STATE,
            payment_intent=intent_of(state, intent),
        )
    intent.return_url = given.get("return_url") or intent.return_url
    intent.multicapture = intent.multicapture or _wants_multicapture(given)
    intent.error = intent.next_action = None
    if state.declines:
        decline(state, intent, "card_declined", state.declines.pop(0))
    off_session = given.get("off_session", "false") not in ("false", "")
    method = state.methods.get(intent.method or "")
    asks = card.asks(off_session=off_session, set_up=method is not None and method.set_up)
    if asks and (off_session or given.get("error_on_requires_action")):
        decline(state, intent, "authentication_required", "authentication_required")
    if asks:
        intent.status = "requires_action"
        intent.next_action = _three_d(intent, in_page=given.get("use_stripe_sdk", False))
        state.emit("payment_intent.requires_action", intent_of(state, intent))
        return
    _ask_the_bank(state, intent)


def authenticate(state: State, intent: Intent, success: bool) -> None:
    """The shopper passed 3-D Secure, or did not."""
    if intent.status != "requires_action":
        raise _unexpected(state, intent, "waits for no shopper", ("requires_action",), "continued")
    intent.next_action = None
    if not success:
        _fail(
            state,
            intent,
            "payment_intent_authentication_failure",
            "",
            "We are unable to authenticate your payment method. Please choose a different payment "
            "method and try again.",
            kind="invalid_request_error",
        )
        return
    try:
        _ask_the_bank(state, intent)
    except ApiError:
        # The shopper is told by the browser; the shop reads it in the PaymentIntent.
        return


def capture(state: State, intent: Intent, given: dict[str, Any]) -> None:
    """``POST /v1/payment_intents/:id/capture``."""
    if intent.status != "requires_capture":
        raise _unexpected(state, intent, "could not be captured", ("requires_capture",), "captured")
    charge = state.charges[intent.charge or ""]
    amount = given.get("amount_to_capture", intent.amount_capturable)
    final = given.get("final_capture", True)
    if amount < 1:
        raise unvalidated(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount_to_capture",
        )
    if amount > intent.amount_capturable:
        raise invalid(
            f"The amount you are trying to capture ({amount}) is greater than the amount that is "
            f"capturable ({intent.amount_capturable}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    if not final and not charge.multicapture:
        raise invalid(
            "This PaymentIntent cannot be captured more than once: multicapture is not available.",
            param="final_capture",
        )
    intent.metadata.update(given.get("metadata", {}))
    intent.amount_received += amount
    intent.amount_capturable -= amount
    charge.captured = True
    charge.amount_captured += amount
    state.move("captured_from_hold", amount, intent)
    if final or not intent.amount_capturable:
        state.move("released", intent.amount_capturable, intent)
        intent.amount_capturable = 0
        intent.status = "succeeded"
    state.emit("charge.captured", charge_of(charge))
    if intent.status == "succeeded":
        state.emit("payment_intent.succeeded", intent_of(state, intent))
    else:
        state.emit("payment_intent.amount_capturable_updated", intent_of(state, intent))


def cancel(state: State, intent: Intent, reason: str | None) -> None:
    """``POST /v1/payment_intents/:id/cancel``."""
    if reason is not None and reason not in REASONS:
        raise _bad_choice("cancellation_reason", ", ".join(REASONS))
    if intent.status not in _CANCELABLE:
        raise _unexpected(state, intent, "could not be canceled", _CANCELABLE, "canceled")
    _end(state, intent, reason)


def lapse(state: State) -> None:
    """Let holds go whose time is over."""
    for intent in list(state.intents.values()):
        charge = state.charge_of(intent)
        if intent.status != "requires_capture" or charge is None:
            continue
        if charge.capture_before is not None and state.now() >= charge.capture_before:
            _end(state, intent, "automatic")
            state.emit("charge.expired", charge_of(charge))


def _end(state: State, intent: Intent, reason: str | None) -> None:
    state.move("released", intent.amount_capturable, intent)
    intent.amount_capturable = 0
    intent.status = "canceled"
    intent.canceled_at = state.now()
    intent.cancellation_reason = reason
    intent.next_action = None
    state.emit("payment_intent.canceled", intent_of(state, intent))


# -- confirming --------------------------------------------------------------------------------


def process(state: State, intent: Intent, success: bool) -> None:
    """What a slow payment method was working on came to its end."""
    if intent.status != "processing":
        raise _unexpected(state, intent, "is not being processed", ("processing",), "finished")
    if success:
        _ask_the_bank(state, intent)
        return
    _fail(state, intent, "payment_intent_payment_attempt_failed", "", "The payment failed.")


def start_processing(state: State, intent: Intent) -> None:
    """The payment method takes its time."""
    intent.status = "processing"
    intent.next_action = None
    state.emit("payment_intent.processing", intent_of(state, intent))


def _ask_the_bank(state: State, intent: Intent) -> None:
    card = intent.card
    assert card is not None
    if card.code:
        decline(state, intent, card.code, card.decline_code)
    charge = _charge(state, intent, card, "succeeded")
    if intent.setup_future_usage == "off_session" and intent.method:
        state.methods[intent.method].set_up = True
    if intent.capture_method == "manual":
        charge.capture_before = state.now() + HOLD_SECONDS
        charge.multicapture = intent.multicapture
        intent.status = "requires_capture"
        intent.amount_capturable = intent.amount
        state.move("authorized", intent.amount, intent)
        state.emit("charge.succeeded", charge_of(charge))
        state.emit("payment_intent.amount_capturable_updated", intent_of(state, intent))
    else:
        charge.captured = True
        charge.amount_captured = intent.amount
        intent.status = "succeeded"
        intent.amount_received = intent.amount
        state.move("captured", intent.amount, intent)
        state.emit("charge.succeeded", charge_of(charge))
        state.emit("payment_intent.succeeded", intent_of(state, intent))
        if card.dispute:
            disputes.open_dispute(state, intent, None, card.dispute, inquiry=card.inquiry)


def decline(state: State, intent: Intent, code: str, decline_code: str) -> None:
    """The bank says no: the PaymentIntent waits for another payment method."""
    message = message_of(code, decline_code)
    charge = _charge(state, intent, intent.card or Card("4242424242424242"), "failed")
    charge.code, charge.decline_code = code, decline_code or None
    state.emit("charge.failed", charge_of(charge))
    _fail(state, intent, code, decline_code, message, charge=charge)
    error = {
        name: value
        for name, value in (intent.error or {}).items()
        if name not in ("type", "message")
    }
    raise ApiError(402, "card_error", message, **error, payment_intent=intent_of(state, intent))


def _fail(
    state: State,
    intent: Intent,
    code: str,
    decline_code: str,
    message: str,
    *,
    charge: Charge | None = None,
    kind: str = "card_error",
) -> None:
    method = state.methods.get(intent.method or "")
    intent.error = {
        "type": kind,
        "code": code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": message,
    }
    if decline_code:
        intent.error["decline_code"] = decline_code
    if charge is not None:
        intent.error["charge"] = charge.id
    if method is not None:
        intent.error["payment_method"] = method_of(method)
    intent.status = "requires_payment_method"
    intent.method = intent.card = None
    state.emit("payment_intent.payment_failed", intent_of(state, intent))


def _charge(state: State, intent: Intent, card: Card, status: str) -> Charge:
    charge = Charge(
        id=state.new_id("ch"),
        intent=intent.id,
        amount=intent.amount,
        currency=intent.currency,
        created=state.now(),
        card=card,
        method=intent.method or state.new_id("pm"),
        status=status,
        metadata=dict(intent.metadata),
    )
    state.charges[charge.id] = charge
    intent.charge = charge.id
    return charge


def _attach(state: State, intent: Intent, given: dict[str, Any]) -> None:
    """Whatever of the ways to give a card was used."""
    card: Card | None = None
    if "confirmation_token" in given:
        number = given["confirmation_token"]
        card = by_name(number.replace("ctoken_", "tok_"))
        if card is None:
            raise missing_resource("confirmation_token", number, "confirmation_token")
    elif "payment_method_data" in given:
        card = card_of(given["payment_method_data"])
    elif "payment_method" in given:
        number = given["payment_method"]
        known = state.methods.get(number)
        card = known.card if known else by_name(number)
        if card is None:
            raise missing_resource("PaymentMethod", number, "payment_method", status=400)
        if known is not None:
            intent.method, intent.card = known.id, card
            _ready(intent)
            return
    if card is not None:
        method = Method(state.new_id("pm"), card, state.now())
        state.methods[method.id] = method
        intent.method, intent.card = method.id, card
        _ready(intent)


def _ready(intent: Intent) -> None:
    if intent.status == "requires_payment_method":
        intent.status = "requires_confirmation"


def card_of(given: dict[str, Any]) -> Card:
    """The card of ``payment_method_data``, by its token or its number."""
    if given.get("type") != "card":
        raise unvalidated("Only cards are simulated", code=None, param="payment_method_data[type]")
    details = given.get("card", {})
    if "token" in details:
        card = by_name(details["token"])
        if card is None:
            raise missing_resource("token", details["token"], "payment_method_data[card][token]")
        return card
    card = by_number(details.get("number", ""))
    if card is None:
        raise ApiError(
            402,
            "card_error",
            "Your card number is incorrect.",
            code="incorrect_number",
            param="payment_method_data[card][number]",
        )
    return card


def _check_return_url(intent: Intent, given: dict[str, Any]) -> None:
    if intent.allow_redirects in (None, "never") or given.get("return_url") or intent.return_url:
        return
    raise unvalidated(
        "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. "
        "Because some of these payment methods might redirect your customer off of your page, you "
        "must provide a `return_url`. If you don't want to accept redirect-based payment methods, "
        "set `automatic_payment_methods[enabled]` to `true` and "
        "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
        "Payment Intents.",
        code=None,
        param=None,
    )


def _wants_multicapture(given: dict[str, Any]) -> bool:
    options = given.get("payment_method_options", {}).get("card", {})
    wanted = options.get("request_multicapture")
    if wanted not in (None, "if_available", "never"):
        raise _bad_choice(
            "payment_method_options[card][request_multicapture]", "if_available or never"
        )
    return bool(wanted == "if_available")


def _three_d(intent: Intent, *, in_page: bool) -> dict[str, Any]:
    if intent.return_url and not in_page:
        return {
            "redirect_to_url": {
                "return_url": intent.return_url,
                "url": f"https://hooks.stripe.com/3d_secure_2/{intent.id}",
            },
            "type": "redirect_to_url",
        }
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {
            "source": f"src_{intent.id[3:]}",
            "stripe_js": f"https://hooks.stripe.com/redirect/authenticate/src_{intent.id[3:]}",
            "type": "three_d_secure_redirect",
        },
    }


def _unexpected(
    state: State, intent: Intent, what: str, allowed: tuple[str, ...], done: str
) -> ApiError:
    return invalid(
        f"This PaymentIntent {what} because it has a status of {intent.status}. Only a "
        f"PaymentIntent with one of the following statuses may be {done}: {', '.join(allowed)}.",
        code=STATE,
        payment_intent=intent_of(state, intent),
    )


def _bad_choice(param: str, choices: str) -> ApiError:
    return unvalidated(f"Invalid {param}: must be one of {choices}", code=None, param=param)
