"""Mutants of the rules about amounts, cancelling, refunds and late money."""

from __future__ import annotations

import pytest

from omniman_payment_core.decisions import (
    absorbing,
    cancelling,
    capture,
    deciding,
    late,
    observing,
    opening,
    refund_facts,
    refunding,
    terms,
)
from omniman_payment_core.decisions.draft import Draft

from .seams import replace, rewrite


def refunds_are_not_reserved(patch: pytest.MonkeyPatch) -> None:
    """What is refundable forgets the refunds that are under way."""
    rewrite(patch, Draft.refundable_q, (" - reserved", ""))


def refund_is_not_limited(patch: pytest.MonkeyPatch) -> None:
    """The amount of a refund comes from the payload, whatever is left."""
    rewrite(patch, refunding.decide_refund, ("amount > left or amount <= 0", "amount <= 0"))


def capture_is_not_limited(patch: pytest.MonkeyPatch) -> None:
    """The amount of a capture comes from the payload, whatever is held."""
    rewrite(patch, capture.decide_capture, ("if amount > payment.open_q:", "if amount <= 0:"))


def captures_do_not_wait_for_each_other(patch: pytest.MonkeyPatch) -> None:
    """A part is captured while another one may be on its way."""
    rewrite(patch, capture.decide_capture, ("if blocked(draft):", "if draft.ended:"))


def refunds_do_not_wait_for_each_other(patch: pytest.MonkeyPatch) -> None:
    """A refund leaves while something else may be on its way."""
    rewrite(patch, refunding.decide_refund, ("if blocked(draft):", "if draft.ended:"))


def capture_waits_behind_a_parked_hold(patch: pytest.MonkeyPatch) -> None:
    """Nobody tells a directive that what it waits for is waiting for a person."""
    rewrite(
        patch,
        capture.blocked,
        ("operation.state == OperationState.PARKED", "operation.state == 'never'"),
    )


def capture_after_the_cancellation(patch: pytest.MonkeyPatch) -> None:
    """The money of a cancelled order is taken all the same."""
    rewrite(patch, capture._answer_without_call, ("draft.cancelled", "draft.order is None"))


def opened_after_the_cancellation(patch: pytest.MonkeyPatch) -> None:
    """A payment that was never sent leaves although its order is cancelled."""
    replace(patch, opening._withdrawn, lambda draft, operation: False)


def second_payment_beside_a_living_one(patch: pytest.MonkeyPatch) -> None:
    """A new attempt begins while the one before holds money or waits for some."""
    rewrite(
        patch,
        opening._may_open,
        ("if unfinished is not None:", "if unfinished is not None and draft.ended:"),
    )


def cancel_forgets_what_is_in_flight(patch: pytest.MonkeyPatch) -> None:
    """A cancellation does not wait for the hold that is on its way, nor come back for it."""
    rewrite(patch, cancelling.decide_cancel, ("elif not blocked(draft):", "elif True:"))
    rewrite(patch, cancelling._void, ("elif under_way or payment.open_q:", "elif payment.open_q:"))
    rewrite(patch, late.watch_for_late_money, ("_void_late_hold(draft)", "pass"))


def late_hold_is_kept(patch: pytest.MonkeyPatch) -> None:
    """A hold that comes after the cancellation stays."""
    rewrite(patch, late.watch_for_late_money, ("_void_late_hold(draft)", "pass"))


def late_money_is_ignored(patch: pytest.MonkeyPatch) -> None:
    """Money for an order that no longer wants it is booked, and nobody hears of it."""
    replace(patch, late.watch_for_late_money, lambda draft, before: None)


def refund_failing_later_is_ignored(patch: pytest.MonkeyPatch) -> None:
    """A refund that succeeded once has succeeded for ever."""
    rewrite(
        patch,
        refund_facts._move_refund,
        (
            "if status is refund.status or status is RefundStatus.PENDING:",
            "if status is refund.status or status is not RefundStatus.SUCCEEDED:",
        ),
    )


def refused_refund_stays_reserved(patch: pytest.MonkeyPatch) -> None:
    """The amount of a refund that never happened is kept back for ever."""
    replace(patch, refunding.release, lambda draft, operation: None)


def exhaustion_is_failure(patch: pytest.MonkeyPatch) -> None:
    """After enough attempts without an answer the answer is no."""
    rewrite(
        patch,
        deciding._give_up,
        ("draft.settle_operation(operation, OperationState.PARKED)",
         "draft.settle_operation(operation, OperationState.REFUSED)"),
    )  # fmt: skip


def currency_is_believed(patch: pytest.MonkeyPatch) -> None:
    """An answer in another currency is booked as if it were in ours."""
    replace(patch, absorbing._border, lambda draft, result: True)


def any_transaction_is_ours(patch: pytest.MonkeyPatch) -> None:
    """An answer about another transaction is booked as if it were about ours."""
    replace(patch, absorbing._about_another, lambda draft, result: False)


def amount_is_believed(patch: pytest.MonkeyPatch) -> None:
    """Nobody hears that the gateway has the payment with another amount."""
    replace(patch, observing._check_amount, lambda draft, seen: None)


def another_attempts_money_is_adopted(patch: pytest.MonkeyPatch) -> None:
    """A search may bring up the transaction of another payment of the order."""
    rewrite(patch, absorbing._fits, ("and found not in taken", ""))


def rerouted_by_the_configuration(patch: pytest.MonkeyPatch) -> None:
    """A payment goes to whatever account bears its account's name today."""
    replace(patch, terms.check_binding, lambda account, now, begun_with: None)


def lapse_is_ignored(patch: pytest.MonkeyPatch) -> None:
    """A hold that the gateway let go is still counted upon."""
    rewrite(
        patch,
        observing._ending,
        ("if status in (S.CANCELLED, S.EXPIRED) and", "if status == S.CANCELLED and"),
        ("elif released and draft.looked and", "elif status is None and"),
    )
