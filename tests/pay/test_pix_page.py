"""The page of a Pix charge in Chromium, with the plugin, the worker and the simulator behind it.

Skipped where Chromium, its driver or selenium is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from omniman_payment_django.models import Order, Payment
from omniman_payment_django.pay import pay_url
from omniman_payment_django.sessions import cancel_order, refund_payment
from omniman_payment_simulators.pix import PixSimulator
from tests.django_web.server import Server, running_server
from tests.pix_shop.shop import Shop, pix_shop

from .options import pay_page_with
from .test_in_a_browser import browser, complaints, element, open_page, pytestmark, until

pix_page = pytest.importorskip("tests.pay.pix_page")

__all__ = ["browser", "pytestmark"]  # where pytest looks for them

PHONE, DESKTOP = (320, 700), (1280, 900)
PAID = "Your payment has arrived"


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
    """Every test begins on a phone that speaks English, with scripts and in the light."""
    size(browser, PHONE)
    language(browser, "en")
    colours(browser, "light")


def size(browser: Any, window: tuple[int, int]) -> None:
    width, height = window
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 600},
    )


def language(browser: Any, code: str) -> None:
    browser.execute_cdp_cmd(
        "Network.setUserAgentOverride",
        {
            "userAgent": browser.execute_script("return navigator.userAgent"),
            "acceptLanguage": code,
        },
    )


def colours(browser: Any, scheme: str) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )


@contextmanager
def without_scripts(browser: Any) -> Iterator[None]:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def code_of(shop: Shop, order: Order) -> str:
    action = shop.payment(order).next_action
    assert action is not None
    return str(action["data"]["copy_paste"])


def opened(shop: Shop, browser: Any, server: Server, **sale: Any) -> tuple[Order, str]:
    """A charge whose shopper has the page open."""
    order, txid = shop.sold(**sale)
    open_page(browser, server, pay_url(order))
    return order, txid


def test_the_shopper_scans_pays_and_the_page_turns_to_paid_by_itself(
    shop: Shop, server: Server, browser: Any
) -> None:
    order, txid = opened(shop, browser, server)
    picture = pix_page.photograph(browser, "pix-waiting-phone-en")
    assert pix_page.scanned(picture) == [code_of(shop, order)]
    browser.execute_script("window.samePage = true")
    shop.control.pay(txid)
    until(browser, lambda _: element(browser, "pay-title").text == PAID, shop.work)
    assert browser.execute_script("return window.samePage") is True
    assert browser.find_elements("id", "qr-code") == []
    assert complaints(browser) == []
    assert shop.payment(order).status == "captured"
    assert shop.flags() == []


def test_the_code_is_copied_and_said_to_be(shop: Shop, server: Server, browser: Any) -> None:
    order, _ = opened(shop, browser, server)
    browser.execute_script(
        "window.copied = []; navigator.clipboard.writeText = async (t) => { copied.push(t); }"
    )
    element(browser, "qr-copy").click()
    until(browser, lambda _: element(browser, "qr-copied").text == "Copied")
    assert browser.execute_script("return copied") == [code_of(shop, order)]
    assert element(browser, "qr-copied").get_attribute("role") == "status"


def test_without_a_clipboard_the_code_is_copied_the_old_way(
    shop: Shop, server: Server, browser: Any
) -> None:
    opened(shop, browser, server)
    browser.execute_script(
        "window.commands = [];"
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.execCommand = (name) => { commands.push([name, String(getSelection())]); "
        "return true; }"
    )
    element(browser, "qr-copy").click()
    until(browser, lambda _: element(browser, "qr-copied").text == "Copied")
    ((name, _),) = browser.execute_script("return commands")
    assert name == "copy"
    field = element(browser, "qr-code")
    chosen = browser.execute_script(
        "return arguments[0].selectionEnd - arguments[0].selectionStart", field
    )
    assert chosen == len(field.get_attribute("value"))


def test_the_countdown_runs_by_the_servers_clock(shop: Shop, server: Server, browser: Any) -> None:
    browser.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {"source": "const now = Date.now; Date.now = () => now() - 7.2e6;"},
    )
    opened(shop, browser, server, payment_method={"type": "pix", "expires_in_seconds": 600})
    shown = element(browser, "qr-countdown")
    first = until(browser, lambda _: shown.text)
    assert first.startswith(("09:", "10:00"))
    until(browser, lambda _: shown.text < first)


def test_the_last_minutes_are_announced_and_the_ticking_is_not(
    shop: Shop, server: Server, browser: Any
) -> None:
    opened(shop, browser, server, payment_method={"type": "pix", "expires_in_seconds": 63})
    assert element(browser, "qr-countdown").get_attribute("aria-live") == "off"
    spoken = element(browser, "qr-spoken")
    said = until(browser, lambda _: spoken.get_attribute("textContent"))
    assert said == "1 minute left to pay."
    assert spoken.get_attribute("role") == "status"


def test_a_page_that_is_open_when_the_time_is_over_says_so(
    shop: Shop, server: Server, browser: Any
) -> None:
    order, _ = opened(shop, browser, server)
    Payment.objects.filter(pk=shop.payment(order).pk).update(
        expires_at=shop.clock() - timedelta(seconds=1)
    )
    until(browser, lambda _: "being closed" in element(browser, "pay-title").text)
    assert browser.find_elements("id", "qr-code") == []
    shop.let_pass(timedelta(hours=2))
    until(browser, lambda _: "time to pay is over" in element(browser, "pay-title").text, shop.look)
    pix_page.photograph(browser, "pix-expired-phone-en")


def test_a_refund_and_a_withdrawal_are_shown(shop: Shop, server: Server, browser: Any) -> None:
    paid, _ = shop.paid()
    refund_payment(paid)
    shop.settle()
    open_page(browser, server, pay_url(paid))
    assert element(browser, "pay-title").text == "Your payment was returned"
    pix_page.photograph(browser, "pix-refunded-phone-en")
    unpaid, _ = shop.sold()
    cancel_order(unpaid, "a test")
    shop.work()
    open_page(browser, server, pay_url(unpaid))
    assert element(browser, "pay-title").text == "This payment was cancelled"
    pix_page.photograph(browser, "pix-cancelled-phone-en")


def test_a_payer_who_sent_less_is_not_told_that_all_is_well(
    shop: Shop, server: Server, browser: Any
) -> None:
    order, txid = shop.sold()
    shop.control.pay(txid, 400)
    shop.settle()
    open_page(browser, server, pay_url(order))
    assert element(browser, "pay-title").text == "Only a part of the payment has arrived"


def test_without_javascript_there_is_all_that_paying_needs(
    shop: Shop, server: Server, browser: Any
) -> None:
    with without_scripts(browser):
        order, _ = opened(shop, browser, server)
        picture = pix_page.photograph(browser, "pix-waiting-phone-no-script")
        assert element(browser, "qr-code").get_attribute("value") == code_of(shop, order)
        assert not element(browser, "qr-copy").is_displayed()
        assert element(browser, "pay-deadline").is_displayed()
        refresh = browser.find_element("css selector", "noscript meta[http-equiv=refresh]")
        assert refresh.get_attribute("content") == "20"
    assert pix_page.scanned(picture) == [code_of(shop, order)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("code", ["en", "pt-BR"])
@pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_it_can_be_read_scanned_and_pressed_everywhere(
    shop: Shop, server: Server, browser: Any, window: tuple[int, int], code: str, scheme: str
) -> None:
    size(browser, window)
    language(browser, code)
    colours(browser, scheme)
    order, txid = opened(shop, browser, server)
    name = f"{'phone' if window == PHONE else 'desktop'}-{code}-{scheme}"
    picture = pix_page.photograph(browser, f"pix-waiting-{name}")
    assert pix_page.scanned(picture) == [code_of(shop, order)]
    assert browser.find_element("tag name", "html").get_attribute("lang") == code
    assert not pix_page.wider_than_window(browser)
    assert pix_page.faint(browser) == []
    assert element(browser, "qr-copy").size["height"] >= 44
    assert element(browser, "qr-copy").text == (
        "Copy the code" if code == "en" else "Copiar o código"
    )
    label = browser.find_element("css selector", "label[for=qr-code]")
    assert label.is_displayed()
    shop.control.pay(txid)
    shop.settle()
    until(browser, lambda _: element(browser, "pay").get_attribute("data-done") == "true")
    pix_page.photograph(browser, f"pix-paid-{name}")
    assert pix_page.faint(browser) == []


def test_what_has_the_focus_can_be_seen(shop: Shop, server: Server, browser: Any) -> None:
    opened(shop, browser, server)
    seen = []
    for _ in range(2):
        browser.switch_to.active_element.send_keys("\ue004")
        focused = browser.switch_to.active_element
        seen.append(focused.get_attribute("id"))
        width = browser.execute_script(
            "return getComputedStyle(arguments[0]).outlineStyle + "
            "getComputedStyle(arguments[0]).outlineWidth",
            focused,
        )
        assert width == "solid3px"
    assert seen == ["qr-code", "qr-copy"]
