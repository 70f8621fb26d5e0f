"""What a shopper has to do is shown by presenters, and the policy allows what they need."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from django.test import override_settings

from omniman_payment_django.pay import Presentation, Waiting
from omniman_payment_django.pay.headers import content_security_policy
from omniman_payment_django.pay.options import pay_page

from .options import pay_page_with
from .shop import PUBLISHABLE, SECRET, Shop, stripe_action

QR = {"kind": "show_qr", "data": {"qr_code": "000201", "copy_paste": "000201"}}


class QrPresenter:
    """A shop project's own: shows a code."""

    def present(self, waiting: Waiting) -> Presentation | None:
        return Presentation(
            template="omniman_payment_django/pay/stripe_texts.html",
            data={"code": waiting.data["copy_paste"]},
            step="qr",
            csp={"img-src": ("data:", "https://qr.example")},
        )


class BrokenPresenter:
    """Says in its error what nobody may read."""

    def present(self, waiting: Waiting) -> Presentation | None:
        raise ValueError(f"cannot show {waiting.data}")


class OpenPresenter:
    """Tries to end the policy and begin its own."""

    def present(self, waiting: Waiting) -> Presentation | None:
        return Presentation(
            template="omniman_payment_django/pay/stripe_texts.html",
            csp={"img-src": ("https://a.example; script-src *",)},
        )


def policy_of(page: Any) -> dict[str, list[str]]:
    directives = page.headers["Content-Security-Policy"].split("; ")
    return {d.split()[0]: d.split()[1:] for d in directives}


def data_of(page: Any) -> Any:
    found = re.search(
        r'<script id="pay-data" type="application/json">(.*?)</script>', page.content.decode()
    )
    assert found
    return json.loads(found[1])


def test_a_card_payment_gets_stripes_form_and_its_policy(shop: Shop) -> None:
    page = shop.page(shop.waiting())
    assert data_of(page) == {
        "script": "https://js.stripe.com/dahlia/stripe.js",
        "publishableKey": PUBLISHABLE,
        "clientSecret": SECRET,
        "mode": "pay",
    }
    assert policy_of(page) == {
        "default-src": ["'none'"],
        "script-src": ["'self'", "https://js.stripe.com", "https://*.js.stripe.com"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'", "https://api.stripe.com"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "frame-src": [
            "https://js.stripe.com",
            "https://*.js.stripe.com",
            "https://hooks.stripe.com",
        ],
    }
    assert 'payment=(self "https://js.stripe.com")' in page.headers["Permissions-Policy"]


def test_a_card_that_was_given_already_gets_the_banks_question(shop: Shop) -> None:
    page = shop.page(shop.waiting(stripe_action("authenticate")))
    assert data_of(page)["mode"] == "authenticate"
    assert "Continue to your bank" in page.content.decode()
    assert "pay-element" not in page.content.decode()


def test_the_page_is_told_when_the_step_becomes_another(shop: Shop) -> None:
    payment = shop.waiting()
    assert 'data-step="pay"' in shop.page(payment).content.decode()
    assert shop.status(payment)["step"] == "pay"
    payment.next_action = stripe_action("authenticate")
    payment.save()
    assert shop.status(payment)["step"] == "authenticate"


def test_a_page_without_a_step_loads_nothing_of_anybody_elses(shop: Shop) -> None:
    page = shop.page(shop.waiting(status="captured"))
    assert "stripe" not in page.headers["Content-Security-Policy"]
    assert "stripe" not in page.content.decode()
    assert page.headers["Permissions-Policy"].startswith("payment=(), ")


def test_no_page_has_a_script_or_a_style_within(shop: Shop) -> None:
    pages = [
        shop.page(shop.waiting()),
        shop.page(shop.waiting(stripe_action("authenticate"))),
        shop.page(shop.waiting(status="failed")),
        shop.client.get("/payments/pay/nonsense/"),
    ]
    for page in pages:
        text = page.content.decode()
        scripts = re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL)
        assert all("src=" in a or 'type="application/json"' in a for a, _ in scripts)
        assert all(not body.strip() for attributes, body in scripts if "src=" in attributes)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)


def test_every_answer_is_kept_by_nobody_and_tells_the_address_to_nobody(shop: Shop) -> None:
    payment = shop.waiting()
    pages = [shop.url(payment), "/payments/pay/nonsense/"]
    answers = [shop.client.get(path) for path in [*pages, f"{shop.url(payment)}status/"]]
    for page in answers[:2]:
        assert '<meta name="robots" content="noindex, nofollow">' in page.content.decode()
    for answer in [*answers, shop.client.post(shop.url(payment))]:
        headers = answer.headers
        assert answer.cookies == {}
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")


