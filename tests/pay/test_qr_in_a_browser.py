"""The page of a code to scan or copy, as Chromium shows it: on phones, in the dark, by keyboard.

Payments are rows here; the whole way with a gateway is proven beside. Skipped where Chromium, its
driver or selenium is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from omniman_payment_django.models import Payment
from omniman_payment_django.pay import states
from tests.databases import Database
from tests.django_web.server import Server, running_server

from . import pix_page
from .options import pay_page_with
from .pix_page import DESKTOP, PHONE
from .shop import CODE, Shop, qr_action
from .test_in_a_browser import browser, complaints, element, open_page, pytestmark, until

__all__ = ["browser", "pytestmark"]  # where pytest looks for them

# What a payment is, for the page to say each of its words.
STATES: dict[str, dict[str, Any]] = {
    "paid": {"status": "captured", "captured_q": 1000},
    "underpaid": {"status": "partially_captured", "captured_q": 400},
    "partly-refunded": {"status": "partially_refunded", "captured_q": 1000, "refunded_q": 400},
    "refunded": {"status": "refunded", "captured_q": 1000, "refunded_q": 1000},
    "expired": {"status": "expired"},
    "cancelled": {"status": "cancelled"},
    "failed": {"status": "failed"},
    "closing": {"cancel_requested": True},
    "processing": {"next_action": None},
    "elsewhere": {"next_action": qr_action("")},
}
TAB, ENTER = "\ue004", "\ue007"


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One of the two: what is seen does not depend on it."""
    return sqlite_database


@pytest.fixture
def server(shop: Shop) -> Iterator[Server]:
    with running_server() as started, pay_page_with(shop_url="/"):
        yield started


@pytest.fixture(autouse=True)
def phone(browser: Any) -> None:
    """Every test begins on a phone that speaks English, in the light."""
    look(browser, PHONE, "en", "light")


def look(browser: Any, window: tuple[int, int], code: str, scheme: str) -> None:
    pix_page.size(browser, window)
    pix_page.language(browser, code)
    pix_page.colours(browser, scheme)


def opened(shop: Shop, browser: Any, server: Server, **changes: Any) -> Payment:
    """A payment whose shopper has the page open."""
    end = timezone.now() + timedelta(minutes=15)
    payment = shop.waiting(qr_action(), **{"expires_at": end, **changes})
    open_page(browser, server, shop.url(payment))
    return payment


def becomes(payment: Payment, **changes: Any) -> None:
    """What the worker would have written."""
    Payment.objects.filter(pk=payment.pk).update(**changes)


def stays(browser: Any) -> None:
    browser.execute_script("window.samePage = true")


def stayed(browser: Any) -> bool:
    return browser.execute_script("return window.samePage") is True


def assert_good_to_use(browser: Any, language: str) -> None:
    """What everybody needs of a page, whatever it says."""
    assert browser.find_element("tag name", "html").get_attribute("lang") == language
    assert not pix_page.wider_than_window(browser)
    assert pix_page.faint(browser) == []
    assert pix_page.too_small(browser) == []
    levels = pix_page.headings(browser)
    assert levels[:2] == [1, 2]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_state_can_be_read_and_the_code_be_scanned(
    shop: Shop, server: Server, browser: Any, window: tuple[int, int], language: str, scheme: str
) -> None:
    look(browser, window, language, scheme)
    name = f"{'phone' if window == PHONE else 'desktop'}-{language}-{scheme}"
    payment = opened(shop, browser, server)
    assert element(browser, "qr-copy").text == (
        "Copy the code" if language == "en" else "Copiar o código"
    )
    label = browser.find_element("css selector", "label[for=qr-code]")
    assert label.is_displayed()
    assert_good_to_use(browser, language)
    assert pix_page.scanned(pix_page.photograph(browser, f"pix-waiting-{name}")) == [CODE]
    for state, changes in STATES.items():
        waiting = {"status": "requires_action", "next_action": qr_action(), "captured_q": 0}
        becomes(payment, **{**waiting, "refunded_q": 0, "cancel_requested": False, **changes})
        open_page(browser, server, shop.url(payment))
        word = element(browser, "pay").get_attribute("data-status")
        assert word == state.replace("-", "_")
        assert_good_to_use(browser, language)
        assert browser.find_elements("id", "qr-code") == []
        pix_page.photograph(browser, f"pix-{state}-{name}")
    assert complaints(browser) == []


