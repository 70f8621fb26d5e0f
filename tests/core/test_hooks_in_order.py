"""What plugins hear, in which order, and that nothing they do reaches a payment."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.errors import VetoError
from omniman_payment_core.hookspecs import PaymentHookSpecs, hookimpl
from omniman_payment_core.notices import (
    DirectiveNotice,
    GatewayCall,
    PaymentChange,
    WebhookNotice,
)
from omniman_payment_core.plugins.registry import PaymentRegistry
from omniman_payment_core.records import DirectiveStatus, NewDirective, Topic
from omniman_payment_core.values import PaymentStatus
from omniman_payment_mock.plugin import make_registration

from .harness import Shop


class Diary:
    """Implements every hook an observer can have, and writes all of it down."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, hook: str, directive: DirectiveNotice) -> None:
        reason = f" ({directive.reason})" if directive.reason else ""
        self.lines.append(f"{hook} {directive.topic} #{directive.id} {directive.status}{reason}")

    @hookimpl(wrapper=True)
    def around_gateway_call(self, call: GatewayCall) -> Generator[None, Any, Any]:
        self.lines.append(f"> {call.method} {call.amount_q} attempt {call.attempt}")
        try:
            answer = yield
        except Exception as error:
            self.lines.append(f"< {call.method} {type(error).__name__}")
            raise
        self.lines.append(f"< {call.method} {answer.status}")
        return answer

    @hookimpl
    def directive_enqueued(self, directive: DirectiveNotice) -> None:
        self.write("enqueued", replace(directive, id=None))

    @hookimpl
    def directive_claimed(self, directive: DirectiveNotice) -> None:
        self.write("claimed", directive)

    @hookimpl
    def directive_settled(self, directive: DirectiveNotice) -> None:
        self.write("settled", directive)

    @hookimpl
    def directive_retrying(self, directive: DirectiveNotice) -> None:
        self.write("retrying", directive)

    @hookimpl
    def directive_failed(self, directive: DirectiveNotice) -> None:
        self.write("failed", directive)

    @hookimpl
    def directive_parked(self, directive: DirectiveNotice) -> None:
        self.write("parked", directive)

    @hookimpl
    def payment_changed(self, change: PaymentChange) -> None:
        before = change.previous.value if change.previous else "nothing"
        self.lines.append(f"payment {before} -> {change.status.value}, version {change.version}")

    @hookimpl
    def webhook_accepted(self, webhook: WebhookNotice) -> None:
        self.lines.append(f"webhook {webhook.event_id}, duplicate {webhook.duplicate}")

    @hookimpl
    def webhook_rejected(self, account: str, reason: str) -> None:
        self.lines.append(f"webhook of {account} rejected: {reason}")

    @hookimpl
    def retry_delay(self, directive: DirectiveNotice) -> timedelta | None:
        self.write("how long", directive)
        return timedelta(seconds=17)

    @hookimpl
    def select_backend(self, channel: Any) -> str | None:
        self.lines.append(f"which account for {channel.code}")
        return "mock"


def shop_with(*plugins: object) -> Shop:
    """A shop on the real registry, where a channel names no account of its own."""
    shop = Shop()
    account = shop.accounts.account("mock")
    for number, plugin in enumerate(plugins):
        shop.hooks.register(plugin, f"plugin-{number}")
    registry = PaymentRegistry({}, hooks=shop.hooks)
    registry.use("mock", account.backend, make_registration())
    shop.accounts = registry  # type: ignore[assignment]
    shop.engine = shop.new_engine("worker")
    shop.order()
    return shop


def enqueue(shop: Shop, topic: Topic, **payload: Any) -> int:
    (number,) = shop.engine.enqueue([NewDirective(topic, "O1", payload)])
    return number


def a_life(shop: Shop) -> None:
    """One payment held (at the second try), confirmed and refunded, and two that go wrong."""
    shop.fault("not_attempted", "authorize")
    enqueue(shop, Topic.HOLD)
    shop.run()
    shop.clock.advance(timedelta(seconds=17))
    shop.run()
    enqueue(shop, Topic.CONFIRM)
    shop.run()
    shop.hooks.webhook_accepted(WebhookNotice("mock", "evt-1", "captured", "txn", False))
    shop.hooks.webhook_rejected("mock", "the signature does not fit")
    enqueue(shop, Topic.REFUND)
    shop.run()
    enqueue(shop, Topic.REFUND, amount_q=5)
    shop.run()


