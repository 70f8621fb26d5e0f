"""The page in Chromium: it is paid on, turns to paid by itself, and says what is wrong if not.

Skipped where Chromium, its driver or selenium is missing.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from omniman_payment_core.values import NextAction
from omniman_payment_django.models import Payment
from omniman_payment_mock import rules
from tests.django_web.server import Server, running_server

from .options import pay_page_with
from .shop import Shop, stripe_action
from .stripe_script import StripeScript, stripe_script

webdriver = pytest.importorskip("selenium.webdriver")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not CHROMIUM or not DRIVER, reason="chromium and chromedriver are not installed"
)

PATIENCE = 30
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=320,700",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"intl.accept_languages": "en"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def server(shop: Shop) -> Iterator[Server]:
    with running_server() as started:
        yield started


@pytest.fixture
def payment(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Payment:
    """A payment whose gateway goes on naming Stripe's form as what there is to do."""
    action = stripe_action()
    monkeypatch.setattr(
        rules, "next_action_of", lambda txn: NextAction(action["kind"], action["data"])
    )
    return shop.waiting()


@pytest.fixture
def script(shop: Shop, payment: Payment) -> Iterator[StripeScript]:
    """Stripe's side of the page: a good card pays at the gateway."""

    def confirm() -> bool:
        shop.gateway.confirm_3ds(str(payment.transaction_id))
        return True

    with (
        stripe_script(confirm) as running,
        pay_page_with(stripe_js=running.url, sync_every_seconds=1),
    ):
        yield running


def open_page(browser: Any, server: Server, path: str) -> None:
    browser.get_log("browser")
    browser.get(f"http://localhost:{server.address[1]}{path}")


def until(browser: Any, condition: Any, work: Any = None) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    def check(driver: Any) -> Any:
        if work is not None:
            work()
        return condition(driver)

    return WebDriverWait(browser, PATIENCE, poll_frequency=0.2).until(check)


def element(browser: Any, id: str) -> Any:
    return browser.find_element("id", id)


def complaints(browser: Any) -> list[str]:
    """What the browser refused, such as what the policy forbids."""
    return [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"]


def test_a_shopper_pays_and_the_page_turns_to_paid_by_itself(
    shop: Shop, server: Server, payment: Payment, script: StripeScript, browser: Any
) -> None:
    url = shop.url(payment)
    open_page(browser, server, f"{url}?redirect_status=succeeded")
    until(browser, lambda _: element(browser, "pay-element").find_elements("tag name", "iframe"))
    assert browser.current_url.endswith(url)
    browser.execute_script("window.samePage = true")
    until(browser, lambda _: element(browser, "pay-button").is_displayed())
    element(browser, "pay-button").click()
    until(browser, lambda _: "arrived" in element(browser, "pay-title").text, shop.work)
    assert script.confirmed == 1
    assert browser.execute_script("return window.samePage") is True
    assert browser.title.startswith("Your payment has arrived")
    assert browser.find_elements("id", "pay-action") == []
    assert complaints(browser) == []
    wide = "return document.documentElement.scrollWidth > window.innerWidth"
    assert browser.execute_script(wide) is False
    browser.refresh()
    assert browser.find_elements("tag name", "form") == []
    payment.refresh_from_db()
    assert payment.status == "captured"


def test_a_declined_card_is_told_and_can_be_tried_again(
    shop: Shop, server: Server, payment: Payment, script: StripeScript, browser: Any
) -> None:
    script.confirm = lambda: False
    open_page(browser, server, shop.url(payment))
    until(browser, lambda _: element(browser, "pay-button").is_displayed())
    element(browser, "pay-button").click()
    until(browser, lambda _: element(browser, "pay-problem").is_displayed())
    assert element(browser, "pay-problem").text == "Your card was declined."
    assert element(browser, "pay-button").is_enabled()


def test_a_page_opened_again_after_paying_does_not_show_the_form(
    shop: Shop, server: Server, payment: Payment, script: StripeScript, browser: Any
) -> None:
    script.intent = "succeeded"
    open_page(browser, server, shop.url(payment))
    until(browser, lambda _: "We are checking" in element(browser, "pay-title").text)
    assert not element(browser, "pay-form").is_displayed()


def test_a_page_that_cannot_reach_stripe_says_what_to_do(
    shop: Shop, server: Server, payment: Payment, browser: Any
) -> None:
    with socket.socket() as nobody:
        # Bound and not listening: every connection is refused.
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/stripe.js"
        with pay_page_with(stripe_js=url):
            open_page(browser, server, shop.url(payment))
            until(browser, lambda _: element(browser, "pay-unreachable").is_displayed())
            assert "could not be loaded" in element(browser, "pay-unreachable").text
            assert not element(browser, "pay-form").is_displayed()
            assert not element(browser, "pay-loading").is_displayed()


def test_a_bank_that_asks_is_asked_by_a_button(
    shop: Shop, server: Server, payment: Payment, script: StripeScript, browser: Any
) -> None:
    payment.next_action = stripe_action("authenticate")
    payment.save()
    open_page(browser, server, shop.url(payment))
    until(browser, lambda _: element(browser, "pay-button").is_displayed())
    assert element(browser, "pay-button").text == "Continue to your bank"
    element(browser, "pay-button").click()
    until(browser, lambda _: "arrived" in element(browser, "pay-title").text, shop.work)
    assert script.confirmed == 1


def test_without_javascript_the_page_says_so(
    shop: Shop, server: Server, payment: Payment, browser: Any
) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        open_page(browser, server, shop.url(payment))
        text = browser.find_element("tag name", "main").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "JavaScript is off" in text
    assert payment.order_ref in text
