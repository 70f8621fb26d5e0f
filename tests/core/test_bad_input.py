"""Bad input ends in a clear error on its directive; order, ledger and gateway are untouched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from omniman_payment_core.records import DirectiveStatus, Topic
from omniman_payment_mock import MockPaymentBackend
from omniman_payment_mock.plugin import make_registration

from .harness import Shop


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.order()
    return shop


def rejected(shop: Shop, number: int, code: str, message: str) -> None:
    """The directive says why; nothing else happened, and nothing waits."""
    directive = shop.do(number)
    assert directive.status == DirectiveStatus.FAILED
    assert directive.result == {"error_code": code, "error_message": message}
    assert directive.last_error == message
    untouched(shop)


def untouched(shop: Shop) -> None:
    assert shop.store.operations == {}
    assert shop.store.payments == {}
    assert shop.store.refunds == {}
    assert shop.store.events == {}
    assert shop.store.calls == []
    assert shop.gateway.transactions() == ()
    for order in shop.store.orders.values():
        assert (order.data, order.triggers, order.view.status) == ({}, [], "new")


OPENINGS = [Topic.HOLD, Topic.CHARGE]
AMOUNTS = [
    (0, '"amount_q" is 0; it has to be more than zero'),
    (-1, '"amount_q" is -1; it has to be more than zero'),
    ("1000", '"amount_q" is a text; it has to be a whole number of the smallest unit'),
    (10.0, '"amount_q" is a fraction; it has to be a whole number of the smallest unit'),
    (True, '"amount_q" is true or false; it has to be a whole number of the smallest unit'),
    ({}, '"amount_q" is an object; it has to be a whole number of the smallest unit'),
    ([1], '"amount_q" is a list; it has to be a whole number of the smallest unit'),
]


@pytest.mark.parametrize("topic", [*OPENINGS, Topic.CONFIRM, Topic.REFUND])
@pytest.mark.parametrize(("amount", "message"), AMOUNTS)
def test_an_amount_that_is_none(shop: Shop, topic: Topic, amount: Any, message: str) -> None:
    rejected(shop, shop.enqueue(topic, payload={"amount_q": amount}), "invalid_amount", message)


@pytest.mark.parametrize("topic", OPENINGS)
def test_an_amount_beyond_the_orders_total(shop: Shop, topic: Topic) -> None:
    rejected(
        shop,
        shop.enqueue(topic, payload={"amount_q": 1001}),
        "amount_exceeds_total",
        '"amount_q" is 10.01 BRL, more than the order\'s total of 10.00 BRL',
    )


def test_an_amount_beyond_anything(shop: Shop) -> None:
    rejected(
        shop,
        shop.enqueue(Topic.HOLD, payload={"amount_q": 10**18}),
        "amount_exceeds_total",
        '"amount_q" is 10000000000000000.00 BRL, more than the order\'s total of 10.00 BRL',
    )


@pytest.mark.parametrize("topic", OPENINGS)
@pytest.mark.parametrize("currency", ["XXX", "", "reais", 986, None, ["BRL"]])
def test_an_unknown_currency(shop: Shop, topic: Topic, currency: Any) -> None:
    rejected(
        shop,
        shop.enqueue(topic, payload={"currency": currency}),
        "unknown_currency",
        '"currency" is not an ISO 4217 code',
    )


def test_an_order_in_an_unknown_currency() -> None:
    shop = Shop()
    shop.order(currency="ZZZ")
    rejected(shop, shop.hold(), "unknown_currency", '"currency" is not an ISO 4217 code')


@pytest.mark.parametrize("topic", OPENINGS)
def test_another_currency_than_the_orders(shop: Shop, topic: Topic) -> None:
    rejected(
        shop,
        shop.enqueue(topic, payload={"currency": "usd"}),
        "currency_mismatch",
        '"currency" is USD, the order is in BRL',
    )


@pytest.mark.parametrize("topic", OPENINGS)
def test_a_currency_the_backend_does_not_take(topic: Topic) -> None:
    shop = Shop()
    shop.accounts.configured["mock"] = replace(
        shop.accounts.configured["mock"],
        registration=replace(make_registration(), currencies=frozenset({"USD", "EUR"})),
    )
    shop.order()
    rejected(
        shop,
        shop.enqueue(topic),
        "currency_unsupported",
        'account "mock" does not take BRL; it takes EUR, USD',
    )


@pytest.mark.parametrize("topic", OPENINGS)
@pytest.mark.parametrize("currency", ["brl", "BRL", "Brl"])
def test_a_currency_may_be_written_in_either_case(shop: Shop, topic: Topic, currency: str) -> None:
    assert shop.do(shop.enqueue(topic, payload={"currency": currency})).status == "completed"
    assert shop.payment().currency == "BRL"


@pytest.mark.parametrize("total", [0, -5])
def test_an_order_that_costs_nothing(total: int) -> None:
    shop = Shop()
    shop.order(total_q=total)
    rejected(
        shop,
        shop.hold(),
        "invalid_payload",
        f"the order's total is {total}: there is nothing to collect",
    )


@pytest.mark.parametrize("topic", OPENINGS)
@pytest.mark.parametrize("name", ["payment_method", "metadata"])
@pytest.mark.parametrize(
    ("value", "kind"),
    [("card", "a text"), (["card"], "a list"), (5, "a number"), (True, "true or false")],
)
def test_a_malformed_part_of_the_payload(
    shop: Shop, topic: Topic, name: str, value: Any, kind: str
) -> None:
    rejected(
        shop,
        shop.enqueue(topic, payload={name: value}),
        "invalid_payload",
        f'"{name}" is {kind}; it has to be an object',
    )


@pytest.mark.parametrize("topic", list(Topic))
@pytest.mark.parametrize(
    ("payload", "kind"),
    [([], "a list"), ("amount_q", "a text"), (7, "a number"), (True, "true or false")],
)
def test_a_payload_that_is_no_object(shop: Shop, topic: Topic, payload: Any, kind: str) -> None:
    rejected(
        shop,
        shop.enqueue(topic, payload=payload),
        "invalid_payload",
        f"the payload is {kind}; it has to be an object",
    )


def test_a_reason_that_is_no_text(shop: Shop) -> None:
    rejected(
        shop,
        shop.enqueue(Topic.REFUND, payload={"reason": 5}),
        "invalid_payload",
        '"reason" is not a text',
    )


@pytest.mark.parametrize("topic", [Topic.CONFIRM, Topic.REFUND, Topic.CANCEL, Topic.SYNC])
@pytest.mark.parametrize("name", ["pay-of-somebody-else", 5, ["pay-1"], {"id": 1}])
def test_a_payment_the_order_does_not_have(shop: Shop, topic: Topic, name: Any) -> None:
    rejected(
        shop,
        shop.enqueue(topic, payload={"payment_id": name}),
        "unknown_payment",
        '"payment_id" names no payment of order O1',
    )


@pytest.mark.parametrize("topic", ["payment.capture", "order.ship", "", "PAYMENT.HOLD"])
def test_a_wrong_topic(shop: Shop, topic: str) -> None:
    rejected(
        shop,
        shop.enqueue(topic),
        "wrong_topic",
        f'topic "{topic}" is none of payment.hold, payment.charge, payment.confirm, '
        "payment.refund, payment.cancel, payment.sync, payment.verdict",
    )


@pytest.mark.parametrize("topic", list(Topic))
def test_a_directive_for_a_missing_order(shop: Shop, topic: Topic) -> None:
    rejected(shop, shop.enqueue(topic, "NOPE"), "order_missing", "order NOPE does not exist")


def test_a_confirm_without_a_hold(shop: Shop) -> None:
    rejected(
        shop,
        shop.confirm(),
        "nothing_to_capture",
        "no transaction to capture: nothing was held",
    )


def test_a_refund_without_a_payment(shop: Shop) -> None:
    rejected(
        shop,
        shop.refund(),
        "nothing_to_refund",
        "nothing was ever captured for this order",
    )


def test_a_refund_before_the_capture(shop: Shop) -> None:
    shop.hold()
    shop.run()
    before = (dict(shop.store.operations), shop.payment(), shop.summary())
    refund = shop.do(shop.refund(500))
    assert refund.status == DirectiveStatus.FAILED
    assert refund.result == {
        "error_code": "nothing_to_refund",
        "error_message": "nothing was captured: the payment of order O1 is authorized",
    }
    assert (dict(shop.store.operations), shop.payment(), shop.summary()) == before
    assert shop.methods() == ["authorize"]
    assert shop.store.refunds == {}


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (
            {"payment_flow": "subscribe"},
            'config["payment_flow"] is \'subscribe\'; it can be "authorize_capture", "charge"',
        ),
        (
            {"late_money": "keep"},
            'config["late_money"] is \'keep\'; it can be "flag", "refund"',
        ),
        (
            {"order_flow": {"auto_transitions": {"on_payment_done": "paid"}}},
            'config["order_flow"]["auto_transitions"] has "on_payment_done"; known: '
            "on_payment_hold, on_payment_confirm, on_payment_partial_refund, on_payment_refund, "
            "on_payment_failed, on_payment_expired, on_payment_cancel, on_payment_dispute",
        ),
        (
            {"order_flow": {"auto_transitions": {"on_payment_hold": 5}}},
            'config["order_flow"]["auto_transitions"]["on_payment_hold"] is not a status name',
        ),
        (
            {"order_flow": {"auto_transitions": ["paid"]}},
            'config["order_flow"]["auto_transitions"] is not an object',
        ),
        (
            {"order_flow": "quick"},
            'config["order_flow"]["auto_transitions"] is not an object',
        ),
    ],
)
def test_a_channel_that_is_configured_wrongly(config: dict[str, Any], problem: str) -> None:
    shop = Shop()
    shop.order(**config)
    rejected(shop, shop.hold(), "channel_config", f'channel "shop": {problem}')


def test_a_channel_with_two_mistakes_is_told_both() -> None:
    shop = Shop()
    shop.order(payment_flow="later", late_money="spend")
    failed = shop.do(shop.hold())
    assert failed.last_error == (
        'channel "shop": config["payment_flow"] is \'later\'; it can be "authorize_capture", '
        '"charge"; config["late_money"] is \'spend\'; it can be "flag", "refund"'
    )


def test_a_channel_with_an_unknown_backend_waits_for_its_repair() -> None:
    shop = Shop()
    shop.order(payment_backend="strype")
    hold = shop.do(shop.hold())
    assert (hold.status, hold.attempts) == (DirectiveStatus.PENDING, 0)
    assert hold.last_error == 'no account "strype"; configured: mock'
    untouched(shop)
    (flag,) = shop.flags()
    assert (flag.kind, flag.message, flag.dedupe_key) == (
        "account_unusable",
        'no account "strype"; configured: mock',
        "account_unusable:shop",
    )
    other = shop.add_account("strype")
    shop.advance(minutes=2)
    assert shop.directive(hold.id).status == DirectiveStatus.COMPLETED
    assert other.held_q("O1") == 1000


def test_a_backend_that_can_neither_hold_nor_charge() -> None:
    class OnlyLooks:
        def get_status(self, transaction_id: str) -> None: ...

    shop = Shop(backend=OnlyLooks())
    shop.order()
    rejected(
        shop,
        shop.hold(),
        "method_unsupported",
        'account "mock" (mock) can neither hold nor charge',
    )


def test_a_hold_on_a_backend_without_holds_is_a_charge_that_confirm_waits_for() -> None:
    class Charges(MockPaymentBackend):
        authorize = None  # type: ignore[assignment]
        capture = None  # type: ignore[assignment]

    shop = Shop(backend=Charges)
    shop.order()
    shop.hold(behaviour={"qr": True})
    confirm = shop.confirm()
    shop.run()
    assert shop.directive(confirm).status == DirectiveStatus.PENDING
    shop.gateway.pay(str(shop.payment().transaction_id))
    shop.sync()
    assert shop.directive(confirm).status == DirectiveStatus.COMPLETED
    assert shop.methods()[0] == "charge"


def test_a_charge_on_a_backend_that_only_holds() -> None:
    class Holds(MockPaymentBackend):
        charge = None  # type: ignore[assignment]

    shop = Shop(backend=Holds)
    shop.order()
    rejected(
        shop,
        shop.charge(),
        "not_supported",
        'the backend "mock" of account "mock" has no charge()',
    )


def test_one_bad_directive_does_not_hold_up_the_others(shop: Shop) -> None:
    shop.order("O2")
    bad = shop.enqueue(Topic.HOLD, "O1", {"amount_q": "all of it"})
    good = shop.hold("O2")
    shop.run()
    assert shop.directive(bad).status == DirectiveStatus.FAILED
    assert shop.directive(good).status == DirectiveStatus.COMPLETED


def test_an_order_can_be_paid_after_a_directive_of_it_was_wrong(shop: Shop) -> None:
    shop.enqueue(Topic.HOLD, payload={"amount_q": 0})
    shop.run()
    assert shop.do(shop.hold()).status == DirectiveStatus.COMPLETED
    assert shop.payment().attempt == 1