def test_a_wide_window_shows_code_and_text_side_by_side_and_a_phone_one_below_the_other(
    shop: Shop, server: Server, browser: Any
) -> None:
    opened(shop, browser, server)
    picture, field = element(browser, "qr-picture"), element(browser, "qr-code")
    assert picture.rect["y"] + picture.rect["height"] <= field.rect["y"]
    # Three pixels for each module of a code this long: what phones scan from a screen at ease.
    assert picture.rect["width"] >= 240
    pix_page.size(browser, DESKTOP)
    assert picture.rect["x"] + picture.rect["width"] <= field.rect["x"]
    assert picture.rect["width"] >= 280


def test_what_lies_beyond_a_phones_bottom_is_reached_by_scrolling_down_alone(
    shop: Shop, server: Server, browser: Any
) -> None:
    for width in (320, 360, 412, 768):
        pix_page.size(browser, (width, 600))
        opened(shop, browser, server)
        assert not pix_page.wider_than_window(browser), width


def test_the_code_is_copied_and_said_to_be(shop: Shop, server: Server, browser: Any) -> None:
    opened(shop, browser, server)
    origin = browser.execute_script("return location.origin")
    allowed = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    browser.execute_cdp_cmd("Browser.grantPermissions", {"origin": origin, "permissions": allowed})
    said = element(browser, "qr-copied")
    assert said.get_attribute("role") == "status"
    # It is there before it says something: what appears with its place may go unheard.
    assert said.is_displayed()
    assert said.text == ""
    element(browser, "qr-copy").send_keys(ENTER)
    until(browser, lambda _: said.text == "Copied")
    assert browser.execute_script("return navigator.clipboard.readText()") == CODE
    assert browser.switch_to.active_element.get_attribute("id") == "qr-copy"
    pix_page.photograph(browser, "pix-copied-phone-en-light")


def test_without_a_clipboard_of_its_own_the_page_copies_the_old_way(
    shop: Shop, server: Server, browser: Any
) -> None:
    opened(shop, browser, server)
    browser.execute_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.addEventListener('copy', ({target}) => { window.copied ="
        " target.value.slice(target.selectionStart, target.selectionEnd); });"
    )
    element(browser, "qr-copy").click()
    until(browser, lambda _: element(browser, "qr-copied").text == "Copied")
    assert browser.execute_script("return window.copied") == CODE
    assert browser.switch_to.active_element.get_attribute("id") == "qr-copy"


def test_a_browser_that_copies_in_no_way_leaves_the_code_selected(
    shop: Shop, server: Server, browser: Any
) -> None:
    opened(shop, browser, server)
    browser.execute_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.execCommand = () => false;"
    )
    element(browser, "qr-copy").click()
    until(browser, lambda _: "copy it yourself" in element(browser, "qr-copied").text)
    chosen = "const field = arguments[0]; return field.selectionEnd - field.selectionStart"
    assert browser.execute_script(chosen, element(browser, "qr-code")) == len(CODE)
    assert browser.switch_to.active_element.get_attribute("id") == "qr-code"
    assert pix_page.faint(browser) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    shop: Shop, server: Server, browser: Any, scheme: str
) -> None:
    pix_page.colours(browser, scheme)
    opened(shop, browser, server)
    reached = []
    for _ in range(3):
        browser.switch_to.active_element.send_keys(TAB)
        focused = browser.switch_to.active_element
        reached.append(focused.get_attribute("id") or focused.text)
        style, width, ratio = pix_page.outline(browser, focused)
        assert (style, width) == ("solid", "3px")
        assert ratio >= 3
    assert reached == ["qr-code", "qr-copy", "Back to the shop"]


