"""A code to scan or to copy: drawn right, in a page as strict as ever, and never a failure."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
import zxingcpp
from django.utils import timezone
from PIL import Image, ImageDraw

from omniman_payment_core.records import DirectiveStatus
from omniman_payment_django.models import Directive, Payment
from omniman_payment_django.pay import Waiting
from omniman_payment_django.pay.qr import LONGEST_CODE, QUIET_ZONE, QrPresenter, picture

from .shop import CODE, Shop, qr_action
from .test_presenters import data_of, policy_of

SCALE = 6


def scanned(svg: str) -> list[str]:
    """What a scanner reads of a drawing, which is a white square and black lines of one module."""
    found = re.search(r'viewBox="0 0 (\d+) \1"', svg)
    assert found
    image = Image.new("L", (int(found[1]) * SCALE,) * 2, 255)
    draw = ImageDraw.Draw(image)
    lines = re.search(r'stroke="#000" d="([^"]+)"', svg)
    assert lines
    x = y = 0.0
    for step, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?: ?(-?[\d.]+))?", lines[1]):
        if step == "h":
            end = x + float(first)
            box = (x * SCALE, (y - 0.5) * SCALE, end * SCALE - 1, (y + 0.5) * SCALE - 1)
            draw.rectangle(box, fill=0)
            x = end
        else:
            origin = (0.0, 0.0) if step == "M" else (x, y)
            x, y = origin[0] + float(first), origin[1] + float(second)
    return [code.text for code in zxingcpp.read_barcodes(image)]


class _Inline(HTMLParser):
    """Notes whatever a strict policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [f"{tag} {name}" for name in given if name == "style" or name[:2] == "on"]
        self.found += [f"{tag} {value}" for value in given.values() if "data:" in (value or "")]
        plain = tag == "script" and "src" not in given and given.get("type") != "application/json"
        if plain or tag == "style":
            self.found.append(tag)


def waiting(**data: Any) -> Waiting:
    return Waiting("show_qr", data, 1000, "BRL", None)


@pytest.mark.parametrize("code", [CODE, "1", "ação " * 20, "0" * LONGEST_CODE])
def test_the_picture_holds_the_code_to_the_letter(code: str) -> None:
    drawn = picture(code)
    assert drawn is not None
    assert scanned(drawn) == [code]


def test_the_picture_is_black_on_white_with_a_quiet_zone_around() -> None:
    drawn = picture(CODE)
    assert drawn is not None
    found = re.search(r'viewBox="0 0 (\d+) \1"><path fill="#fff" d="M0 0h(\d+)v\2h-\2z"/>', drawn)
    assert found
    assert found[1] == found[2]
    assert f'd="M{QUIET_ZONE} {QUIET_ZONE}.5h7m' in drawn
    assert "style" not in drawn


def test_the_page_with_a_code_is_as_strict_as_without(shop: Shop) -> None:
    page = shop.page(shop.waiting(qr_action()))
    assert policy_of(page) == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
    assert page.headers["Permissions-Policy"].startswith("payment=(), ")
    inline = _Inline()
    inline.feed(page.content.decode())
    assert inline.found == []
    assert "<svg" in page.content.decode()


def test_a_picture_that_the_gateway_drew_is_not_taken(shop: Shop) -> None:
    action = qr_action(qr_image="data:image/svg+xml,<svg onload='pay()'>")
    assert "onload" not in shop.page(shop.waiting(action)).content.decode()


def test_the_code_is_a_text_wherever_it_comes_from(shop: Shop) -> None:
    text = shop.page(shop.waiting(qr_action("</textarea><script>pay()</script>"))).content.decode()
    assert "<script>pay" not in text
    assert "&lt;/textarea&gt;&lt;script&gt;pay()" in text


@pytest.mark.parametrize(
    "code", [None, "", 17, ["0002"], {"0": 1}, "0" * (LONGEST_CODE + 1), "00\n02", "00\u20282"]
)
def test_what_is_no_code_leaves_the_shopper_with_words_and_the_operator_with_a_line(
    shop: Shop, code: Any, caplog: pytest.LogCaptureFixture
) -> None:
    payment = shop.waiting(qr_action(code))
    page = shop.page(payment)
    assert page.status_code == 200
    assert "Your payment needs one more step" in page.content.decode()
    assert "qr-code" not in page.content.decode()
    assert shop.status(payment)["status"] == "elsewhere"
    assert "has no code that can be shown" in caplog.text


