"""Rules that hold for every history: of the ledger, of amounts, and of a whole shop under fire."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from omniman_payment_core.currencies import KNOWN, decimals, format_amount, normalise_currency
from omniman_payment_core.decisions import sync_of
from omniman_payment_core.decisions.payloads import digest
from omniman_payment_core.engine import Answer, Engine, Work
from omniman_payment_core.engine.gateway import outcome_of
from omniman_payment_core.ledger import advance, blank, fold, status_of, summary_of, trigger_of
from omniman_payment_core.records import (
    DirectiveStatus,
    Event,
    EventKind,
    NewDirective,
    Payment,
    Topic,
    evolve,
)
from omniman_payment_core.values import PaymentResult, PaymentStatus, RefundStatus
from omniman_payment_mock.plugin import make_registration
from omniman_payment_mock.script import Fault
from tests.simulation.invariants import check_always, check_at_rest
from tests.simulation.onlooker import onlooker_of

from .harness import Shop

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BLANK = Payment(
    id="pay-1",
    order_ref="O1",
    attempt=1,
    flow="authorize_capture",
    account="mock",
    fingerprint="f",
    livemode=False,
    plugin="mock",
    plugin_version="1",
    currency="BRL",
    amount_q=1000,
    created_at=NOW,
)

# -- the ledger --------------------------------------------------------------------------------


@st.composite
def facts(draw: st.DrawFn) -> list[Event]:
    count = draw(st.integers(0, 12))
    return [
        Event(
            payment_id="pay-1",
            kind=draw(st.sampled_from(list(EventKind))),
            amount_q=draw(st.integers(0, 1500)),
            dedupe_key=f"fact-{number}",
            source="call",
            actor="test",
            at=NOW,
            data={"was": draw(st.sampled_from([None, *(s.value for s in RefundStatus)]))},
        )
        for number in range(count)
    ]


@given(facts(), st.data())
def test_any_order_and_repetition_of_facts_ends_in_the_same_payment(
    events: list[Event], data: st.DataObject
) -> None:
    once = fold(BLANK, events)
    shuffled = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events)))
                                         if events else events))  # fmt: skip
    assert fold(BLANK, shuffled) == once
    assert fold(once, events) == once, "folding starts from the facts, not from what was known"


@given(facts())
def test_the_status_is_always_a_known_one_and_follows_from_the_amounts(
    events: list[Event],
) -> None:
    payment = blank(BLANK)
    for event in events:
        payment = advance(payment, event)
        assert payment.status in PaymentStatus
        assert status_of(payment) is payment.status
        assert summary_of(payment)["status"] == payment.status.value
        assert payment.open_q >= 0
        if payment.captured_q > 0:
            assert not payment.closed or payment.status is PaymentStatus.REFUNDED
        trigger = trigger_of(payment)
        if trigger is not None:
            assert trigger_of(evolve(payment, fired=(trigger.value,))) is None


@given(st.integers(1, 10**6), st.data())
def test_what_was_authorized_is_captured_released_or_open(total: int, data: st.DataObject) -> None:
    payment, left, number = evolve(BLANK, amount_q=total), total, 0

    def fact(kind: EventKind, amount: int) -> Event:
        return Event("pay-1", kind, amount, f"fact-{number}", "call", "test", NOW)

    payment = advance(payment, fact(EventKind.AUTHORIZED, total))
    while left and number < 8:
        number += 1
        amount = data.draw(st.integers(1, left))
        kind = data.draw(st.sampled_from([EventKind.CAPTURED, EventKind.VOIDED, EventKind.EXPIRED]))
        payment, left = advance(payment, fact(kind, amount)), left - amount
        parts = payment.captured_q + payment.released_q + payment.open_q
        assert parts == payment.authorized_q == total
        assert payment.open_q == left
    if left == 0 and payment.captured_q:
        assert payment.status is PaymentStatus.CAPTURED
    elif left == 0:
        assert payment.status in (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED)


# -- amounts and parameters --------------------------------------------------------------------


@given(st.integers(-(10**20), 10**20), st.sampled_from(sorted(KNOWN)))
def test_an_amount_can_be_read_back_from_its_text(amount: int, currency: str) -> None:
    text, code = format_amount(amount, currency).split(" ")
    whole, _, fraction = text.partition(".")
    assert code == currency
    assert len(fraction) == decimals(currency)
    assert whole.lstrip("-").isdigit()
    assert int(whole + fraction) == amount


@given(st.one_of(st.text(max_size=5), st.integers(), st.none(), st.binary()))
def test_a_currency_is_a_known_code_or_none(code: Any) -> None:
    found = normalise_currency(code)
    assert found is None or found in KNOWN
    assert (found is not None) == (isinstance(code, str) and code.upper() in KNOWN)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1, max_size=5), JSON), st.data())
def test_frozen_parameters_do_not_depend_on_the_order_of_keys(
    parameters: dict[str, Any], data: st.DataObject
) -> None:
    names = data.draw(st.permutations(list(parameters)))
    assert digest(method={name: parameters[name] for name in names}) == digest(method=parameters)


@given(st.dictionaries(st.text(max_size=5), JSON), st.dictionaries(st.text(max_size=5), JSON))
def test_other_parameters_have_another_fingerprint(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    # True equals 1 in Python and not in JSON.
    assert (digest(method=one) == digest(method=other)) == (repr_of(one) == repr_of(other))


def repr_of(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((key, repr_of(item)) for key, item in value.items())
    if isinstance(value, list):
        return ["list", *map(repr_of, value)]
    return repr(value)


ANYTHING = st.one_of(
    JSON, st.floats(), st.binary(max_size=5), st.datetimes(), st.just(object()), st.integers()
)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(PaymentResult.__dataclass_fields__, ANYTHING))
)
def test_no_answer_whatsoever_gets_past_the_border_as_an_exception(fields: dict[str, Any]) -> None:
    from .test_border import request

    class Answer:
        pass

    answer = Answer()
    vars(answer).update(fields)
    for method in ("authorize", "capture", "refund", "get_status", "find", "prepare"):
        outcome = outcome_of(request(method), lambda: answer, str)
        assert type(outcome).__name__ in ("Answered", "Refused", "Unknown")


# -- a shop under fire -------------------------------------------------------------------------

REFS = ("O1", "O2")
BEHAVIOURS: list[Any] = [
    None,
    None,
    None,
    {"authenticate": True},
    {"qr": True, "expires_in": 600},
    {"pending": True, "pays_after_reads": 2},
    {"decline": "insufficient_funds"},
    {"refund": "pending"},
    {"refund": "fails_later"},
    {"refund": "refund_refused"},
    {"expires_in": 3600},
]
AMOUNTS = st.one_of(
    st.none(),
    st.integers(1, 1000),
    st.sampled_from([1, 333, 999, 1000]),
    st.sampled_from([0, -1, 1001, 10**18, "1000", 9.99, True, [], {}]),
)
LATEST = timedelta(minutes=10)
FAULTS = st.builds(
    Fault,
    st.sampled_from(["timeout", "timeout", "late", "rate_limit", "not_attempted", "crash"]),
    on=st.sampled_from(["opening", "mutating", "capture", "refund", "cancel", "get_status"]),
    when=st.sampled_from(["before", "after"]),
    retry_after=st.sampled_from([None, 1, 90]),
    seconds=st.integers(0, 600),
)


class SimWorker:
    """A worker process: what it holds in memory is gone when it dies."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.works: list[Work] = []
        self.answers: list[Answer] = []