THE_WHOLE_ORDER = [
    "enqueued payment.hold #None pending",
    "which account for shop",
    "claimed payment.hold #1 running",
    "payment nothing -> pending, version 1",
    "> authorize 1000 attempt 1",
    "< authorize NotAttemptedError",
    "how long payment.hold #1 retrying (the request never left)",
    "retrying payment.hold #1 retrying (the request never left)",
    "claimed payment.hold #1 running",
    "> authorize 1000 attempt 2",
    "< authorize authorized",
    "settled payment.hold #1 completed",
    "payment pending -> authorized, version 3",
    "enqueued payment.confirm #None pending",
    "claimed payment.confirm #2 running",
    "> capture 1000 attempt 1",
    "< capture captured",
    "settled payment.confirm #2 completed",
    "payment authorized -> captured, version 4",
    "webhook evt-1, duplicate False",
    "webhook of mock rejected: the signature does not fit",
    "enqueued payment.refund #None pending",
    "claimed payment.refund #3 running",
    "> refund 1000 attempt 1",
    "< refund refunded",
    "settled payment.refund #3 completed",
    "payment captured -> refunded, version 5",
    "enqueued payment.refund #None pending",
    "claimed payment.refund #4 running",
    "failed payment.refund #4 failed (asked to refund 0.05 BRL; of 10.00 BRL captured, "
    "0.00 BRL is left)",
]


def test_the_diary_implements_every_hook_of_an_observer() -> None:
    hooks = {name for name in vars(PaymentHookSpecs) if not name.startswith("_")}
    assert hooks - set(vars(Diary)) == {"register_backend"}


def test_the_whole_order_of_a_payments_life() -> None:
    diary = Diary()
    shop = shop_with(diary)
    a_life(shop)
    assert diary.lines == THE_WHOLE_ORDER
    assert not shop.hooks.failures


def test_parking_is_told() -> None:
    diary = Diary()
    shop = shop_with(diary)
    number = enqueue(shop, Topic.HOLD)
    shop.engine.rules = replace(shop.engine.rules, max_attempts=1)
    shop.fault("not_attempted", "authorize")
    shop.settle_down()
    assert shop.directive(number).status == DirectiveStatus.PARKED
    assert (
        "parked payment.hold #1 parked (payment.hold of order O1 ended 1 times without an answer: "
        "the request never left)"
    ) in diary.lines


class Furious(Diary):
    """Raises in every hook, after the wrapper's yield too."""

    def write(self, hook: str, directive: DirectiveNotice) -> None:
        raise RuntimeError(f"no {hook}")

    @hookimpl(wrapper=True)
    def around_gateway_call(self, call: GatewayCall) -> Generator[None, Any, Any]:
        yield
        raise SystemExit("end of the worker")

    @hookimpl
    def payment_changed(self, change: PaymentChange) -> None:
        raise SystemExit(5)

    @hookimpl
    def webhook_accepted(self, webhook: WebhookNotice) -> None:
        raise ValueError("no webhooks")

    @hookimpl
    def webhook_rejected(self, account: str, reason: str) -> None:
        raise ValueError("no webhooks")

    @hookimpl
    def retry_delay(self, directive: DirectiveNotice) -> timedelta | None:
        raise ValueError("no delay")

    @hookimpl
    def select_backend(self, channel: Any) -> str | None:
        raise ValueError("no backend")


def test_an_observer_that_raises_changes_nothing_for_payments_or_other_observers() -> None:
    calm, disturbed = Diary(), Diary()
    alone, together = shop_with(calm), shop_with(Furious(), disturbed, Furious())
    a_life(alone)
    a_life(together)
    assert disturbed.lines == calm.lines == THE_WHOLE_ORDER
    for name in ("payments", "operations", "refunds", "events", "directives", "flags", "notices"):
        assert getattr(together.store, name) == getattr(alone.store, name)
    assert together.triggers() == alone.triggers()
    assert together.moved_q() == alone.moved_q() == 0
    hooks = {hook for (_, hook) in together.hooks.failures}
    assert hooks == {name for name in vars(PaymentHookSpecs) if not name.startswith("_")} - {
        "register_backend",
        "directive_parked",
    }


