"""Selling with Pix from the session to the money, and back again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from omniman_payment_django.models import Directive
from omniman_payment_django.sessions import cancel_order, confirm_payment, refund_payment

from .shop import Shop


def test_the_shopper_pays_and_the_order_moves_on_by_itself(shop: Shop) -> None:
    order, txid = shop.sold()
    payment = shop.payment(order)
    assert payment.status == "pending"
    assert payment.next_action is not None
    assert payment.next_action["kind"] == "show_qr"
    assert payment.next_action["data"]["copy_paste"].startswith("000201")
    shop.control.pay(txid)
    shop.settle()
    assert shop.facts(order) == [("opened", 1000), ("captured", 1000)]
    assert shop.deliveries("matched") == 1
    shop.agrees(order)
    assert shop.flags() == []


def test_a_channel_that_holds_first_is_confirmed_once_it_is_paid(shop: Shop) -> None:
    order = shop.sell(flow="authorize_capture")
    confirm = confirm_payment(order)
    shop.work()
    confirm.refresh_from_db()
    assert (confirm.status, confirm.waiting) == ("pending", True)
    assert shop.payment(order).status == "pending"
    shop.control.pay(shop.txid(order))
    shop.settle()
    confirm.refresh_from_db()
    assert confirm.status == "completed"
    assert shop.facts(order) == [("opened", 1000), ("captured", 1000)]
    shop.agrees(order)


def test_the_money_goes_back_in_parts(shop: Shop) -> None:
    order, _ = shop.paid()
    for amount in (300, 700):
        refund_payment(order, amount)
        shop.settle()
    assert shop.facts(order)[2:] == [("refunded", 300), ("refunded", 700)]
    assert shop.payment(order).status == "refunded"
    assert shop.control.moved(order.ref) == 0
    shop.agrees(order)
    assert shop.flags() == []


def test_a_refund_that_waits_and_arrives(shop: Shop) -> None:
    order, txid = shop.paid()
    shop.control.returns("wait")
    refund_payment(order, 400)
    shop.settle()
    assert shop.facts(order)[2:] == [("refund_pending", 400)]
    _settle(shop, txid, "DEVOLVIDO")
    shop.settle()
    assert shop.facts(order)[3:] == [("refunded", 400)]
    shop.agrees(order)


def test_a_refund_that_waits_and_fails_is_the_shops_money_again(shop: Shop) -> None:
    order, txid = shop.paid()
    shop.control.returns("wait")
    refund_payment(order, 400)
    shop.settle()
    _settle(shop, txid, "NAO_REALIZADO")
    shop.settle()
    assert shop.facts(order)[2:] == [("refund_pending", 400), ("refund_failed", 400)]
    assert shop.payment(order).status == "captured"
    assert shop.flags() == ["refund_failed"]
    shop.agrees(order)


def test_a_refund_made_in_efis_own_app_is_found(shop: Shop) -> None:
    order, txid = shop.paid()
    shop.control.refund_outside(txid, 250)
    shop.settle()
    assert shop.facts(order)[2:] == [("refunded", 250)]
    shop.agrees(order)


def test_an_unpaid_charge_is_withdrawn_with_its_order(shop: Shop) -> None:
    order, txid = shop.sold()
    cancel_order(order, "a test")
    shop.work()
    assert shop.payment(order).status == "cancelled"
    (changed,) = shop.asked("PATCH", f"/v2/cob/{txid}")
    assert changed["status"] == 200
    shop.agrees(order)


@pytest.mark.parametrize("policy", ["flag", "refund"])
def test_a_charge_that_is_paid_while_it_is_withdrawn(shop: Shop, policy: str) -> None:
    order, txid = shop.sold(late_money=policy)
    shop.control.pause()
    shop.control.pay(txid)
    cancel_order(order, "a test")
    shop.settle()
    assert ("captured", 1000) in shop.facts(order)
    shop.agrees(order)
    if policy == "refund":
        assert shop.control.moved(order.ref) == 0
    else:
        assert shop.control.moved(order.ref) == 1000
        assert shop.flags() != []


def test_an_open_charge_expires_at_its_time(shop: Shop) -> None:
    order, _ = shop.sold()
    shop.let_pass(timedelta(hours=1, minutes=2))
    shop.look()
    assert shop.payment(order).status == "expired"
    assert shop.facts(order) == [("opened", 1000), ("expired", 0)]
    shop.agrees(order)


def test_a_declined_charge_fails_with_its_reason(shop: Shop) -> None:
    shop.control.decline_next("documento_bloqueado")
    order = shop.sell()
    shop.work()
    assert shop.payment(order).status == "failed"
    (directive,) = Directive.objects.filter(order_ref=order.ref, topic="payment.charge")
    assert directive.result["error_code"] == "declined"
    assert "bloqueio" in directive.result["error_message"]


def test_the_payer_is_told_what_the_shop_says_and_no_metadata(shop: Shop) -> None:
    order, txid = shop.sold(
        payment_method={
            "type": "pix",
            "debtor": {"name": "Ana Lima", "cpf": "123.456.789-09"},
            "extra_info": {"Mesa": "12"},
        }
    )
    (asked,) = shop.asked("PUT", f"/v2/cob/{txid}")
    body = asked["body"]
    assert body["devedor"] == {"cpf": "12345678909", "nome": "Ana Lima"}
    assert body["infoAdicionais"] == [
        {"nome": "order_ref", "valor": order.ref},
        {"nome": "Mesa", "valor": "12"},
    ]
    assert body["solicitacaoPagador"] == f"Pedido {order.ref}"
    assert "payment_id" not in str(body)


def _settle(shop: Shop, txid: str, status: str) -> None:
    """The one refund of a charge comes to its end at the gateway."""
    (returned,) = [
        r for r in shop.control.requests() if r["method"] == "PUT" and "/devolucao/" in r["path"]
    ]
    e2eid, number = returned["path"].split("/")[3], returned["path"].split("/")[5]
    shop.control.settle_return(e2eid, number, status)
