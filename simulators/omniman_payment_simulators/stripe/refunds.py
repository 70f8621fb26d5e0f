"""Refunds: whole, in parts, pending, and failing later: docs.stripe.com/refunds."""

from __future__ import annotations

from typing import Any

from . import money
from .errors import invalid, missing_resource, unvalidated
from .intents import merged
from .objects import charge_of, refund_of
from .records import Charge, Intent, Refund
from .standing import bad_choice
from .state import State

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(state: State, given: dict[str, Any]) -> Refund:
    """``POST /v1/refunds``."""
    intent, charge = _target(state, given)
    reason = given.get("reason")
    if reason is not None and reason not in REASONS:
        raise bad_choice("reason", REASONS)
    left = charge.amount_captured - charge.amount_refunded
    if any(
        dispute.status in ("needs_response", "under_review", "lost") for dispute in charge.disputes
    ):
        raise invalid(
            f"Charge {charge.id} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if left <= 0:
        raise invalid(
            f"Charge {charge.id} has already been refunded.", code="charge_already_refunded"
        )
    amount = given.get("amount", left)
    if amount < 1:
        raise unvalidated(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > left:
        whole = charge.amount_refunded == 0
        raise invalid(
            f"Refund amount ({money.text(amount, charge.currency)}) is greater than "
            + ("charge amount" if whole else "unrefunded amount on charge")
            + f" ({money.text(left, charge.currency)})",
            param="amount",
        )
    before = charge.amount_refunded
    refund = Refund(
        id=state.new_id("re"),
        charge=charge.id,
        intent=intent.id,
        amount=amount,
        currency=charge.currency,
        created=state.now(),
        status="pending" if charge.card.refund == "pending" else "succeeded",
        reason=reason,
        metadata=merged({}, given),
        pending_reason="processing" if charge.card.refund == "pending" else None,
        will_fail=charge.card.refund == "fail",
    )
    charge.refunds.append(refund)
    state.refunds[refund.id] = refund
    state.move("refunded", amount, intent, refund.id)
    state.emit("refund.created", refund_of(refund))
    state.emit("charge.refunded", charge_of(charge), amount_refunded=before)
    return refund


_AFTER = {
    "pending": ("requires_action", "succeeded", "failed", "canceled"),
    "requires_action": ("pending", "succeeded", "failed", "canceled"),
    # The shopper's bank can send the money back long after it was said to have arrived.
    "succeeded": ("failed",),
}
_NOTHING_WENT = ("failed", "canceled")


def settle(state: State, refund: Refund, status: str) -> None:
    """A refund goes on: to its end, or to another step on its way there."""
    if status == refund.status and status not in _NOTHING_WENT:
        return
    if status not in _AFTER.get(refund.status, ()):
        raise invalid(f"A refund that is {refund.status} cannot become {status}.")
    was, refund.status = refund.status, status
    if status in _NOTHING_WENT:
        if status == "failed":
            refund.failure_reason = "expired_or_canceled_card"
        intent = state.intents[refund.intent]
        state.move("refund_failed", refund.amount, intent, refund.id)
    state.emit("refund.updated", refund_of(refund), status=was)
    state.emit("charge.refund.updated", refund_of(refund), status=was)
    if status == "failed":
        state.emit("refund.failed", refund_of(refund), status=was)


def cancel(state: State, refund: Refund) -> None:
    """``POST /v1/refunds/:id/cancel``: only while the shopper has still to do something."""
    if refund.status != "requires_action":
        raise invalid(
            f"This refund cannot be canceled because it has a status of {refund.status}. Only a "
            "refund with a status of requires_action may be canceled."
        )
    settle(state, refund, "canceled")


def update(state: State, refund: Refund, given: dict[str, Any]) -> None:
    """``POST /v1/refunds/:id``."""
    refund.metadata = merged(refund.metadata, given)
    state.emit("refund.updated", refund_of(refund))
    state.emit("charge.refund.updated", refund_of(refund))


def time_passed(state: State) -> None:
    """Banks have done their work on what was under way."""
    for refund in list(state.refunds.values()):
        old = state.now() - refund.created >= 3600
        if old and refund.will_fail and refund.status == "succeeded":
            settle(state, refund, "failed")
        elif old and refund.status == "pending":
            settle(state, refund, "succeeded")


def _target(state: State, given: dict[str, Any]) -> tuple[Intent, Charge]:
    number, charge_id = given.get("payment_intent"), given.get("charge")
    if number:
        intent = state.intent(number, "payment_intent")
    elif charge_id:
        known = state.charges.get(charge_id)
        if known is None:
            raise missing_resource("charge", charge_id, "charge")
        intent = state.intents[known.intent]
    else:
        raise unvalidated(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code=None,
            param=None,
        )
    charge = state.charge_of(intent)
    if charge is None or not charge.amount_captured:
        raise invalid(
            f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    return intent, charge
