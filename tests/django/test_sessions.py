"""Committing a session: exactly once, checked before anything is written."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from omniman_payment_core.channels import ChannelConfigError
from omniman_payment_core.errors import ConfigurationError
from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_django import sessions
from omniman_payment_django.models import Directive, Order, Session, TransitionError
from omniman_payment_django.runtime import get_registry
from omniman_payment_django.sessions import CommitError, RequestRefusedError

from .shop import CARD, Shop


@pytest.fixture
def shop(database: object) -> Shop:
    return Shop()


def nothing_written() -> bool:
    return not (
        Order.objects.exists()
        or Directive.objects.exists()
        or Session.objects.exclude(state="open").exists()
    )


def test_a_session_becomes_an_order_and_its_first_directive(shop: Shop) -> None:
    session = shop.session()
    order = sessions.commit_session(
        session, commit_key="k", payment_method=CARD, ref="R-1", metadata={"table": 4}
    )
    assert (order.ref, order.total_q, order.currency, order.status) == ("R-1", 900, "BRL", "new")
    directive = Directive.objects.get()
    assert (directive.topic, directive.order_ref) == ("payment.hold", "R-1")
    assert directive.payload == {
        "amount_q": 900, "currency": "BRL", "payment_method": CARD, "metadata": {"table": 4},
    }  # fmt: skip
    assert directive.dedupe_key == "open:R-1:1"
    assert directive.order == order
    assert directive.order.channel.config == session.channel.config
    session.refresh_from_db()
    assert (session.state, session.commit_key) == ("committed", "k")


def test_the_same_key_gives_the_same_order(shop: Shop) -> None:
    session = shop.session()
    first = sessions.commit_session(session, commit_key="k", payment_method=CARD)
    again = sessions.commit_session(session, commit_key="k", payment_method={"type": "other"})
    assert again == first
    assert Directive.objects.count() == 1


def test_many_commits_at_once_make_one_order(shop: Shop) -> None:
    session = shop.session()
    start, refs, errors = threading.Barrier(4), [], []

    def commit() -> None:
        try:
            mine = Session.objects.get(pk=session.pk)
            start.wait(10)
            order = sessions.commit_session(mine, commit_key="k", payment_method=CARD)
            refs.append(order.ref)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=commit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert len(refs) == 4
    assert len(set(refs)) == Order.objects.count() == Directive.objects.count() == 1


def test_another_key_for_a_committed_session_is_refused(shop: Shop) -> None:
    session = shop.session()
    order = sessions.commit_session(session, commit_key="k", payment_method=CARD)
    with pytest.raises(CommitError, match=f"another commit_key, as order {order.ref}"):
        sessions.commit_session(session, commit_key="other", payment_method=CARD)
    with pytest.raises(CommitError, match=f"belongs to session {session.key}"):
        sessions.commit_session(shop.session(), commit_key="k", payment_method=CARD)


def test_a_reference_that_is_taken_is_refused(shop: Shop) -> None:
    sessions.commit_session(shop.session(), commit_key="a", payment_method=CARD, ref="R")
    with pytest.raises(CommitError, match="already an order R"):
        sessions.commit_session(shop.session(), commit_key="b", payment_method=CARD, ref="R")
    assert Order.objects.count() == Directive.objects.count() == 1


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "at least one item"),
        ({"sku": "a"}, "not a list"),
        (["coffee"], "item 1 is not an object"),
        ([{"sku": "a", "qty": 1, "price_q": 5}, {"qty": 1, "price_q": 5}], 'item 2: "sku"'),
        ([{"sku": "a", "qty": 0, "price_q": 5}], '"qty"'),
        ([{"sku": "a", "qty": True, "price_q": 5}], '"qty"'),
        ([{"sku": "a", "qty": 1.5, "price_q": 5}], '"qty"'),
        ([{"sku": "a", "qty": 1, "price_q": -5}], '"price_q"'),
        ([{"sku": "a", "qty": 1, "price_q": "5"}], '"price_q"'),
        ([{"sku": "a", "qty": 1, "price_q": 0}], "total is 0"),
        ([{"sku": "a", "qty": 10**9, "price_q": 10**9}], "it has to be from 1 to"),
    ],
)
def test_wrong_items_are_named_and_nothing_is_written(shop: Shop, items: Any, message: str) -> None:
    with pytest.raises(CommitError, match=message):
        sessions.commit_session(shop.session(items), commit_key="k", payment_method=CARD)
    assert nothing_written()


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ({"payment_flow": "later"}, ChannelConfigError, 'channel "channel-.*payment_flow'),
        ({"payment_backend": "nowhere"}, ConfigurationError, 'channel "channel-.*nowhere'),
        ({"currency": "XYZ"}, CommitError, 'channel "channel-.*currency.*XYZ'),
    ],
)
def test_a_channel_that_cannot_be_paid_is_named_and_nothing_is_written(
    shop: Shop, config: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        sessions.commit_session(shop.session(**config), commit_key="k", payment_method=CARD)
    assert nothing_written()


@pytest.mark.parametrize(
    "method",
    [
        {"number": "4242 4242 4242 4242"},
        {"card": {"n": 4242424242424242}},
        {"a": ["4242-4242-4242-4242"]},
    ],
)
def test_a_card_number_is_refused_and_not_repeated(shop: Shop, method: Any) -> None:
    with pytest.raises(CommitError, match="card number") as caught:
        sessions.commit_session(shop.session(), commit_key="k", payment_method=method)
    assert "4242" not in str(caught.value)
    assert nothing_written()


@pytest.mark.parametrize("method", ["card", None, {"x": float("nan")}, {"x": object()}])
def test_a_payment_method_that_is_not_json_is_refused(shop: Shop, method: Any) -> None:
    with pytest.raises(CommitError, match="payment_method"):
        sessions.commit_session(shop.session(), commit_key="k", payment_method=method)
    assert nothing_written()


@pytest.mark.parametrize("key", ["", None, "x" * 201])
def test_a_commit_key_is_a_text(shop: Shop, key: Any) -> None:
    with pytest.raises(CommitError, match="commit_key"):
        sessions.commit_session(shop.session(), commit_key=key, payment_method=CARD)


class Listener:
    def __init__(self) -> None:
        self.heard: list[Any] = []

    @hookimpl
    def directive_enqueued(self, directive: Any) -> None:
        self.heard.append((directive.topic, directive.order_ref))


def test_observers_hear_of_a_directive_when_it_is_committed_and_only_then(shop: Shop) -> None:
    listener = Listener()
    get_registry().hooks.register(listener, "listener")
    with transaction.atomic():
        order = shop.order()
        assert listener.heard == []
    assert listener.heard == [("payment.hold", order.ref)]
    with transaction.atomic():
        sessions.confirm_payment(order)
        transaction.set_rollback(True)
    assert len(listener.heard) == 1
    assert Directive.objects.count() == 1


@pytest.mark.parametrize("amount", [0, -1, 901, 1.5, "9", True])
def test_an_amount_that_cannot_be_is_refused(shop: Shop, amount: Any) -> None:
    order = shop.order()
    for ask in (sessions.confirm_payment, sessions.refund_payment):
        with pytest.raises(RequestRefusedError, match=f"order {order.ref}: amount_q is"):
            ask(order, amount)
    assert Directive.objects.count() == 1


def test_a_request_with_a_known_key_is_the_same_request(shop: Shop) -> None:
    order = shop.order()
    first = sessions.refund_payment(order, 100, dedupe_key="refund-1")
    assert sessions.refund_payment(order, 100, dedupe_key="refund-1") == first
    with pytest.raises(RequestRefusedError, match=r"belongs to a payment\.refund"):
        sessions.confirm_payment(order, dedupe_key="refund-1")


def test_cancelling_is_the_order_and_the_directive_or_neither(shop: Shop) -> None:
    order = shop.order()
    directive = sessions.cancel_order(order, actor="ana")
    assert (directive.topic, Order.objects.get(pk=order.pk).status) == (
        "payment.cancel",
        "cancelled",
    )
    assert sessions.cancel_order(order, actor="ana") == directive
    gone = shop.order()
    Order.objects.filter(pk=gone.pk).update(status="dispatched")
    with pytest.raises(TransitionError, match='from "dispatched" to "cancelled"'):
        sessions.cancel_order(gone, actor="ana")
    assert not Directive.objects.filter(order_ref=gone.ref, topic="payment.cancel").exists()
