"""manage.py check finds a wrong pay page before a shopper does."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from omniman_payment_django import checks as ours
from omniman_payment_django.pay.options import pay_page, problems_of

from .options import pay_page_with


def messages() -> list[tuple[str | None, str]]:
    return [(message.id, str(message.msg)) for message in ours.check_pay_page()]


def test_a_page_without_settings_is_right() -> None:
    assert messages() == []
    assert ours.check_pay_page in checks.registry.registry.get_checks()


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"valid_for": 60}, '"valid_for"] is unknown'),
        ({"valid_for_seconds": 0}, '"valid_for_seconds"] is not'),
        ({"valid_for_seconds": True}, '"valid_for_seconds"] is not'),
        ({"sync_every_seconds": 0.5}, '"sync_every_seconds"] is not'),
        ({"stripe_js": "http://js.example/stripe.js"}, '"stripe_js"] is not an https'),
        ({"stripe_js": "https://a.example/x; script-src *"}, '"stripe_js"] is not an https'),
        ({"stripe_js": "/stripe.js"}, '"stripe_js"] is not an https'),
        ({"shop_url": "javascript:alert(1)"}, '"shop_url"] is neither'),
        ({"presenters": ["a.B"]}, '"presenters"] is not a dict'),
        ({"presenters": {"show_qr": "no.such.Presenter"}}, '"no.such.Presenter" cannot be made'),
        ({"presenters": {"show_qr": "datetime.timedelta"}}, "has no present()"),
        ({"csp": {"script-src": ["https://a.example; base-uri *"]}}, '"csp"]["script-src"]'),
        ({"csp": {"frame-ancestors": ["*"]}}, '"csp"] has a key'),
        ({"csp": {"img-src": "data:"}}, '"csp"]["img-src"]'),
    ],
)
def test_a_wrong_option_is_named_with_its_place(options: dict[str, Any], place: str) -> None:
    with pay_page_with(**options):
        ((number, message),) = messages()
    assert number == "omniman_payment.E005"
    assert place in message
    assert 'OMNIMAN["PAY_PAGE"]' in message


def test_every_problem_is_told_at_once() -> None:
    with pay_page_with(valid_for_seconds=1, shop_url=3):
        assert len(messages()) == 2
        with pytest.raises(ImproperlyConfigured, match=r"valid_for_seconds.*shop_url"):
            pay_page()
    assert list(problems_of(["a"])) == ['OMNIMAN["PAY_PAGE"] is a list, not a dict']


def test_a_project_without_static_files_is_told() -> None:
    with override_settings(STATIC_URL=None):
        assert [number for number, _ in messages()] == ["omniman_payment.W002"]
        with override_settings(ROOT_URLCONF="tests.django_web.no_urls"):
            assert messages() == []