def test_another_address_of_the_script_takes_stripes_place_in_the_policy(shop: Shop) -> None:
    payment = shop.waiting()
    with pay_page_with(stripe_js="http://127.0.0.1:8765/v1/stripe.js"):
        page = shop.page(payment)
    policy = policy_of(page)
    assert data_of(page)["script"] == "http://127.0.0.1:8765/v1/stripe.js"
    assert policy["script-src"] == ["'self'", "http://127.0.0.1:8765"]
    assert policy["frame-src"] == ["http://127.0.0.1:8765"]
    assert policy["connect-src"] == ["'self'", "http://127.0.0.1:8765"]
    assert "stripe.com" not in page.headers["Content-Security-Policy"]


def test_static_files_on_another_host_are_allowed(shop: Shop) -> None:
    payment = shop.waiting()
    with override_settings(STATIC_URL="https://cdn.example/files/"):
        page = shop.page(payment)
    assert "https://cdn.example" in policy_of(page)["script-src"]
    assert "https://cdn.example" in policy_of(page)["style-src"]


def test_a_shop_can_allow_what_its_own_templates_need(shop: Shop) -> None:
    payment = shop.waiting()
    with pay_page_with(csp={"font-src": ["https://fonts.example"], "img-src": ["data:"]}):
        policy = policy_of(shop.page(payment))
    assert policy["font-src"] == ["https://fonts.example"]
    assert policy["img-src"] == ["'self'", "data:"]


def test_a_shops_own_presenter_shows_another_kind(shop: Shop) -> None:
    payment = shop.waiting(QR)
    with pay_page_with(presenters={"show_qr": f"{__name__}.QrPresenter"}):
        page = shop.page(payment)
        assert shop.status(payment)["step"] == "qr"
        # What is built in stays.
        assert data_of(shop.page(shop.waiting()))["clientSecret"] == SECRET
    assert data_of(page) == {"code": "000201"}
    assert policy_of(page)["img-src"] == ["'self'", "data:", "https://qr.example"]


def test_a_presenter_for_a_provider_comes_before_one_for_its_kind(shop: Shop) -> None:
    payment = shop.waiting({"kind": "show_qr", "data": {**QR["data"], "provider": "bank"}})  # type: ignore[dict-item]
    with pay_page_with(
        presenters={
            "show_qr": f"{__name__}.BrokenPresenter",
            "show_qr/bank": f"{__name__}.QrPresenter",
        }
    ):
        assert shop.status(payment)["status"] == "waiting"


@pytest.mark.parametrize(
    "action",
    [
        {"kind": "fax", "data": {"number": "1"}},
        {"kind": "show_qr", "data": {"copy_paste": ""}},
        {"kind": "show_qr", "data": {"copy_paste": ["0"]}},
        {"kind": "show_qr", "data": {"copy_paste": "9" * 5000}},
        {"kind": "confirm_with_client_secret", "data": {"client_secret": SECRET}},
        stripe_action(publishable_key=None),
        stripe_action(publishable_key="sk_test_the_accounts_own"),
        stripe_action(client_secret=None),
        stripe_action(mode="something new"),
    ],
)
def test_a_step_that_nobody_can_show_is_a_page_that_says_whom_to_ask(
    shop: Shop, caplog: pytest.LogCaptureFixture, action: Any
) -> None:
    payment = shop.waiting(action)
    text = shop.page(payment).content.decode()
    assert "Please contact the shop" in text
    assert "<form" not in text
    assert "sk_test" not in text
    assert shop.status(payment)["status"] == "elsewhere"
    assert [r for r in caplog.records if r.levelno == logging.ERROR]
    assert SECRET not in caplog.text
    assert "sk_test" not in caplog.text


def test_a_presenter_that_fails_costs_neither_the_page_nor_the_secret(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    payment = shop.waiting()
    kind = "confirm_with_client_secret/stripe"
    with pay_page_with(presenters={kind: f"{__name__}.BrokenPresenter"}):
        page = shop.page(payment)
    assert page.status_code == 200
    assert "Please contact the shop" in page.content.decode()
    assert "BrokenPresenter failed: ValueError" in caplog.text
    assert SECRET not in caplog.text


def test_a_presenter_cannot_end_the_policy() -> None:
    presentation = OpenPresenter().present(Waiting("x", {}, 1, "BRL", None))
    with pytest.raises(ValueError, match="img-src has a source"):
        content_security_policy(pay_page(), presentation)
