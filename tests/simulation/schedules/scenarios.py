"""The scripted scenarios: what the shop asks, what the payer does, what must come of it.

A scenario returns what the shopper may have paid in the end. Another sum is right only when
a person was asked to look.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from omniman_payment_core.records import Topic

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
    stage.ask(Topic.CONFIRM, amount_q=500, final=False)
    return (800, 1000) if stage.charges() else (800,)


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
    stage.ask(Topic.REFUND, amount_q=500)
    return (200,)


def refunds_beyond_the_capture(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.CHARGE, amount_q=1000)
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
    return (0,)


def refund_that_fails_later(stage: Stage) -> Collection[int]:
    stage.order()
    behaviour = {"refund": "pending"}
    stage.ask(Topic.CHARGE, amount_q=1000, payment_method={"behaviour": behaviour})
    stage.ask(Topic.REFUND, amount_q=400)
    stage.until_settled()
    stage.bank_refuses_refunds()
    stage.live(hours=2)
    return (1000,)


def hold_that_lapses(stage: Stage) -> Collection[int]:
    stage.order()
    stage.ask(Topic.HOLD, amount_q=1000, payment_method={"behaviour": {"expires_in": 600}})
    stage.live(hours=2)
    stage.ask(Topic.CONFIRM)
    return (0, 1000) if stage.charges() else (0,)


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
    )
}


def plays(scenario: str, strength: str) -> bool:
    """Whether a scenario has a certain end at this kind of gateway."""
    if scenario == refunded_at_the_gateway_meanwhile.__name__:
        # Six plain fields do not say whose refund made a payment partially refunded.
        return not strength.startswith("five_methods")
    return True
