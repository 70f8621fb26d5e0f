"""Disputes: the shopper's bank takes the money back, and perhaps returns it."""

from __future__ import annotations

from .errors import invalid
from .objects import dispute_of
from .records import Dispute, Intent
from .state import State

_TOOK_THE_MONEY = ("needs_response", "under_review")
_KEPT = (*_TOOK_THE_MONEY, "lost")


def open_dispute(
    state: State, intent: Intent, amount: int | None, reason: str, *, inquiry: bool = False
) -> Dispute:
    """The shopper complains to the bank. An inquiry asks and takes nothing."""
    charge = state.charge_of(intent)
    if charge is None or not charge.amount_captured:
        raise invalid(f"{intent.id} has nothing that could be disputed")
    # A bank may take back more than is left; these books stay with money that was there.
    gone = sum(each.amount for each in charge.disputes if each.status in _KEPT)
    left = charge.amount_captured - charge.amount_refunded - gone
    if not 1 <= (left if amount is None else amount) <= left:
        raise invalid(f"{intent.id} has {left} left that could be disputed")
    dispute = Dispute(
        id=state.new_id("dp"),
        charge=charge.id,
        intent=intent.id,
        amount=left if amount is None else amount,
        currency=charge.currency,
        created=state.now(),
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
    )
    charge.disputes.append(dispute)
    state.disputes[dispute.id] = dispute
    state.emit("charge.dispute.created", dispute_of(dispute, charge.card))
    if not inquiry:
        state.move("disputed", dispute.amount, intent, dispute.id)
        state.emit("charge.dispute.funds_withdrawn", dispute_of(dispute, charge.card))
    return dispute


def close(state: State, dispute: Dispute, verdict: str) -> None:
    """The bank has decided: ``won`` or ``lost``, seen from the shop."""
    charge, intent = state.charges[dispute.charge], state.intents[dispute.intent]
    was = dispute.status
    if was == "warning_needs_response":
        dispute.status = "warning_closed"
    elif was in _TOOK_THE_MONEY and verdict in ("won", "lost"):
        dispute.status = verdict
    else:
        raise invalid(f"A dispute that is {was} cannot become {verdict}.")
    if dispute.status == "won":
        state.move("dispute_won", dispute.amount, intent, dispute.id)
        state.emit("charge.dispute.funds_reinstated", dispute_of(dispute, charge.card))
    state.emit("charge.dispute.closed", dispute_of(dispute, charge.card), status=was)
