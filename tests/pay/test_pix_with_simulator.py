"""The page of a Pix charge in Chromium, with the plugin, the worker and the simulator behind it.

Skipped where Chromium, its driver or selenium is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from omniman_payment_django.models import Order, Payment
from omniman_payment_django.pay import pay_url
from omniman_payment_django.sessions import cancel_order, refund_payment
from omniman_payment_simulators.pix import PixSimulator
from tests.django_web.server import Server, running_server
from tests.pix_shop.shop import Shop, pix_shop

from . import pix_page
from .options import pay_page_with
from .test_in_a_browser import browser, complaints, element, open_page, pytestmark, until

__all__ = ["browser", "pytestmark"]  # where pytest looks for them


@pytest.fixture
def shop(database: object) -> Iterator[Shop]:
    with (
        PixSimulator() as simulator,
        pix_shop(simulator) as opened,
        pay_page_with(sync_every_seconds=1),
        override_settings(ROOT_URLCONF="tests.pay.urls"),
    ):
        yield opened


@pytest.fixture
def server(shop: Shop) -> Iterator[Server]:
    with running_server() as started:
        yield started


@pytest.fixture(autouse=True)
def phone(browser: Any) -> None:
    pix_page.size(browser, pix_page.PHONE)
    pix_page.language(browser, "en")
    pix_page.colours(browser, "light")


def code_of(shop: Shop, order: Order) -> str:
    action = shop.payment(order).next_action
    assert action is not None
    return str(action["data"]["copy_paste"])


def opened(shop: Shop, browser: Any, server: Server, **sale: Any) -> tuple[Order, str]:
    """A charge whose shopper has the page open."""
    order, txid = shop.sold(**sale)
    open_page(browser, server, pay_url(order))
    browser.execute_script("window.samePage = true")
    return order, txid


def until_it_says(browser: Any, title: str, work: Any = None) -> None:
    """The page itself comes to say so, without being loaded again."""
    until(browser, lambda _: element(browser, "pay-title").text == title, work)
    assert browser.execute_script("return window.samePage") is True


def test_the_shopper_scans_pays_and_the_page_turns_to_paid_by_itself(
    shop: Shop, server: Server, browser: Any
) -> None:
    order, txid = opened(shop, browser, server)
    shown = pix_page.scanned(pix_page.photograph(browser, "pix-simulator-waiting"))
    assert shown == [code_of(shop, order)]
    assert element(browser, "qr-code").get_attribute("value") == shown[0]
    shop.control.pay(txid)
    until_it_says(browser, "Your payment has arrived", shop.work)
    assert browser.find_elements("id", "qr-code") == []
    assert complaints(browser) == []
    assert shop.payment(order).status == "captured"
    assert shop.flags() == []
    shop.agrees(order)


def test_a_payment_whose_notification_is_lost_is_shown_all_the_same(
    shop: Shop, server: Server, browser: Any
) -> None:
    order, txid = opened(shop, browser, server)
    shop.control.pause()
    shop.control.pay(txid)
    until_it_says(browser, "Your payment has arrived", shop.poll)
    shop.agrees(order)


def test_an_unpaid_charge_ends_on_the_open_page(shop: Shop, server: Server, browser: Any) -> None:
    order, _ = opened(shop, browser, server)
    # The host's own clock stays: no charge is short enough to wait for its end here.
    Payment.objects.filter(order_ref=order.ref).update(expires_at=timezone.now())
    until_it_says(browser, "This payment is being closed")
    assert browser.find_elements("id", "qr-code") == []
    shop.let_pass(timedelta(hours=2))
    until_it_says(browser, "The time to pay is over", shop.look)
    assert shop.payment(order).status == "expired"


def test_what_was_refunded_is_shown_as_returned(shop: Shop, server: Server, browser: Any) -> None:
    order, txid = opened(shop, browser, server)
    shop.control.pay(txid)
    until_it_says(browser, "Your payment has arrived", shop.work)
    refund_payment(order, 400)
    shop.settle()
    browser.refresh()
    assert element(browser, "pay-title").text == "Your payment was returned in part"
    refund_payment(order)
    shop.settle()
    browser.refresh()
    assert element(browser, "pay-title").text == "Your payment was returned"
    shop.agrees(order)


def test_a_cancelled_order_takes_its_code_off_the_open_page(
    shop: Shop, server: Server, browser: Any
) -> None:
    order, _ = opened(shop, browser, server)
    cancel_order(order, "a test")
    until_it_says(browser, "This payment was cancelled", shop.work)
    assert browser.find_elements("id", "qr-code") == []


def test_a_payer_who_sent_less_is_not_told_that_all_is_well(
    shop: Shop, server: Server, browser: Any
) -> None:
    _, txid = opened(shop, browser, server)
    shop.control.pay(txid, 400)
    until_it_says(browser, "Only a part of the payment has arrived", shop.work)
