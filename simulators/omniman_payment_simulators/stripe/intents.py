"""The life of a PaymentIntent around its confirmation: made, changed, captured, canceled."""

from __future__ import annotations

from typing import Any

from . import money
from .confirming import check_return_url, confirm
from .errors import invalid, unvalidated
from .methods import attach
from .objects import charge_of, intent_of
from .records import Charge, Intent
from .standing import CANCELABLE, CONFIRMABLE, bad_choice, unexpected
from .state import State

REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
_CAPTURES = ("automatic", "automatic_async", "manual")
_ONLY_CONFIRMED = ("off_session", "error_on_requires_action", "return_url", "mandate_data")
_TEXTS = (
    "customer",
    "description",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor_suffix",
    "transfer_group",
)


def create(state: State, given: dict[str, Any]) -> Intent:
    """``POST /v1/payment_intents``."""
    currency = given["currency"].lower()
    money.check(given["amount"], currency)
    confirmed = given.get("confirm", False)
    _check_together(given, confirmed)
    number = state.new_id("pi")
    intent = Intent(
        id=number,
        secret=f"{number}_secret_{state.new_id('x')[2:]}",
        amount=given["amount"],
        currency=currency,
        created=state.now(),
        capture_method="automatic_async",
        metadata=merged({}, given),
        allow_redirects=_redirects(given),
        allowed_types=given.get("allowed_payment_method_types"),
    )
    _describe(intent, given)
    if confirmed:
        check_return_url(state, intent, given)
    # A confirmation that has its own refusals takes the card in by itself.
    attach(state, intent, given)
    state.intents[number] = intent
    state.emit("payment_intent.created", intent_of(state, intent))
    if confirmed:
        rest = {name: value for name, value in given.items() if name not in _WAYS}
        confirm(state, intent, rest)
    return intent


def update(state: State, intent: Intent, given: dict[str, Any]) -> None:
    """``POST /v1/payment_intents/:id``."""
    touchy = [name for name in given if name not in ("metadata", "description", "expand")]
    if touchy and intent.status not in CONFIRMABLE:
        what = f"This PaymentIntent's {touchy[0]} could not be updated"
        raise unexpected(state, intent, what, CONFIRMABLE, "updated")
    currency = given.get("currency", intent.currency).lower()
    money.check(given.get("amount", intent.amount), currency)
    _check_words(given)
    attach(state, intent, given)
    intent.currency, intent.amount = currency, given.get("amount", intent.amount)
    intent.metadata = merged(intent.metadata, given)
    _describe(intent, given)


def confirm_again(state: State, intent: Intent, given: dict[str, Any], by_shopper: bool) -> None:
    """``POST /v1/payment_intents/:id/confirm``: confirmed with what came along."""
    _check_words(given)
    if intent.status in CONFIRMABLE:
        _describe(intent, given)
    confirm(state, intent, given, by_shopper=by_shopper)


def capture(state: State, intent: Intent, given: dict[str, Any]) -> None:
    """``POST /v1/payment_intents/:id/capture``."""
    if intent.status != "requires_capture":
        what = "This PaymentIntent could not be captured"
        raise unexpected(state, intent, what, ("requires_capture",), "captured")
    charge = state.charges[intent.charge or ""]
    amount = given.get("amount_to_capture", intent.amount_capturable)
    final = given.get("final_capture", True)
    if amount < (0 if final and charge.amount_captured else 1):
        # Nothing is an amount only for closing what was captured in parts.
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
    intent.metadata = merged(intent.metadata, given)
    intent.amount_received += amount
    intent.amount_capturable -= amount
    charge.amount_captured += amount
    state.move("captured_from_hold", amount, intent)
    if charge.multicapture:
        state.emit("charge.updated", charge_of(charge))
    if final:
        _close(state, intent, charge)
    elif charge.multicapture:
        state.emit("payment_intent.amount_capturable_updated", intent_of(state, intent))


def cancel(state: State, intent: Intent, reason: str | None) -> None:
    """``POST /v1/payment_intents/:id/cancel``."""
    if reason is not None and reason not in REASONS:
        raise bad_choice("cancellation_reason", REASONS)
    if intent.status not in CANCELABLE:
        what = "You cannot cancel this PaymentIntent"
        raise unexpected(state, intent, what, CANCELABLE, "canceled")
    _end(state, intent, reason)