def test_a_veto_means_that_nothing_is_attempted() -> None:
    class Breaker:
        open = True

        @hookimpl(wrapper=True)
        def around_gateway_call(self, call: GatewayCall) -> Iterator[None]:
            if self.open:
                raise VetoError("the breaker is open")
            return (yield)

    breaker = Breaker()
    shop = Shop()
    shop.order()
    shop.hooks.register(breaker, "breaker")
    hold = shop.hold()
    shop.run()
    waiting = shop.directive(hold)
    assert (waiting.status, waiting.last_error) == (DirectiveStatus.PENDING, "the breaker is open")
    assert shop.gateway.transactions() == ()
    assert [op.state for op in shop.operations()] == ["planned"]

    breaker.open = False
    shop.settle_down()
    assert shop.directive(hold).status == DirectiveStatus.COMPLETED
    assert len(set(shop.keys("authorize"))) == 1
    assert shop.methods() == ["authorize", "authorize"]


# -- told after the commit, at least once, never of what was rolled back -----------------------


class Listener:
    """Hears of status moves, and compares each with what is stored at that moment."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.heard: list[tuple[str, int]] = []
        self.dies = False

    @hookimpl
    def payment_changed(self, change: PaymentChange) -> None:
        stored = self.shop.store.payments[change.payment_id]
        assert stored.version >= change.version
        if self.dies:
            raise KeyboardInterrupt
        self.heard.append((change.status.value, change.version))


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.order()
    return shop


@pytest.fixture
def listener(shop: Shop) -> Listener:
    listener = Listener(shop)
    shop.hooks.register(listener, "listener")
    return listener


def test_a_move_is_told_after_its_commit_once(shop: Shop, listener: Listener) -> None:
    shop.hold()
    shop.confirm()
    shop.run()
    assert listener.heard == [("pending", 1), ("authorized", 2), ("captured", 3)]
    assert shop.store.notices == {}
    assert not shop.hooks.failures
    shop.advance(minutes=5)
    assert len(listener.heard) == 3


def test_a_telling_that_was_interrupted_is_taken_up_again(shop: Shop, listener: Listener) -> None:
    shop.hold()
    shop.run()
    listener.dies = True
    shop.confirm()
    with pytest.raises(KeyboardInterrupt):
        shop.run()
    assert shop.payment().status is PaymentStatus.CAPTURED, "it was committed before"
    assert [status for status, _ in listener.heard] == ["pending", "authorized"]

    listener.dies = False
    other = shop.new_engine("other")
    other.maintain()
    assert len(listener.heard) == 2, "its worker may still be at it"
    shop.clock.advance(shop.limits.retell_after)
    other.maintain()
    assert listener.heard[-1] == ("captured", 3)
    other.maintain()
    assert len(listener.heard) == 3


class RefusingStore:
    """Rolls back the next settlement, as a database that fails at commit does."""

    def __init__(self, shop: Shop) -> None:
        self._store = shop.store
        self.fails = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def settle(self, settlements: Any, *, tell: bool) -> Any:
        if self.fails:
            self.fails -= 1
            saved = self._store.snapshot()
            self._store.settle(settlements, tell=tell)
            self._store.restore(saved)
            raise OSError("the disk is full")
        return self._store.settle(settlements, tell=tell)


def test_a_move_that_was_rolled_back_is_not_told(shop: Shop, listener: Listener) -> None:
    store = RefusingStore(shop)
    shop.engine.store = store  # type: ignore[assignment]
    shop.hold()
    (work,) = shop.engine.claim(1).works
    answer = shop.engine.perform(work)
    store.fails = 2
    for _ in range(2):
        with pytest.raises(OSError, match="the disk is full"):
            shop.engine.settle([answer])
        assert listener.heard == [("pending", 1)]
        assert shop.store.notices == {}
        assert shop.payment().status is PaymentStatus.PENDING
    shop.engine.settle([answer])
    assert listener.heard == [("pending", 1), ("authorized", 2)]


def test_without_a_listener_no_notice_is_kept(shop: Shop) -> None:
    shop.hold()
    shop.run()
    assert shop.store.notices == {}
