"""Confirming a PaymentIntent: the bank's question, its answer, and what becomes of the money."""

from __future__ import annotations

from typing import Any

from . import disputes
from .cards import Card, message_of
from .errors import ApiError, invalid, unvalidated
from .method_objects import method_of
from .methods import attach
from .objects import charge_of, intent_of
from .records import Charge, Intent
from .standing import CONFIRMABLE, UNEXPECTED, unexpected
from .state import State

HOLD_SECONDS = 7 * 86_400
_NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again."
)
_NO_QUESTIONS = (
    "This payment required an authentication action to complete, but `error_on_requires_action` "
    "was set. When you're ready, you can upgrade your integration to handle actions at "
    "https://stripe.com/docs/payments/payment-intents/upgrade-to-handle-actions."
)


def confirm(
    state: State, intent: Intent, given: dict[str, Any], *, by_shopper: bool = False
) -> None:
    """``POST /v1/payment_intents/:id/confirm``, and ``confirm=true``; also from the browser."""
    if intent.status == "succeeded":
        raise invalid(
            "You cannot confirm this PaymentIntent because it has already succeeded after being "
            "previously confirmed.",
            code=UNEXPECTED,
            payment_intent=intent_of(state, intent),
        )
    if intent.status not in CONFIRMABLE:
        what = "This PaymentIntent could not be confirmed"
        raise unexpected(state, intent, what, CONFIRMABLE, "confirmed")
    if not by_shopper:
        check_return_url(state, intent, given)
    attach(state, intent, given)
    card = intent.card
    if card is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
            code=UNEXPECTED,
            payment_intent=intent_of(state, intent),
        )
    intent.return_url = given.get("return_url") or intent.return_url
    intent.error = intent.next_action = None
    if state.declines:
        decline(state, intent, "card_declined", state.declines.pop(0))
    off_session = given.get("off_session", "false") not in ("false", "")
    if not card.asks(
        off_session=off_session,
        set_up=state.methods[intent.method or ""].set_up,
        wanted=intent.three_d in ("any", "challenge"),
    ):
        ask_the_bank(state, intent)
        return
    if off_session:
        decline(state, intent, "authentication_required", "authentication_required")
    if given.get("error_on_requires_action"):
        _fail(state, intent, "authentication_required", "authentication_not_handled", _NO_QUESTIONS)
        raise _card_error(state, intent)
    intent.status = "requires_action"
    intent.next_action = _question(intent, given)
    state.emit("payment_intent.requires_action", intent_of(state, intent))


def authenticate(state: State, intent: Intent, success: bool) -> None:
    """The shopper passed 3-D Secure, or did not."""
    if intent.status != "requires_action":
        what = "This PaymentIntent waits for no shopper"
        raise unexpected(state, intent, what, ("requires_action",), "continued")
    intent.next_action = None
    if not success:
        code = "payment_intent_authentication_failure"
        _fail(state, intent, code, "", _NOT_AUTHENTICATED, kind="invalid_request_error")
        return
    try:
        ask_the_bank(state, intent, authenticated=True)
    except ApiError:
        # The shopper is told by the browser; the shop reads it in the PaymentIntent.
        return


def start_processing(state: State, intent: Intent) -> None:
    """The payment method takes its time."""
    if intent.status not in CONFIRMABLE:
        what = "This PaymentIntent could not be processed"
        raise unexpected(state, intent, what, CONFIRMABLE, "processed")
    intent.status = "processing"
    intent.next_action = None
    state.emit("payment_intent.processing", intent_of(state, intent))


def finish_processing(state: State, intent: Intent, success: bool) -> None:
    """What a slow payment method was working on came to its end."""
    if intent.status != "processing":
        what = "This PaymentIntent is not being processed"
        raise unexpected(state, intent, what, ("processing",), "finished")
    if success:
        ask_the_bank(state, intent)
        return
    _fail(state, intent, "payment_intent_payment_attempt_failed", "", "The payment failed.")


def ask_the_bank(state: State, intent: Intent, *, authenticated: bool = False) -> None:
    """Hold or take the money; raises what the shop is told when the bank says no."""
    card = intent.card or Card("4242424242424242")
    if card.code:
        decline(state, intent, card.code, card.decline_code)
    charge = _charge(state, intent, card, "succeeded")
    charge.authenticated = authenticated
    if intent.setup_future_usage == "off_session" and intent.method:
        state.methods[intent.method].set_up = True
    if intent.captured_later:
        charge.capture_before = state.now() + HOLD_SECONDS
        charge.multicapture = intent.multicapture
        intent.status = "requires_capture"
        intent.amount_capturable = intent.amount
        state.move("authorized", intent.amount, intent)
        state.emit("charge.succeeded", charge_of(charge))
        state.emit("payment_intent.amount_capturable_updated", intent_of(state, intent))
        return
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
    raise _card_error(state, intent)


def check_return_url(state: State, intent: Intent, given: dict[str, Any]) -> None:
    """Payment methods that send the shopper away need an address to come back to."""
    token = state.tokens.get(given.get("confirmation_token", ""))
    back = given.get("return_url") or intent.return_url or (token and token.return_url)
    if intent.allow_redirects in (None, "never") or back:
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


def _card_error(state: State, intent: Intent) -> ApiError:
    error = dict(intent.error or {})
    del error["type"]
    return ApiError(
        402, "card_error", error.pop("message"), **error, payment_intent=intent_of(state, intent)
    )


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


def _question(intent: Intent, given: dict[str, Any]) -> dict[str, Any]:
    if intent.return_url and not given.get("use_stripe_sdk"):
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