def lapse(state: State) -> None:
    """Let holds go whose time is over."""
    for intent in list(state.intents.values()):
        charge = state.charge_of(intent)
        if intent.status != "requires_capture" or charge is None:
            continue
        if charge.capture_before is None or state.now() < charge.capture_before:
            continue
        if charge.amount_captured:
            _close(state, intent, charge)
            continue
        _end(state, intent, "automatic")
        state.emit("charge.expired", charge_of(charge))


def merged(before: dict[str, str], given: dict[str, Any]) -> dict[str, str]:
    """Metadata after a request: what is empty takes an entry away, an empty whole takes all."""
    if "metadata" not in given:
        return before
    if not given["metadata"]:
        return {}
    return {name: value for name, value in {**before, **given["metadata"]}.items() if value}


_WAYS = ("confirmation_token", "payment_method_data", "payment_method")


def _end(state: State, intent: Intent, reason: str | None) -> None:
    state.move("released", intent.amount_capturable, intent)
    intent.amount_capturable = 0
    intent.status = "canceled"
    intent.canceled_at = state.now()
    intent.cancellation_reason = reason
    intent.next_action = None
    state.emit("payment_intent.canceled", intent_of(state, intent))


def _close(state: State, intent: Intent, charge: Charge) -> None:
    """The last capture is done: what is left of the hold goes back."""
    state.move("released", intent.amount_capturable, intent)
    intent.amount_capturable = 0
    intent.status = "succeeded"
    charge.captured = True
    state.emit("charge.captured", charge_of(charge))
    if charge.multicapture:
        state.emit("payment_intent.amount_capturable_updated", intent_of(state, intent))
    state.emit("payment_intent.succeeded", intent_of(state, intent))


def _describe(intent: Intent, given: dict[str, Any]) -> None:
    """What a request says of an intent, beside its money and its card."""
    for name in _TEXTS:
        if name in given:
            setattr(intent, name, given[name] or None)
    intent.capture_method = given.get("capture_method", intent.capture_method)
    if "shipping" in given:
        intent.shipping = given["shipping"] or None
    options = given.get("payment_method_options", {}).get("card", {})
    intent.three_d = options.get("request_three_d_secure", intent.three_d)
    if "request_multicapture" in options:
        intent.multicapture = options["request_multicapture"] == "if_available"
    if "capture_method" in options:
        intent.card_capture = options["capture_method"] or None


def _check_together(given: dict[str, Any], confirmed: bool) -> None:
    _check_words(given)
    if not confirmed:
        for name in _ONLY_CONFIRMED:
            if name in given:
                raise unvalidated(
                    f"The parameter `{name}` can only be passed when `confirm` is set to `true`.",
                    code=None,
                    param=name,
                )
    if given.get("automatic_payment_methods") and given.get("allowed_payment_method_types"):
        raise unvalidated(
            "You may only specify one of these parameters: allowed_payment_method_types, "
            "automatic_payment_methods.",
            code=None,
            param="automatic_payment_methods",
        )


def _check_words(given: dict[str, Any]) -> None:
    """Parameters that are one of a few words."""
    card = given.get("payment_method_options", {}).get("card", {})
    options = "payment_method_options[card]"
    for param, value, words in (
        ("capture_method", given.get("capture_method"), _CAPTURES),
        ("setup_future_usage", given.get("setup_future_usage"), ("", "off_session", "on_session")),
        (f"{options}[capture_method]", card.get("capture_method"), ("", "manual")),
        (
            f"{options}[request_multicapture]",
            card.get("request_multicapture"),
            ("if_available", "never"),
        ),
        (
            f"{options}[request_three_d_secure]",
            card.get("request_three_d_secure"),
            ("any", "automatic", "challenge"),
        ),
    ):
        if value is not None and value not in words:
            raise bad_choice(param, tuple(word for word in words if word))


def _redirects(given: dict[str, Any]) -> str | None:
    """Of automatic payment methods, which are on unless something else was said."""
    automatic = given.get("automatic_payment_methods", {})
    redirects: str = automatic.get("allow_redirects", "always")
    if redirects not in ("always", "never"):
        raise bad_choice("automatic_payment_methods[allow_redirects]", ("always", "never"))
    off = automatic.get("enabled") is False or given.get("allowed_payment_method_types")
    return None if off else redirects
