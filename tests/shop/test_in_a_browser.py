"""One walk through the shop in Chromium: buy, pay on the pay page, capture, refund, both books.

Skipped where Chromium, its driver or selenium is missing.
"""

from __future__ import annotations

import re
from typing import Any

from tests.pay.test_in_a_browser import browser, complaints, element, pytestmark, until

from .process import Running

__all__ = ["browser", "pytestmark"]  # where pytest looks for them


def press(browser: Any, words: str) -> None:
    """A button, once the page has it; the page may be exchanging that part just now."""
    from selenium.common.exceptions import StaleElementReferenceException

    def pressed(_: Any) -> bool:
        try:
            for button in browser.find_elements("css selector", "button"):
                if words in button.text:
                    button.click()
                    return True
        except StaleElementReferenceException:
            return False
        return False

    until(browser, pressed)


def until_payment(browser: Any, status: str) -> None:
    """The order's page says so by itself."""
    says = f'#payment-status[data-status="{status}"]'
    until(browser, lambda _: browser.find_elements("css selector", says))


def part(browser: Any, id: str) -> str:
    """The text of one part of a page."""
    return str(browser.execute_script(f"return document.getElementById('{id}').innerText"))


def test_a_person_buys_pays_and_gets_money_back(shop: Running, browser: Any) -> None:
    browser.get_log("browser")
    browser.get(shop.url)
    quantity = browser.find_element("name", "BAG")
    quantity.clear()
    quantity.send_keys("3")
    assert browser.find_element("css selector", "[data-total]").text == "R$ 118.05"
    browser.find_element("css selector", "[value=stripe-hold]").click()
    press(browser, "Buy")

    # The pay page.
    until(browser, lambda _: browser.find_elements("id", "simulated-card"))
    order = element(browser, "pay-order").text
    element(browser, "simulated-card").send_keys("4242 4242 4242 4242")
    element(browser, "pay-button").click()
    until(browser, lambda _: "approved" in element(browser, "pay-title").text)

    # The order's page, which keeps itself fresh while somebody types.
    browser.get(f"{shop.url}orders/{order}/")
    until_payment(browser, "authorized")
    press(browser, "Confirm: capture")
    until_payment(browser, "captured")
    browser.execute_script("window.samePage = true")
    amount = browser.find_element("css selector", "#desk [name=amount]")
    amount.send_keys("18,0")
    browser.execute_script("""
        const form = document.querySelector("#far form");
        const body = new URLSearchParams(new FormData(form));
        body.set("amount", "1");
        fetch(form.action, { method: "POST", body });
    """)
    until_payment(browser, "partially_refunded")
    assert browser.execute_script("return window.samePage") is True
    assert amount.get_attribute("value") == "18,0"
    amount.send_keys("5")
    press(browser, "Refund this amount")
    until(browser, lambda _: re.search(r"refunded\s+R\$\s19.05", part(browser, "money")))
    assert "equal" in part(browser, "money")
    wide = "return document.documentElement.scrollWidth > window.innerWidth"
    assert browser.execute_script(wide) is False

    # Both books.
    browser.get(shop.ledger_url)
    until(browser, lambda _: "Equal to the centavo" in part(browser, "verdict"))
    assert browser.execute_script(wide) is False
    assert complaints(browser) == []


def test_a_pix_is_shown_as_a_code_and_paid_by_itself(shop: Running, browser: Any) -> None:
    browser.get_log("browser")
    browser.get(shop.url)
    quantity = browser.find_element("name", "BAG")
    quantity.clear()
    quantity.send_keys("1")
    browser.find_element("css selector", "[value=pix]").click()
    press(browser, "Buy")

    # The pay page stays open in its window while the payer's bank is played in another.
    until(browser, lambda _: browser.find_elements("id", "qr-code"))
    order = element(browser, "pay-order").text
    assert element(browser, "qr-code").get_attribute("value").startswith("000201")
    pay_page = browser.current_window_handle
    browser.switch_to.new_window("window")
    browser.get(f"{shop.url}orders/{order}/")
    press(browser, "The shopper pays this Pix")
    until_payment(browser, "captured")
    browser.close()
    browser.switch_to.window(pay_page)
    until(browser, lambda _: "arrived" in element(browser, "pay-title").text)
    assert complaints(browser) == []


def test_the_admin_runs_under_the_same_policy(shop: Running, browser: Any) -> None:
    browser.get_log("browser")
    browser.get(shop.admin_url)
    browser.find_element("name", "username").send_keys(shop.user)
    browser.find_element("name", "password").send_keys(shop.password)
    browser.find_element("css selector", "[type=submit]").click()
    until(browser, lambda _: "Webhook deliveries" in browser.page_source)
    assert complaints(browser) == []
