"""Nobody but this machine's own user gets anything done: hosts, forged forms, frames, the admin."""

from __future__ import annotations

import socket
import urllib.parse

import pytest

from .process import Running, Visitor


@pytest.mark.parametrize("path", ["/", "/ledger/", "/orders/none/", "/admin/login/"])
def test_nothing_inline_runs_and_nobody_frames_a_page(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Cache-Control"]


def test_the_pay_page_keeps_its_own_policy(visitor: Visitor, shop: Running) -> None:
    window = visitor.get("/")
    page = visitor.send(window, window.form("Buy"), way="stripe-hold")
    assert "/payments/pay/" in page.url
    assert page.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/orders/SHOP-1001/ask/", "/orders/SHOP-1001/play/"])
def test_a_forged_form_is_refused(visitor: Visitor, path: str) -> None:
    answer = visitor.post(path, {"what": "refund", "way": "mock-charge"})
    assert answer.status == 403
    assert "not from a page of this shop" in answer.text


def test_nothing_is_done_by_a_link(visitor: Visitor) -> None:
    ref = visitor.buy("mock-charge")
    assert visitor.get(f"/orders/{ref}/ask/").status == 405
    assert visitor.get(f"/orders/{ref}/play/").status == 405


def test_another_host_name_is_refused(visitor: Visitor) -> None:
    assert visitor.post("/", {}, Host="shop.example").status == 400


def test_it_listens_on_loopback_alone(shop: Running) -> None:
    port = urllib.parse.urlsplit(shop.url).port
    # All of 127/8 is this machine; a server on every address would answer here as well.
    with pytest.raises(ConnectionRefusedError), socket.socket() as elsewhere:
        elsewhere.connect(("127.0.0.2", port))


def test_the_admin_opens_with_the_password_that_was_printed(
    visitor: Visitor, shop: Running
) -> None:
    login = visitor.get("/admin/")
    inside = visitor.send(login, login.forms[0], username=shop.user, password=shop.password)
    assert inside.status == 200
    assert "Webhook deliveries" in inside.text


def test_an_unknown_order_is_not_found(visitor: Visitor) -> None:
    answer = visitor.get("/orders/SHOP-0/")
    assert answer.status == 404
    assert "There is nothing here" in answer.text