class ShopMachine(RuleBasedStateMachine):
    """Everything a shop, its payers, its gateway and its workers can do, in any order."""

    @initialize(
        late_money=st.sampled_from(["flag", "refund"]),
        topic=st.sampled_from([Topic.HOLD, Topic.CHARGE]),
        behaviour=st.sampled_from(BEHAVIOURS),
    )
    def open_shop(self, late_money: str, topic: Topic, behaviour: Any) -> None:
        self.shop = Shop(
            facts=make_registration(absence_after=LATEST), config={"late_money": late_money}
        )
        for ref in REFS:
            self.shop.order(ref)
        self.workers = [SimWorker(self.shop.engine), SimWorker(self.shop.new_engine("second"))]
        self.enqueued = 0
        # So that most histories are about money rather than about empty queues.
        self.begin(topic, "O1", None, behaviour, 1)

    # -- the shop --------------------------------------------------------------------------

    @rule(
        topic=st.sampled_from([Topic.HOLD, Topic.HOLD, Topic.CHARGE]),
        ref=st.sampled_from(REFS),
        amount=AMOUNTS,
        behaviour=st.sampled_from(BEHAVIOURS),
        attempt=st.sampled_from([1, 1, 1, 2, 3, 0, "1"]),
    )
    def begin(self, topic: Topic, ref: str, amount: Any, behaviour: Any, attempt: Any) -> None:
        payload: dict[str, Any] = {"attempt": attempt}
        if amount is not None:
            payload["amount_q"] = amount
        if behaviour is not None:
            payload["payment_method"] = {"behaviour": behaviour}
        self.put(topic, ref, payload)

    @rule(
        topic=st.sampled_from([Topic.CONFIRM, Topic.CONFIRM, Topic.REFUND, Topic.REFUND]),
        ref=st.sampled_from(REFS),
        amount=AMOUNTS,
        twice=st.booleans(),
    )
    def go_on(self, topic: Topic, ref: str, amount: Any, twice: bool) -> None:
        payload = {} if amount is None else {"amount_q": amount}
        key = f"{topic}-{ref}-{amount}" if twice else None
        for _ in range(2 if twice else 1):
            self.put(topic, ref, payload, key)

    @rule(ref=st.sampled_from(REFS), of_order=st.booleans())
    def cancel(self, ref: str, of_order: bool) -> None:
        if of_order:
            self.shop.store.cancel_order(ref)
        self.put(Topic.CANCEL, ref, {})

    @rule(ref=st.sampled_from(REFS))
    def knock(self, ref: str) -> None:
        self.shop.store.enqueue([sync_of(ref, p.id) for p in self.shop.payments(ref)])

    def put(self, topic: Topic, ref: str, payload: Any, key: str | None = None) -> None:
        self.enqueued += 1
        self.shop.store.enqueue([NewDirective(topic, ref, payload, key)])

    # -- payers and the gateway ------------------------------------------------------------

    @precondition(lambda self: self.shop.gateway.transactions())
    @rule(data=st.data(), act=st.sampled_from(
        ["pay", "pay", "3ds", "3ds fails", "abandon", "late", "short", "outside", "dispute",
         "won", "refunds end", "refunds fail"]))  # fmt: skip
    def far_side(self, data: st.DataObject, act: str) -> None:
        gateway = self.shop.gateway
        name = data.draw(st.sampled_from(gateway.transactions()))
        with suppress(ValueError):  # The gateway does not let that happen to this transaction.
            match act:
                case "pay":
                    gateway.pay(name)
                    self.paid(name)
                case "3ds" | "3ds fails":
                    gateway.confirm_3ds(name, ok=act == "3ds")
                    self.paid(name)
                case "abandon":
                    gateway.abandon(name)
                case "late" if self.captures_at_once(name):
                    gateway.pay(name, late=True)
                    onlooker_of(self.shop).payers.unasked.add(name)
                case "short":
                    gateway.pay(name, 400)
                    self.paid(name)
                case "outside":
                    gateway.refund_outside(name, None)
                case "dispute":
                    gateway.dispute(name, None)
                case "won":
                    gateway.win_dispute(name)
                case "refunds end" | "refunds fail":
                    self.end_refunds(ok=act == "refunds end")

    def paid(self, name: str) -> None:
        """Note what was paid although our books had closed it."""
        onlooker = onlooker_of(self.shop)
        payment = onlooker.payment_of(name)
        if payment is None or payment.closed or payment.cancel_requested:
            onlooker.payers.unasked.add(name)

    def captures_at_once(self, name: str) -> bool:
        """Money can come late to a charge; nobody holds funds twice under one transaction."""
        txn = self.shop.gateway.transaction(name)
        return txn is not None and txn.captures_at_once

    def end_refunds(self, *, ok: bool) -> None:
        gateway = self.shop.gateway
        for name in gateway.transactions():
            txn = gateway.transaction(name)
            assert txn is not None
            for refund in txn.refunds:
                if refund.status == RefundStatus.PENDING:
                    gateway.settle_refund(refund.reference, ok=ok)

    @rule(fault=FAULTS)
    def trouble(self, fault: Fault) -> None:
        self.shop.gateway.fail_next(fault)

    @rule(seconds=st.sampled_from([1, 5, 31, 61, 91, 700, 3700, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.shop.clock.advance(timedelta(seconds=seconds))
        self.shop.gateway.deliver_late(due_only=True)

    # -- workers ---------------------------------------------------------------------------

    @rule(number=st.integers(0, 1), limit=st.integers(1, 4))
    def claim(self, number: int, limit: int) -> None:
        worker = self.workers[number]
        worker.works += worker.engine.claim(limit).works

    @precondition(lambda self: any(w.works for w in self.workers))
    @rule()
    def call(self) -> None:
        worker = next(w for w in self.workers if w.works)
        worker.answers.append(worker.engine.perform(worker.works.pop(0)))

    @precondition(lambda self: any(w.answers for w in self.workers))
    @rule()
    def settle(self) -> None:
        worker = next(w for w in self.workers if w.answers)
        answers, worker.answers = worker.answers, []
        worker.works += worker.engine.settle(answers)

    @rule(number=st.integers(0, 1))
    def work_off(self, number: int) -> None:
        self.workers[number].engine.run_until_idle()

    @rule(number=st.integers(0, 1))
    def die(self, number: int) -> None:
        self.workers[number] = SimWorker(self.shop.new_engine(f"next-{self.enqueued}"))

    @rule(number=st.integers(0, 1))
    def give_back(self, number: int) -> None:
        worker = self.workers[number]
        works, worker.works = worker.works, []
        follow = worker.engine.settle([worker.engine.release(work) for work in works])
        worker.works += follow

    @rule()
    def keep_house(self) -> None:
        self.shop.engine.maintain()

    # -- what holds ------------------------------------------------------------------------

    @invariant()
    def always(self) -> None:
        check_always(self.shop)
        for payment in self.shop.store.payments.values():
            if payment.authorized_q and payment.captured_q <= payment.authorized_q:
                parts = payment.captured_q + payment.released_q + payment.open_q
                assert parts == payment.authorized_q, payment

    def teardown(self) -> None:
        if not hasattr(self, "shop"):
            return
        shop = self.shop
        shop.gateway.faults.clear()
        shop.gateway.deliver_late()
        for worker in self.workers:
            works, answers = worker.works, worker.answers
            while works or answers:
                works = worker.engine.settle([*answers, *map(worker.engine.perform, works)])
                answers = []
        for _ in range(3):
            shop.settle_down()
            self.end_refunds(ok=True)
            for ref in REFS:
                shop.sync(ref)
            shop.advance(days=1)
        shop.settle_down()
        check_always(shop)
        check_at_rest(shop)
        ends = (DirectiveStatus.COMPLETED, DirectiveStatus.FAILED, DirectiveStatus.PARKED)
        assert all(d.status in ends for d in shop.store.directives.values())


TestShopUnderFire = ShopMachine.TestCase
TestShopUnderFire.settings = settings(max_examples=80, stateful_step_count=40)
