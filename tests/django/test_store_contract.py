"""What every store promises, shown on the one in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.decisions import sync_of
from omniman_payment_core.notices import PaymentChange
from omniman_payment_core.records import (
    CallRecord,
    Case,
    Changes,
    DirectiveChange,
    DirectiveStatus,
    Event,
    EventKind,
    Flag,
    NewDirective,
    Operation,
    Payment,
    Refund,
    Source,
    StatusMove,
    Trigger,
    evolve,
)
from omniman_payment_core.values import NextAction, PaymentStatus, RefundStatus

from .stores import LEASE, Kit, claim, completes, hold, settle, waits

SECOND = timedelta(seconds=1)


def payment_of(kit: Kit, ref: str, **fields: Any) -> Payment:
    now = kit.clock.now()
    return Payment(
        **{
            "id": f"pay-{ref}", "order_ref": ref, "attempt": 1, "flow": "authorize_capture",
            "account": "mock", "fingerprint": "f", "livemode": False, "plugin": "mock",
            "plugin_version": "1", "currency": "BRL", "amount_q": 1000, "created_at": now,
            "version": 1, **fields,
        }
    )  # fmt: skip


def operation_of(payment: Payment, **fields: Any) -> Operation:
    return Operation(
        **{
            "key": f"omp_{payment.id}", "payment_id": payment.id, "kind": "authorize",
            "ordinal": 1, "cause": "c", "params_hash": "h", "amount_q": 1000, "currency": "BRL",
            "state": "sent", "created_at": payment.created_at, **fields,
        }
    )  # fmt: skip


def event_of(payment: Payment, key: str = "opened") -> Event:
    return Event(
        payment.id, EventKind.OPENED, 1000, f"{payment.id}:{key}", Source.CALL, "w1",
        payment.created_at, data={"account": "mock"},
    )  # fmt: skip


def opens(kit: Kit, **fields: Any) -> Any:
    """A decision that opens a payment and lets its directive run."""

    def decide(case: Case, now: Any) -> Changes:
        payment = payment_of(kit, case.directive.order_ref, **fields)
        return Changes(
            payment=payment,
            payment_is_new=True,
            new_operations=(operation_of(payment),),
            events=(event_of(payment),),
            summary={"status": payment.status.value, "transaction_id": None},
        )

    return decide


def ends(case: Case, **changes: Any) -> Changes:
    change = DirectiveChange(DirectiveStatus.COMPLETED, case.directive.attempts)
    return Changes(directive=change, **changes)


def orders(kit: Kit, *refs: str) -> None:
    for ref in refs:
        kit.order(ref)


# -- claiming ------------------------------------------------------------------------------


def test_the_oldest_due_directives_come_first(kit: Kit) -> None:
    orders(kit, "A", "B", "C", "D")
    now = kit.clock.now()
    kit.store.enqueue(
        [
            hold("A", available_at=now - SECOND),
            hold("B", available_at=now - 3 * SECOND),
            hold("C", available_at=now + SECOND),
            hold("D", available_at=now - 2 * SECOND),
        ]
    )
    assert [w.case.directive.order_ref for w in claim(kit, limit=2)] == ["B", "D"]
    assert [w.case.directive.order_ref for w in claim(kit, limit=2)] == ["A"]
    assert claim(kit) == []
    kit.clock.advance(SECOND)
    assert [w.case.directive.order_ref for w in claim(kit)] == ["C"]


def test_one_order_has_one_directive_running_and_blocks_no_other(kit: Kit) -> None:
    orders(kit, "A", "B")
    kit.store.enqueue([hold("A") for _ in range(5)] + [hold("B")])
    first = claim(kit, limit=2)
    assert [w.case.directive.order_ref for w in first] == ["A", "B"]
    assert claim(kit) == []
    settle(kit, (first[0].case.directive, lambda case, now, fenced: ends(case)))
    assert [w.case.directive.order_ref for w in claim(kit)] == ["A"]


def test_a_claim_is_stored_as_a_lease_with_a_higher_fence(kit: Kit) -> None:
    orders(kit, "A")
    [number] = kit.store.enqueue([hold("A", key="once")])
    [written] = claim(kit)
    directive = kit.directive(number)
    assert written.case.directive == directive
    assert directive.status == DirectiveStatus.RUNNING
    assert (directive.fence, directive.attempts, directive.lease_owner) == (1, 0, "w1")
    assert directive.lease_until == directive.available_at == kit.clock.now() + LEASE
    assert directive.identity == "once"
    assert directive.payload == {"payment_method": {"token": "t"}}


def test_an_expired_lease_is_taken_over_and_counts_an_attempt(kit: Kit) -> None:
    orders(kit, "A")
    kit.store.enqueue([hold("A")])
    claim(kit)
    kit.clock.advance(LEASE - SECOND)
    assert claim(kit, owner="w2") == []
    kit.clock.advance(SECOND)
    [again] = claim(kit, owner="w2")
    assert (again.case.directive.fence, again.case.directive.attempts) == (2, 1)
    assert again.case.directive.lease_owner == "w2"


def test_a_directive_of_a_missing_order_is_claimed_without_one(kit: Kit) -> None:
    kit.store.enqueue([hold("gone"), hold("gone")])
    [written] = claim(kit)
    assert written.case.order is None
    assert claim(kit) == []


def test_a_case_has_all_of_its_order_and_nothing_of_another(kit: Kit) -> None:
    orders(kit, "A", "B")
    kit.store.enqueue([hold("A"), hold("A", key="second"), hold("B")])
    [a, b] = claim(kit, decide=opens(kit))
    assert b.case.others == ()
    assert [(o.identity, o.status) for o in a.case.others] == [("second", "pending")]
    [case] = [w.case for w in settle(kit, (a.case.directive, lambda c, n, f: ends(c)))]
    assert case.order is not None
    assert (case.order.ref, case.order.total_q, case.order.cancelled) == ("A", 1000, False)
    assert [p.id for p in case.payments] == ["pay-A"]
    assert [o.key for o in case.operations] == ["omp_pay-A"]
    assert case.refunds == ()


def test_a_cancelled_order_is_seen_as_cancelled(kit: Kit) -> None:
    orders(kit, "A")
    kit.cancel_order("A")
    kit.store.enqueue([hold("A")])
    [written] = claim(kit)
    assert written.case.order is not None
    assert written.case.order.cancelled


def test_what_is_settled_at_the_claim_is_not_claimed_again(kit: Kit) -> None:
    orders(kit, "A")
    [number] = kit.store.enqueue([hold("A")])
    claim(kit, decide=completes)
    directive = kit.directive(number)
    assert directive.status == DirectiveStatus.COMPLETED
    assert directive.result == {"done": True}
    assert (directive.lease_owner, directive.lease_until) == ("", None)
    kit.clock.advance(LEASE * 2)
    assert claim(kit) == []


# -- records -------------------------------------------------------------------------------


def test_every_field_of_a_payment_comes_back_as_it_was_written(kit: Kit) -> None:
    orders(kit, "A")
    kit.store.enqueue([hold("A")])
    now = kit.clock.now()
    odd = now + timedelta(microseconds=123_456)
    [w] = claim(kit, decide=opens(kit, next_action=NextAction("show_qr", {"qr": "ç", "n": 1})))
    opened = payment_of(kit, "A", next_action=NextAction("show_qr", {"qr": "ç", "n": 1}))
    assert kit.payment("pay-A") == opened
    full = evolve(
        opened, transaction_id="tx", status=PaymentStatus.PARTIALLY_REFUNDED, authorized_q=1000,
        captured_q=900, released_q=100, refund_pending_q=5, refunded_q=50, disputed_q=1,
        actions_open=1, failures=2, voids=3, expiries=4, next_action=None, expires_at=odd,
        hold_expires_at=now, cancel_requested=True, fired=("on_payment_hold",), checks=7,
        next_check_at=odd, version=2,
    )  # fmt: skip
    settle(kit, (w.case.directive, lambda c, n, f: Changes(payment=full)))
    assert kit.payment("pay-A") == full


def test_operations_and_refunds_come_back_as_they_were_written(kit: Kit) -> None:
    orders(kit, "A")
    kit.store.enqueue([hold("A")])
    [w] = claim(kit, decide=opens(kit))
    now = kit.clock.now()
    payment = payment_of(kit, "A")
    sent = operation_of(
        payment, first_sent_at=now, last_sent_at=now + SECOND, window_until=now + LEASE,
        address="tx", gateway_reference="g", fence=3, attempts=2, code="x", evidence="e",
        state="refused",
    )  # fmt: skip
    refund = Refund("r1", payment.id, 300, RefundStatus.PENDING, now, reason="why")
    settle(
        kit, (w.case.directive, lambda c, n, f: Changes(operations=(sent,), new_refunds=(refund,)))
    )
    accepted = evolve(refund, status=RefundStatus.SUCCEEDED, accepted=True, reference="re_1")
    [seen] = settle(kit, (w.case.directive, lambda c, n, f: Changes(refunds=(accepted,))))
    assert seen.case.operations == (sent,)
    assert seen.case.refunds == (refund,)
    [seen] = settle(kit, (w.case.directive, lambda c, n, f: ends(c)))
    assert seen.case.refunds == (accepted,)


@pytest.mark.parametrize(
    "text", ["a\x00b", "\ud800 alone", 'quote " and \\u0000 spelled', "ção 😀"]
)
def test_no_text_of_a_gateway_can_stop_a_settlement(kit: Kit, text: str) -> None:
    orders(kit, "A")
    [number] = kit.store.enqueue([hold("A")])
    [w] = claim(kit)
    settle(
        kit,
        (
            w.case.directive,
            lambda c, n, f: Changes(
                directive=DirectiveChange("failed", 0, result={"m": text}, last_error=text)
            ),
        ),
    )
    directive = kit.directive(number)
    if "\x00" not in text and "\ud800" not in text:
        assert directive.result == {"m": text}
        assert directive.last_error == text
    assert directive.status == DirectiveStatus.FAILED


def test_the_summary_and_the_triggers_reach_the_order(kit: Kit) -> None:
    orders(kit, "A")
    kit.store.enqueue([hold("A")])
    [w] = claim(kit, decide=opens(kit))
    assert kit.summary("A") == {"status": "pending", "transaction_id": None}
    settle(
        kit,
        (
            w.case.directive,
            lambda c, n, f: ends(
                c, summary={"status": "captured"}, triggers=(Trigger.HOLD, Trigger.CONFIRM)
            ),
        ),
    )
    assert kit.summary("A") == {"status": "captured"}
    assert kit.triggers("A") == ["on_payment_hold", "on_payment_confirm"]


def test_calls_are_kept_and_an_open_flag_is_raised_once(kit: Kit) -> None:
    orders(kit, "A")
    kit.store.enqueue([hold("A")])
    [w] = claim(kit)
    flag = Flag("plugin_fault", "plugin_fault:x", "A", "look", directive_id=w.case.directive.id)
    call = CallRecord(
        "A", "pay-A", "mock", "authorize", "k", 1000, "BRL", 1, "answered", 12, kit.clock.now()
    )
    for _ in range(2):
        settle(kit, (w.case.directive, lambda c, n, f: Changes(flags=(flag, flag), call=call)))
    assert (kit.count("flags"), kit.count("calls")) == (1, 2)


# -- settling ------------------------------------------------------------------------------


def test_a_settlement_is_fenced_while_its_lease_holds_and_not_after(kit: Kit) -> None:
    orders(kit, "A")
    kit.store.enqueue([hold("A")])
    [old] = claim(kit)
    seen: list[bool] = []

    def resolve(case: Case, now: Any, fenced: bool) -> Changes:
        seen.append(fenced)
        return Changes()

    settle(kit, (old.case.directive, resolve))
    kit.clock.advance(LEASE)
    settle(kit, (old.case.directive, resolve))
    [new] = claim(kit, owner="w2")
    settle(kit, (old.case.directive, resolve))
    settle(kit, (new.case.directive, resolve))
    settle(kit, (new.case.directive, lambda c, n, f: ends(c)))
    settle(kit, (new.case.directive, resolve))
    assert seen == [True, False, False, True, False]


def test_a_stale_worker_adds_its_facts_and_leaves_the_directive_to_the_new_one(kit: Kit) -> None:
    orders(kit, "A")
    [number] = kit.store.enqueue([hold("A")])
    [old] = claim(kit, decide=opens(kit))
    kit.clock.advance(LEASE)
    claim(kit, owner="w2")
    before = kit.directive(number)
    authorized = evolve(payment_of(kit, "A"), authorized_q=1000, version=2)
    fact = event_of(authorized, "authorized")
    [written] = settle(
        kit,
        (old.case.directive, lambda c, n, fenced: Changes(payment=authorized, events=(fact,))),
    )
    assert not written.fenced
    assert kit.payment("pay-A").authorized_q == 1000
    assert kit.count("events") == 2
    assert kit.directive(number) == before


def test_two_settlements_of_one_order_in_a_group_see_each_other(kit: Kit) -> None:
    orders(kit, "A", "B")
    kit.store.enqueue([hold("A"), hold("B")])
    [a, b] = claim(kit, decide=opens(kit))

    def take(case: Case, now: Any, fenced: bool) -> Changes:
        payment = case.payments[0]
        return Changes(
            payment=evolve(
                payment, captured_q=payment.captured_q + 100, version=payment.version + 1
            )
        )

    written = settle(
        kit, (a.case.directive, take), (b.case.directive, take), (a.case.directive, take)
    )
    assert [w.case.directive.order_ref for w in written] == ["A", "B", "A"]
    assert [w.case.payments[0].captured_q for w in written] == [0, 0, 100]
    assert (kit.payment("pay-A").captured_q, kit.payment("pay-A").version) == (200, 3)
    assert kit.payment("pay-B").captured_q == 100


def test_a_payment_changed_behind_our_back_is_not_overwritten(kit: Kit) -> None:
    orders(kit, "A")
    kit.store.enqueue([hold("A")])
    [w] = claim(kit, decide=opens(kit))
    stale = evolve(payment_of(kit, "A"), captured_q=1, version=3)
    with pytest.raises(Exception, match="changed"):
        settle(kit, (w.case.directive, lambda c, n, f: Changes(payment=stale)))
    assert kit.payment("pay-A").captured_q == 0


@pytest.mark.parametrize("what", ["operation", "event", "attempt", "refund"])
def test_what_must_be_there_once_cannot_be_added_twice(kit: Kit, what: str) -> None:
    orders(kit, "A")
    kit.store.enqueue([hold("A")])
    payment = payment_of(kit, "A")
    refund = Refund("r1", payment.id, 300, RefundStatus.PENDING, kit.clock.now())
    [w] = claim(kit, decide=opens(kit))
    settle(kit, (w.case.directive, lambda c, n, f: Changes(new_refunds=(refund,))))
    again = {
        "operation": Changes(new_operations=(operation_of(payment),)),
        "event": Changes(events=(event_of(payment),)),
        "attempt": Changes(payment=evolve(payment, id="another"), payment_is_new=True),
        "refund": Changes(new_refunds=(refund,)),
    }[what]
    with pytest.raises(Exception, match=r"twice|UNIQUE|unique"):
        settle(kit, (w.case.directive, lambda c, n, f: again))


# -- the queue -----------------------------------------------------------------------------


def test_a_known_key_is_not_enqueued_again_whatever_became_of_it(kit: Kit) -> None:
    orders(kit, "A")
    [number] = kit.store.enqueue([hold("A", key="k")])
    assert kit.store.enqueue([hold("A", key="k"), hold("B", key="k")]) == []
    claim(kit, decide=completes)
    assert kit.store.enqueue([hold("A", key="k")]) == []
    assert kit.count("directives") == 1
    assert kit.directive(number).wakes == 0


def test_directives_without_a_key_are_all_kept(kit: Kit) -> None:
    numbers = kit.store.enqueue([hold("A"), hold("A"), hold("B")])
    assert len(set(numbers)) == 3


def test_a_sync_is_one_row_that_is_woken(kit: Kit) -> None:
    orders(kit, "A")
    sync = sync_of("A", "pay-A")
    later = NewDirective(
        sync.topic, "A", sync.payload, sync.dedupe_key, kit.clock.now() + 60 * SECOND
    )
    [number] = kit.store.enqueue([later])
    assert kit.store.enqueue([sync, sync]) == [number, number]
    directive = kit.directive(number)
    assert (directive.wakes, directive.available_at) == (2, kit.clock.now())
    kit.store.enqueue([later])
    assert kit.directive(number).available_at == kit.clock.now()


def test_a_sync_woken_while_it_runs_keeps_its_lease_and_counts_the_wish(kit: Kit) -> None:
    orders(kit, "A")
    [number] = kit.store.enqueue([sync_of("A", "pay-A")])
    [w] = claim(kit)
    kit.store.enqueue([sync_of("A", "pay-A")])
    directive = kit.directive(number)
    assert directive == evolve(w.case.directive, wakes=1)
    [again] = settle(kit, (w.case.directive, lambda c, n, f: ends(c)))
    assert again.case.directive.wakes == 1


def test_a_finished_sync_runs_again_with_fresh_attempts(kit: Kit) -> None:
    orders(kit, "A")
    [number] = kit.store.enqueue([sync_of("A", "pay-A")])
    claim(kit, decide=lambda c, n: Changes(directive=DirectiveChange("failed", 7)))
    kit.clock.advance(SECOND)
    kit.store.enqueue([sync_of("A", "pay-A")])
    directive = kit.directive(number)
    assert (directive.status, directive.attempts) == (DirectiveStatus.PENDING, 0)
    assert directive.available_at == kit.clock.now()


def test_what_a_decision_enqueues_is_committed_with_it(kit: Kit) -> None:
    orders(kit, "A", "B")
    kit.store.enqueue([hold("A"), hold("B")])
    following = (hold("A", key="next"), sync_of("A", "p"), sync_of("A", "p"), hold("A"))
    [a, b] = claim(kit)
    settle(
        kit,
        (a.case.directive, lambda c, n, f: ends(c, new_directives=following)),
        (b.case.directive, lambda c, n, f: ends(c, new_directives=(sync_of("A", "p"),))),
    )
    assert kit.count("directives") == 5
    numbers = kit.store.enqueue([sync_of("A", "p")])
    assert kit.directive(numbers[0]).wakes == 3


def test_who_waits_for_a_payment_is_woken_by_it(kit: Kit) -> None:
    orders(kit, "A", "B")
    later = kit.clock.now() + 300 * SECOND

    def wait(case: Case, now: Any) -> Changes:
        return Changes(
            directive=DirectiveChange(
                DirectiveStatus.PENDING, 0, available_at=later, waiting=True, last_error="not yet"
            )
        )

    kit.store.enqueue([hold("A"), hold("B")])
    [a, b] = claim(kit, decide=wait)
    assert claim(kit) == []
    kit.store.enqueue([hold("A", key="other")])
    [other] = claim(kit)
    settle(kit, (other.case.directive, lambda c, n, f: ends(c, wake=True)))
    woken, asleep = kit.directive(a.case.directive.id), kit.directive(b.case.directive.id)
    assert (woken.waiting, woken.available_at) == (False, kit.clock.now())
    assert (asleep.waiting, asleep.available_at) == (True, later)
    assert [w.case.directive.order_ref for w in claim(kit)] == ["A"]


def test_a_directive_that_retries_keeps_its_count_and_its_reason(kit: Kit) -> None:
    orders(kit, "A")
    [number] = kit.store.enqueue([hold("A")])
    [w] = claim(kit)
    later = kit.clock.now() + timedelta(seconds=3, microseconds=7)
    change = DirectiveChange(DirectiveStatus.PENDING, 1, available_at=later, last_error="timeout")
    settle(kit, (w.case.directive, lambda c, n, f: Changes(directive=change)))
    directive = kit.directive(number)
    assert (directive.attempts, directive.available_at) == (1, later)
    assert (directive.last_error, directive.fence) == ("timeout", 1)
    kit.clock.advance(timedelta(seconds=3, microseconds=6))
    assert claim(kit) == []
    kit.clock.advance(timedelta(microseconds=1))
    assert len(claim(kit)) == 1


def test_a_due_check_enqueues_one_sync_and_is_taken_off(kit: Kit) -> None:
    orders(kit, "A", "B")
    kit.store.enqueue([hold("A"), hold("B")])
    due, later = kit.clock.now() + SECOND, kit.clock.now() + 2 * SECOND

    def open_both(case: Case, now: Any) -> Changes:
        at = due if case.directive.order_ref == "A" else later
        return opens(kit, next_check_at=at)(case, now)

    claim(kit, decide=open_both)
    assert kit.store.arm_checks(10) == 0
    kit.clock.advance(SECOND)
    assert kit.store.arm_checks(10) == 1
    assert kit.store.arm_checks(10) == 0
    assert kit.payment("pay-A").next_check_at is None
    assert kit.payment("pay-B").next_check_at == later
    assert kit.count("directives") == 3
    kit.clock.advance(SECOND)
    assert kit.store.arm_checks(0) == 0
    assert kit.store.arm_checks(10) == 1


# -- telling -------------------------------------------------------------------------------


def test_a_move_is_remembered_until_it_was_told(kit: Kit) -> None:
    orders(kit, "A")
    kit.store.enqueue([hold("A")])

    def move(case: Case, now: Any) -> Changes:
        payment = payment_of(kit, "A", status=PaymentStatus.AUTHORIZED, authorized_q=1000)
        return Changes(
            payment=payment,
            payment_is_new=True,
            move=StatusMove(payment, PaymentStatus.PENDING),
        )

    claim(kit, decide=move)
    minute = timedelta(minutes=1)
    assert kit.store.untold(minute, 10) == []
    kit.clock.advance(minute)
    [change] = kit.store.untold(minute, 10)
    assert change == PaymentChange(
        payment_id="pay-A", order_ref="A", account="mock", previous=PaymentStatus.PENDING,
        status=PaymentStatus.AUTHORIZED, amount_q=1000, currency="BRL", authorized_q=1000,
        captured_q=0, refunded_q=0, disputed_q=0, version=1, at=kit.clock.now() - minute,
    )  # fmt: skip
    assert kit.store.untold(minute, 0) == []
    kit.store.told([change])
    assert kit.store.untold(minute, 10) == []


def test_without_an_audience_no_move_is_remembered(kit: Kit) -> None:
    orders(kit, "A")
    kit.store.enqueue([hold("A")])
    payment = payment_of(kit, "A")
    kit.store.claim(
        owner="w1", limit=1, lease=LEASE, tell=False,
        decide=lambda c, n: Changes(
            payment=payment, payment_is_new=True, move=StatusMove(payment, None)
        ),
    )  # fmt: skip
    assert kit.count("notices") == 0


def test_nothing_asked_for_is_nothing_done(kit: Kit) -> None:
    assert kit.store.settle([], tell=True) == []
    assert kit.store.enqueue([]) == []
    kit.store.told([])
    assert claim(kit, decide=waits) == []
