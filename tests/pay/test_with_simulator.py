"""The page in Chromium with a real account's code behind it: plugin, worker, webhooks, simulator.

Nothing of the shop is replaced: the Stripe plugin speaks to the simulator over HTTP, the page
loads the simulator's script, and the shop's own worker and endpoint take it from there. Skipped
where Chromium, its driver or selenium is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from omniman_payment_django.models import Order
from omniman_payment_django.pay import pay_url
from omniman_payment_simulators.stripe import StripeSimulator
from tests.django_web.server import Server, running_server
from tests.stripe_shop.shop import CARD, Shop, stripe_shop

from .options import pay_page_with
from .test_in_a_browser import browser, complaints, element, open_page, pytestmark, until

__all__ = ["browser", "pytestmark"]  # where pytest looks for them

THREE_D = "4000 0000 0000 3220"


@pytest.fixture
def shop(database: object, stripe_simulator: StripeSimulator) -> Iterator[Shop]:
    script = f"{stripe_simulator.url}/js/stripe.js"
    with (
        stripe_shop(stripe_simulator) as opened,
        pay_page_with(stripe_js=script, sync_every_seconds=1),
        override_settings(ROOT_URLCONF="tests.pay.urls"),
    ):
        assert settings.OMNIMAN["PAY_PAGE"]["stripe_js"] == script
        yield opened


@pytest.fixture
def server(shop: Shop) -> Iterator[Server]:
    with running_server() as started:
        yield started


def order_on_page(shop: Shop, browser: Any, server: Server, **sale: Any) -> Order:
    """An order whose shopper has the page open, with something to press."""
    order = shop.sell(**sale)
    shop.work()
    open_page(browser, server, pay_url(order))
    until(browser, lambda _: element(browser, "pay-button").is_displayed())
    return order


def give(browser: Any, number: str) -> None:
    """Type a card's number and pay."""
    field = until(browser, lambda _: element(browser, "simulated-card"))
    field.clear()
    field.send_keys(number)
    element(browser, "pay-button").click()


def answer_the_bank(browser: Any, button: str) -> None:
    until(browser, lambda b: b.find_elements("id", button))
    element(browser, button).click()


def problem(browser: Any) -> str:
    """What the page says about an attempt that failed."""
    until(browser, lambda _: element(browser, "pay-problem").is_displayed())
    return str(element(browser, "pay-problem").text)


def until_authorized(shop: Shop, browser: Any, order: Order) -> None:
    """The page says so by itself, and both ledgers agree."""
    title = "Your payment is approved"
    until(browser, lambda _: element(browser, "pay-title").text == title, shop.work)
    shop.settle()
    assert shop.payment(order).status == "authorized"
    taken = [fact for fact in shop.facts(order) if fact[0] not in ("opened", "action_required")]
    assert taken == [("authorized", 1000)]
    assert shop.control.held(order.ref) == 1000
    shop.agrees(order)


def test_a_shopper_pays_with_a_card(shop: Shop, server: Server, browser: Any) -> None:
    order = order_on_page(shop, browser, server)
    give(browser, "4242 4242 4242 4242")
    until_authorized(shop, browser, order)
    assert complaints(browser) == []


def test_a_declined_card_is_followed_by_another(shop: Shop, server: Server, browser: Any) -> None:
    order = order_on_page(shop, browser, server)
    give(browser, "4000000000009995")
    assert problem(browser) == "Your card has insufficient funds."
    assert shop.control.held(order.ref) == 0
    give(browser, "4242424242424242")
    until_authorized(shop, browser, order)
    # The browser itself notes every answer of 402; nothing else may be there.
    assert [said for said in complaints(browser) if "402" not in said] == []


def test_a_mistyped_number_is_told(shop: Shop, server: Server, browser: Any) -> None:
    order = order_on_page(shop, browser, server)
    give(browser, "4242 4242 4242 4241")
    assert problem(browser) == "Your card number is incorrect."
    give(browser, "4242 4242 4242 4242")
    until_authorized(shop, browser, order)


def test_a_shopper_passes_3d_secure_in_the_form(shop: Shop, server: Server, browser: Any) -> None:
    order = order_on_page(shop, browser, server)
    give(browser, THREE_D)
    answer_the_bank(browser, "simulated-complete")
    until_authorized(shop, browser, order)
    assert complaints(browser) == []


def test_a_shopper_fails_3d_secure_and_pays_with_another_card(
    shop: Shop, server: Server, browser: Any
) -> None:
    order = order_on_page(shop, browser, server)
    give(browser, THREE_D)
    answer_the_bank(browser, "simulated-fail")
    assert "unable to authenticate" in problem(browser)
    assert shop.control.held(order.ref) == 0
    give(browser, "4242424242424242")
    until_authorized(shop, browser, order)
    assert complaints(browser) == []


def test_a_card_given_before_is_authenticated_on_the_page(
    shop: Shop, server: Server, browser: Any
) -> None:
    card = CARD | {"payment_method_id": "pm_card_threeDSecure2Required"}
    order = order_on_page(shop, browser, server, payment_method=card)
    assert element(browser, "pay-button").text == "Continue to your bank"
    element(browser, "pay-button").click()
    answer_the_bank(browser, "simulated-complete")
    until_authorized(shop, browser, order)
    assert complaints(browser) == []


def test_a_bank_that_says_no_takes_nothing(shop: Shop, server: Server, browser: Any) -> None:
    card = CARD | {"payment_method_id": "pm_card_threeDSecure2Required"}
    order = order_on_page(shop, browser, server, payment_method=card)
    element(browser, "pay-button").click()
    answer_the_bank(browser, "simulated-fail")
    until(browser, lambda _: shop.payment(order).status == "failed", shop.work)
    assert shop.control.ledger()["movements"] == []
    assert complaints(browser) == []
