"""The address is the permission: made here only, for one order, for a time."""

from __future__ import annotations

import time

import pytest
from django.core import signing
from django.test import Client, RequestFactory, override_settings

from omniman_payment_django.models import Order
from omniman_payment_django.pay import pay_url
from omniman_payment_django.pay.address import order_ref_of

from .options import pay_page_with
from .shop import SECRET, Shop


def token_of(path: str) -> str:
    return path.removeprefix("/payments/pay/").removesuffix("/")


def test_an_address_leads_to_its_own_orders_page(shop: Shop) -> None:
    first, second = shop.waiting(), shop.waiting()
    page = shop.page(first)
    assert page.status_code == 200
    assert first.order_ref in page.content.decode()
    assert second.order_ref not in page.content.decode()
    assert order_ref_of(token_of(shop.url(second))) == second.order_ref


def test_an_address_is_absolute_where_a_request_is_at_hand(shop: Shop) -> None:
    order = shop.order()
    request = RequestFactory().get("/", headers={"Host": "testserver"}, secure=True)
    assert pay_url(order, request).startswith("https://testserver/payments/pay/")


def test_an_address_holds_no_secret_and_no_amount(shop: Shop) -> None:
    payment = shop.waiting()
    token = token_of(shop.url(payment))
    content = signing.b64_decode(token.split(".")[0].encode()).decode()
    assert content == f'"{payment.order_ref}"'
    assert SECRET not in token


def _altered(token: str) -> list[str]:
    value, stamp, signature = token.split(".")
    other = signing.b64_encode(b'"WEB-1000000"').decode()
    return [
        f"{other}.{stamp}.{signature}",
        f"{value}.{signing.b62_encode(int(time.time()) + 90)}.{signature}",
        f"{value}.{stamp}.{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        f"{value}.{stamp}",
        value,
        signing.TimestampSigner(salt="of something else", sep=".").sign_object("WEB-1"),
        signing.TimestampSigner(
            key="another project", salt="omniman_payment_django.pay", sep="."
        ).sign_object("WEB-1"),
        signing.TimestampSigner(salt="omniman_payment_django.pay", sep=".").sign_object(17),
        "WEB-1",
        "x" * 4000,
        "%00",
        "ação",
    ]


def test_a_wrong_address_is_a_page_that_tells_nothing_of_orders(shop: Shop) -> None:
    payment = shop.waiting()
    before = shop.client.get("/payments/pay/nonsense/").content
    assert b"not valid" in before
    for token in _altered(token_of(shop.url(payment))):
        for path in (f"/payments/pay/{token}/", f"/payments/pay/{token}/status/"):
            answer = shop.client.get(path)
            assert answer.status_code == 404, token
            assert answer.content == before, token
            assert answer.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert shop.syncs(payment) == []


def test_no_single_letter_of_an_address_can_be_another(shop: Shop) -> None:
    token = token_of(shop.url(shop.waiting()))
    assert order_ref_of(token) is not None
    for place, letter in enumerate(token):
        for other in "AQgw_-.0":
            if other != letter:
                assert order_ref_of(token[:place] + other + token[place + 1 :]) is None, place
    for length in range(len(token)):
        assert order_ref_of(token[:length]) is None, length


def test_the_signature_of_one_order_opens_no_other(shop: Shop) -> None:
    mine, theirs = (token_of(shop.url(shop.waiting())) for _ in range(2))
    value, _, proof = theirs.partition(".")
    assert order_ref_of(f"{value}.{proof}") is not None
    assert order_ref_of(f"{value}.{mine.partition('.')[2]}") is None
    assert shop.client.get(f"/payments/pay/{value}.{mine.partition('.')[2]}/").status_code == 404


def test_an_address_ends_when_its_time_is_over(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = shop.waiting()
    url, now = shop.url(payment), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 24 * 3600 - 5)
    assert shop.client.get(url).status_code == 200
    monkeypatch.setattr(time, "time", lambda: now + 24 * 3600 + 5)
    assert shop.client.get(url).status_code == 404
    with pay_page_with(valid_for_seconds=48 * 3600):
        assert shop.client.get(url).status_code == 200


def test_an_address_outlives_a_change_of_the_key_while_the_old_one_is_kept(shop: Shop) -> None:
    payment = shop.waiting()
    url = shop.url(payment)
    with override_settings(SECRET_KEY="a new one", SECRET_KEY_FALLBACKS=["only for tests"]):
        assert shop.client.get(url).status_code == 200
    with override_settings(SECRET_KEY="a new one", SECRET_KEY_FALLBACKS=[]):
        assert shop.client.get(url).status_code == 404


def test_an_address_works_for_another_projects_order(database: object) -> None:
    class TheirOrder:
        ref = "their-order/17 ü"

    assert order_ref_of(token_of(pay_url(TheirOrder()))) == TheirOrder.ref
    answer = Client().get(pay_url(TheirOrder()))
    assert answer.status_code == 200
    assert "We are preparing your payment" in answer.content.decode()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
def test_the_page_can_only_be_read(shop: Shop, method: str) -> None:
    payment = shop.waiting()
    for path in (shop.url(payment), f"{shop.url(payment)}status/"):
        answer = getattr(shop.client, method)(path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert answer.content == b""
    assert shop.syncs(payment) == []


def test_head_answers_like_get_without_a_body_and_causes_nothing(shop: Shop) -> None:
    payment = shop.waiting()
    for path in (shop.url(payment), f"{shop.url(payment)}status/"):
        answer = shop.client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")
    assert shop.syncs(payment) == []


def test_opening_the_page_changes_no_row_and_starts_no_session(shop: Shop) -> None:
    payment = shop.waiting()
    before = list(type(payment).objects.values()) + list(Order.objects.values())
    for _ in range(3):
        answer = shop.page(payment)
        assert answer.cookies == {}
    assert list(type(payment).objects.values()) + list(Order.objects.values()) == before
    assert shop.syncs(payment) == []