def test_the_countdown_runs_by_the_servers_clock(shop: Shop, server: Server, browser: Any) -> None:
    wrong = "const now = Date.now; Date.now = () => now() - 7.2e6;"
    with pix_page.before_every_page(browser, wrong):
        payment = opened(shop, browser, server)
        shown = element(browser, "qr-countdown")
        first = until(browser, lambda _: shown.text)
        assert first.startswith(("14:5", "15:00"))
        until(browser, lambda _: shown.text < first)
        # As after a phone's sleep, in which its own counting stands still.
        becomes(payment, expires_at=timezone.now() + timedelta(minutes=4))
        until(browser, lambda _: shown.text.startswith("03:"))


def test_hours_are_written_as_hours(shop: Shop, server: Server, browser: Any) -> None:
    opened(shop, browser, server, expires_at=timezone.now() + timedelta(hours=26, seconds=30))
    assert element(browser, "qr-countdown").text.startswith("26:00:")


def test_the_last_minutes_are_announced_and_the_ticking_is_not(
    shop: Shop, server: Server, browser: Any
) -> None:
    opened(shop, browser, server, expires_at=timezone.now() + timedelta(seconds=63))
    assert element(browser, "qr-countdown").get_attribute("role") == "timer"
    assert element(browser, "qr-countdown").get_attribute("aria-live") == "off"
    spoken = element(browser, "qr-spoken")
    assert spoken.get_attribute("role") == "status"
    assert spoken.get_attribute("textContent") == ""
    said = until(browser, lambda _: spoken.get_attribute("textContent"))
    assert said == "1 minute left to pay."


def test_the_page_turns_to_paid_in_place_for_eyes_ears_and_keyboard(
    shop: Shop, server: Server, browser: Any
) -> None:
    payment = opened(shop, browser, server)
    stays(browser)
    element(browser, "qr-code").click()
    becomes(payment, **STATES["paid"])
    until(browser, lambda _: element(browser, "pay-title").text == str(states.PAID.title))
    status = element(browser, "pay-status")
    assert status.get_attribute("role") == "status"
    assert status.get_attribute("aria-live") == "polite"
    assert browser.switch_to.active_element.get_attribute("id") == "pay-status"
    assert browser.title.startswith(str(states.PAID.title))
    assert stayed(browser)
    assert_good_to_use(browser, "en")
    assert complaints(browser) == []


def test_an_open_page_takes_the_code_away_when_its_time_is_over_and_then_says_so(
    shop: Shop, server: Server, browser: Any
) -> None:
    payment = opened(shop, browser, server, expires_at=timezone.now() + timedelta(seconds=3))
    stays(browser)
    until(browser, lambda _: element(browser, "pay-title").text == str(states.CLOSING.title))
    assert browser.find_elements("id", "qr-code") == []
    assert browser.find_elements("id", "pay-deadline") == []
    becomes(payment, status="expired")
    until(browser, lambda _: element(browser, "pay-title").text == str(states.EXPIRED.title))
    assert stayed(browser)
    assert complaints(browser) == []


def test_where_the_shopper_goes_next_learns_nothing_of_the_address(
    shop: Shop, server: Server, browser: Any
) -> None:
    payment = opened(shop, browser, server)
    browser.find_element("link text", "Back to the shop").click()
    until(browser, lambda _: shop.url(payment) not in browser.current_url)
    assert browser.execute_script("return document.referrer") == ""


def test_without_javascript_there_is_all_that_paying_needs(
    shop: Shop, server: Server, browser: Any
) -> None:
    with pix_page.without_scripts(browser):
        payment = opened(shop, browser, server)
        picture = pix_page.photograph(browser, "pix-waiting-phone-en-no-script")
        assert element(browser, "qr-code").get_attribute("value") == CODE
        assert not element(browser, "qr-copy").is_displayed()
        assert not element(browser, "qr-left").is_displayed()
        assert element(browser, "pay-deadline").is_displayed()
        assert_good_to_use(browser, "en")
        becomes(payment, **STATES["paid"])
        browser.find_element("link text", "I have paid: check again").click()
        assert element(browser, "pay-title").text == str(states.PAID.title)
    assert pix_page.scanned(picture) == [CODE]
