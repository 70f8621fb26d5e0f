"""The scripted scenarios: what the shop asks, what the payer does, what must come of it.

A scenario returns what the shopper may have paid in the end. Another sum is right only when
a person was asked to look.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from omniman_payment_core.decisions import Rules
from omniman_payment_core.records import DirectiveStatus, Topic
from omniman_payment_core.values import RefundStatus

from ..invariants import hold
from .stage import Stage

Scenario = Callable[[Stage], Collection[int]]


def hold_and_confirm(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.HOLD, amount_q=1000)
    stage.until_settled()
    stage.ask(Topic.CONFIRM)
    return (1000,)


def hold_and_cancel(stage: Stage) -> Collection[int]:
    stage.order(late_money="refund")
    stage.ask(Topic.HOLD, amount_q=1000)
    stage.until_settled()
    stage.store.cancel_order("O1")
    stage.ask(Topic.CANCEL)
    return (0,)


def charge(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000)
    return (1000,)


def charge_paid_by_code(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000, payment_method={"behaviour": {"qr": True}})
    stage.ask(Topic.CONFIRM)
    stage.live(minutes=20)
    stage.payer("pay")
    return (1000,) if stage.transaction() else (0,)


def hold_authenticated_by_the_payer(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.HOLD, amount_q=1000, payment_method={"behaviour": {"authenticate": True}})
    stage.ask(Topic.CONFIRM)
    stage.live(minutes=20)
    stage.payer("confirm_3ds")
    return (1000,) if stage.transaction() else (0,)


def two_partial_captures(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.HOLD, amount_q=1000)
    stage.ask(Topic.CONFIRM, amount_q=300, final=False)
    stage.ask(Topic.CONFIRM, amount_q=200, final=False)
    return (1000,) if stage.charges() else (500,)


def capture_and_cancel_at_once(stage: Stage) -> Collection[int]:
    stage.order(late_money="refund")
    stage.ask(Topic.HOLD, amount_q=1000)
    stage.until_settled()
    stage.ask(Topic.CONFIRM)
    stage.during_call(1, lambda: stage.cancel())
    return (0,)


def two_partial_refunds(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000)
    stage.ask(Topic.REFUND, amount_q=300)
    stage.ask(Topic.REFUND, amount_q=200)
    return (500,)


def refunds_beyond_the_capture(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000, payment_method={"behaviour": {"refund": "pending"}})
    stage.ask(Topic.REFUND, amount_q=700)
    stage.ask(Topic.REFUND, amount_q=600)
    return (300, 400)


def one_refund_asked_for_twice(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000)
    stage.until_settled()
    for _ in range(2):
        stage.ask(Topic.REFUND, "the-refund", amount_q=400)
    return (600,)


def cancelled_while_the_hold_is_made(stage: Stage) -> Collection[int]:
    stage.order(late_money="refund")
    stage.ask(Topic.HOLD, amount_q=1000)
    stage.during_call(1, lambda: stage.cancel())
    stage.until_settled()
    stage.nothing_is_kept_after(hours=1)
    return (0,)


def refund_that_fails_later(stage: Stage) -> Collection[int]:
    stage.order()
    behaviour = {"refund": "fails_later"}
    stage.ask(Topic.CHARGE, amount_q=1000, payment_method={"behaviour": behaviour})
    stage.ask(Topic.REFUND, amount_q=400)
    return (1000,)


def hold_that_lapses(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.HOLD, amount_q=1000, payment_method={"behaviour": {"expires_in": 600}})
    stage.live(hours=2)
    stage.ask(Topic.CONFIRM)
    stage.until_settled()
    known = [payment.open_q for payment in stage.store.payments.values()]
    hold(
        "L02 held",
        bool(stage.struck) or known == [0],
        f"lapsed long ago, and the books say {known}",
    )
    return (1000,) if stage.charges() else (0,)


def paid_after_the_code_expired(stage: Stage) -> Collection[int]:
    stage.order(late_money="refund")
    behaviour = {"qr": True, "expires_in": 600}
    stage.ask(Topic.CHARGE, amount_q=1000, payment_method={"behaviour": behaviour})
    stage.live(hours=1)
    stage.cancel()
    stage.until_settled()
    stage.payer("pay", late=True)
    return (0,)


def opened_twice(stage: Stage) -> Collection[int]:
    stage.order()
    for _ in range(2):
        stage.ask(Topic.CHARGE, amount_q=1000)
    return (1000,)


def notified_before_the_answer(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.HOLD, amount_q=1000)
    stage.until_settled()
    stage.ask(Topic.CONFIRM)
    stage.during_call(1, lambda: stage.knock(stage.transaction() or ""))
    return (1000,)


def declined_then_tried_anew(stage: Stage) -> Collection[int]:
    stage.order()
    behaviour = {"decline": "insufficient_funds"}
    stage.ask(Topic.CHARGE, amount_q=1000, payment_method={"behaviour": behaviour})
    stage.until_settled()
    stage.ask(Topic.CHARGE, amount_q=1000, attempt=2)
    return (1000,)


def refunded_at_the_gateway_meanwhile(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000)
    stage.until_settled()
    stage.ask(Topic.REFUND, amount_q=300)
    stage.during_call(1, lambda: stage.payer("refund_outside", amount_q=200))
    return (500,)


def worker_asleep_before_its_call(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000)
    stage.turn()
    stage.put_to_sleep()
    stage.live(hours=30)
    stage.wake_up()
    return (1000,)


def worker_asleep_before_it_writes_down(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000)
    stage.turn()
    stage.turn()
    stage.put_to_sleep()
    stage.live(hours=1)
    learned = [worker for worker in stage.wake_up() if worker.answers]
    stage.turn()
    stage.turn()
    if any(worker in stage.workers for worker in learned):
        known = [payment.captured_q for payment in stage.store.payments.values()]
        hold("I17 facts count", stage.blurred() or known == [1000], known)
    return (1000,)


def answer_lost_and_a_day_of_rest(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000)
    stage.turn()
    stage.turn()
    stage.nobody_works(hours=30)
    return (1000,)


def slow_look_beside_a_late_request(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000)
    stage.fault_at_call(1, "late")
    stage.turn()
    stage.nap(seconds=60)
    stage.turn()
    stage.turn()
    stage.nap(seconds=580)
    stage.turn()
    stage.turn()
    stage.nap(seconds=60)
    return (1000,)


def old_attempt_beside_a_cancellation(stage: Stage) -> Collection[int]:
    stage.order(late_money="refund")
    stage.ask(Topic.CHARGE, amount_q=1000)
    stage.turn()
    stage.put_to_sleep()
    stage.nap(seconds=100)
    stage.fault_at_call(2, "unanswered")
    stage.live(seconds=1)
    stage.wake_up()
    stage.turn()
    stage.turn()
    stage.cancel()
    return (0,)


def opened_twice_otherwise(stage: Stage) -> Collection[int]:
    stage.order()
    for basket in ("first", "second"):
        stage.ask(Topic.CHARGE, amount_q=1000, metadata={"basket": basket})
    stage.until_settled()
    for operation in stage.store.operations.values():
        written = {d.identity: d.payload for d in stage.store.directives.values()}
        asked = stage.asked_under(operation.key)
        meant = written[operation.cause]["metadata"]["basket"]
        hold("I07 parameters", asked in (None, meant), f"{asked} was sent, {meant} written")
    return (1000,)


def paid_while_being_looked_at(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000, payment_method={"behaviour": {"qr": True}})
    stage.live(minutes=5)
    name = stage.transaction()
    if name is None:
        return (0,)
    stage.knock(name)
    stage.turn()
    stage.turn()
    stage.payer("pay")
    stage.live(minutes=1)
    known = [payment.status.value for payment in stage.store.payments.values()]
    hold("L06", bool(stage.struck) or known == ["captured"], f"paid a minute ago: {known}")
    return (1000,)


def paid_and_nobody_knocks(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000, payment_method={"behaviour": {"qr": True}})
    stage.live(minutes=5)
    name = stage.transaction()
    if name is None:
        return (0,)
    stage.gateway.pay(name)
    stage.live(hours=5)
    known = [payment.status.value for payment in stage.store.payments.values()]
    hold("L06", stage.flagged() or known == ["captured"], f"paid five hours ago: {known}")
    return (1000,)


def captures_beyond_the_hold(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.HOLD, amount_q=1000)
    stage.ask(Topic.CONFIRM, amount_q=700, final=False)
    stage.ask(Topic.CONFIRM, amount_q=600, final=False)
    return (1000,) if stage.charges() else (600, 700)


def capture_after_the_order_was_cancelled(stage: Stage) -> Collection[int]:
    stage.order(late_money="refund")
    stage.ask(Topic.HOLD, amount_q=1000)
    stage.until_settled()
    stage.store.cancel_order("O1")
    stage.ask(Topic.CONFIRM)
    stage.until_settled()
    stage.ask(Topic.CANCEL)
    return (0,)


def second_attempt_beside_the_first(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000)
    stage.ask(Topic.CHARGE, amount_q=1000, attempt=2)
    return (1000,)


def authenticated_after_the_cancellation(stage: Stage) -> Collection[int]:
    stage.order(late_money="refund")
    stage.ask(Topic.HOLD, amount_q=1000, payment_method={"behaviour": {"authenticate": True}})
    stage.until_settled()
    stage.store.cancel_order("O1")
    stage.payer("confirm_3ds")
    stage.nothing_is_kept_after(hours=1)
    return (0,)


def cancelled_twice_after_it_was_paid(stage: Stage) -> Collection[int]:
    stage.order(late_money="refund")
    stage.ask(Topic.CHARGE, amount_q=1000, payment_method={"behaviour": {"refund": "pending"}})
    stage.until_settled()
    stage.ask(Topic.REFUND, amount_q=400)
    stage.until_settled()
    stage.cancel()
    stage.ask(Topic.CANCEL)
    stage.until_settled()
    failed = [d for d in stage.store.directives.values() if d.status == DirectiveStatus.FAILED]
    hold("one refund", stage.blurred() or not failed, failed)
    return (0,)


def refund_refused(stage: Stage) -> Collection[int]:
    stage.order()
    behaviour = {"refund": "refund_refused"}
    stage.ask(Topic.CHARGE, amount_q=1000, payment_method={"behaviour": behaviour})
    stage.ask(Topic.REFUND, amount_q=600)
    stage.until_settled()
    reserved = [r for r in stage.store.refunds.values() if r.status == RefundStatus.PENDING]
    hold("nothing reserved", stage.flagged() or not reserved, reserved)
    return (1000,)


def gateway_that_never_answers(stage: Stage) -> Collection[int]:
    stage.order()
    stage.rules = Rules(max_attempts=3)
    stage.nobody_works()
    stage.ask(Topic.HOLD, amount_q=1000)
    stage.until_settled()
    stage.ask(Topic.CONFIRM)
    for number in range(1, 30):
        stage.fault_at_call(number, "unanswered")
    stage.until_settled()
    stage.fair_weather()
    return (1000,)


def gateway_that_cannot_be_reached(stage: Stage) -> Collection[int]:
    stage.order()
    stage.rules = Rules(max_attempts=3)
    stage.nobody_works()
    stage.ask(Topic.HOLD, amount_q=1000)
    stage.ask(Topic.CONFIRM)
    for number in range(1, 30):
        stage.fault_at_call(number, "unsent")
    stage.until_settled()
    stage.fair_weather()
    return (1000,)


def account_replaced_meanwhile(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000)
    stage.fault_at_call(1, "lost")
    for _ in range(3):
        stage.turn()
    before = stage.account
    another = stage.another_account()
    stage.live(minutes=10)
    hold("I16", not another.transactions(), another.transactions())
    stage.account = before
    return (1000,)


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        hold_and_confirm,
        hold_and_cancel,
        charge,
        charge_paid_by_code,
        hold_authenticated_by_the_payer,
        two_partial_captures,
        capture_and_cancel_at_once,
        two_partial_refunds,
        refunds_beyond_the_capture,
        one_refund_asked_for_twice,
        cancelled_while_the_hold_is_made,
        refund_that_fails_later,
        hold_that_lapses,
        paid_after_the_code_expired,
        opened_twice,
        notified_before_the_answer,
        declined_then_tried_anew,
        refunded_at_the_gateway_meanwhile,
        worker_asleep_before_its_call,
        worker_asleep_before_it_writes_down,
        answer_lost_and_a_day_of_rest,
        slow_look_beside_a_late_request,
        old_attempt_beside_a_cancellation,
        opened_twice_otherwise,
        paid_while_being_looked_at,
        paid_and_nobody_knocks,
        captures_beyond_the_hold,
        capture_after_the_order_was_cancelled,
        second_attempt_beside_the_first,
        authenticated_after_the_cancellation,
        cancelled_twice_after_it_was_paid,
        refund_refused,
        gateway_that_never_answers,
        gateway_that_cannot_be_reached,
        account_replaced_meanwhile,
    )
}


def plays(scenario: str, strength: str) -> bool:
    """Whether a scenario has a certain end at this kind of gateway."""
    if scenario == refunded_at_the_gateway_meanwhile.__name__:
        # Six plain fields do not say whose refund made a payment partially refunded.
        return not strength.startswith("five_methods")
    return True