def test_a_code_that_fits_into_no_picture_can_still_be_copied(shop: Shop) -> None:
    # Each takes four bytes, and a QR code has no room for so many.
    fits_not = "\N{SMILING FACE WITH SMILING EYES}" * LONGEST_CODE
    assert picture(fits_not) is None
    page = shop.page(shop.waiting(qr_action(fits_not))).content.decode()
    assert fits_not in page
    assert "<svg" not in page
    assert "Copy the code and paste it there." in page
    assert "Scan" not in page


def test_a_gateway_may_call_the_code_by_its_other_name() -> None:
    shown = QrPresenter().present(waiting(qr_code=CODE))
    assert shown is not None
    assert shown.context["code"] == CODE


def test_the_code_is_in_the_page_and_nowhere_else(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    payment = shop.waiting(qr_action())
    page = shop.page(payment)
    assert page.content.decode().count(CODE) == 1
    assert CODE not in str(page.headers)
    assert CODE not in str(shop.status(payment))
    shop.page(shop.waiting(qr_action(CODE * 30)))
    lines = [r.getMessage() for r in caplog.records if not r.name.startswith("django.db")]
    assert not [line for line in lines if CODE in line]
    assert CODE not in repr(QrPresenter().present(waiting(copy_paste=CODE)))


def test_the_time_left_is_the_servers(shop: Shop) -> None:
    payment = shop.waiting(qr_action(), expires_at=timezone.now() + timedelta(seconds=600))
    assert 598 <= data_of(shop.page(payment))["expiresIn"] <= 600
    assert 598 <= shop.status(payment)["expires_in"] <= 600
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    some = Waiting("show_qr", {}, 1, "BRL", now + timedelta(seconds=1, microseconds=999_999))
    assert some.seconds_left(now) == 1
    assert some.seconds_left(now + timedelta(hours=1)) == 0


def test_a_code_without_an_end_is_shown_without_a_countdown(shop: Shop) -> None:
    payment = shop.waiting(qr_action())
    page = shop.page(payment)
    assert data_of(page)["expiresIn"] is None
    assert "pay-deadline" not in page.content.decode()
    assert shop.status(payment)["expires_in"] is None


@pytest.mark.parametrize("over", [{"expires_at": datetime(2026, 1, 1, tzinfo=UTC)}, {}])
def test_a_code_is_not_shown_once_nobody_shall_pay_it(shop: Shop, over: dict[str, Any]) -> None:
    payment = shop.waiting(qr_action(), **(over or {"cancel_requested": True}))
    assert CODE not in shop.page(payment).content.decode()
    told = shop.status(payment)
    assert (told["status"], told["step"], told["expires_in"]) == ("closing", "", None)


def test_a_page_that_asks_often_has_the_gateway_asked_seldom(shop: Shop) -> None:
    def asked_again(payment: Payment, seconds_ago: int) -> bool:
        before = timezone.now() - timedelta(seconds=seconds_ago)
        syncs = Directive.objects.filter(dedupe_key=f"sync:{payment.id}")
        syncs.update(status=DirectiveStatus.COMPLETED, finished_at=before)
        shop.status(payment)
        return syncs.filter(finished_at=None).exists()

    code, card = shop.waiting(qr_action()), shop.waiting()
    for payment in (code, card):
        shop.status(payment)
        assert len(shop.syncs(payment)) == 1
    assert asked_again(card, 8)
    assert not asked_again(code, 8)
    assert asked_again(code, 16)


def test_without_javascript_nothing_disturbs_who_copies_and_the_rest_goes_on_by_itself(
    shop: Shop,
) -> None:
    code = shop.page(shop.waiting(qr_action())).content.decode()
    assert 'http-equiv="refresh"' not in code
    assert re.search(r'<noscript>.*<a class="again" href="">', code, re.S)
    working = shop.page(shop.waiting(next_action=None)).content.decode()
    assert '<noscript><meta http-equiv="refresh" content="20"></noscript>' in working
    assert 'http-equiv="refresh"' not in shop.page(shop.waiting()).content.decode()
    assert 'http-equiv="refresh"' not in shop.page(shop.waiting(status="captured")).content.decode()
