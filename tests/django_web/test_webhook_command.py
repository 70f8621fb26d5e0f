"""``manage.py payments webhook``: where a gateway sends its notifications, where it can be told."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from omniman_payment_core.errors import ConfigurationError
from omniman_payment_core.values import WebhookRegistration
from omniman_payment_django.runtime import get_registry

from .shop import Shop

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


class Told:
    """A gateway that can be told; keeps what it was told."""

    def __init__(self) -> None:
        self.url: str | None = None
        self.failure: Exception | None = None

    def register_webhook(self, url: str) -> WebhookRegistration:
        if self.failure is not None:
            raise self.failure
        self.url = url
        return WebhookRegistration(url, AT)

    def registered_webhook(self) -> WebhookRegistration | None:
        return None if self.url is None else WebhookRegistration(self.url, AT)

    def remove_webhook(self) -> None:
        self.url = None


@pytest.fixture
def told(shop: Shop) -> Told:
    """The gateway behind the account "shop"."""
    gateway = Told()
    names = ("register_webhook", "registered_webhook", "remove_webhook")
    backend: Any = SimpleNamespace(**vars(shop.without_webhooks()))
    for name in names:
        setattr(backend, name, getattr(gateway, name))
    get_registry().use("shop", backend)
    return gateway


def webhook(*arguments: str) -> str:
    out = StringIO()
    call_command("payments", "webhook", *arguments, stdout=out)
    return out.getvalue().strip()


def test_registering_tells_the_gateway_the_endpoints_own_address(told: Told) -> None:
    said = webhook("register", "shop", "https://shop.example")
    assert told.url == "https://shop.example/payments/webhooks/shop/"
    assert said == f"notifications are sent to {told.url}, since 2026-01-02 03:04 UTC"


def test_an_address_with_a_path_is_taken_as_it_is(told: Told) -> None:
    webhook("register", "shop", "https://shop.example/a/proxy/")
    assert told.url == "https://shop.example/a/proxy/"


def test_what_is_registered_is_shown_and_removed(told: Told) -> None:
    webhook("register", "shop", "https://shop.example")
    assert "https://shop.example/payments/webhooks/shop/" in webhook("show", "shop")
    assert "no address is registered" in webhook("remove", "shop")
    assert "no address is registered" in webhook("show", "shop")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("register", "shop"), "needs the shop's address"),
        (("show", "shop", "https://shop.example"), "the others take none"),
        (("register", "shop", "shop.example"), "https address"),
        (("register", "shop", "https://shop.example/?a=b"), "without a query"),
        (("show", "nobody"), "nobody"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(
    told: Told, arguments: tuple[str, ...], why: str
) -> None:
    with pytest.raises(CommandError, match=why):
        webhook(*arguments)
    assert told.url is None


def test_a_gateway_that_cannot_be_told_says_where_to_go(shop: Shop) -> None:
    get_registry().use("shop", shop.without_webhooks())
    with pytest.raises(CommandError, match="dashboard"):
        webhook("register", "shop", "https://shop.example")


def test_what_the_gateway_refuses_is_told(told: Told) -> None:
    told.failure = ConfigurationError("Efi answered 400: the address did not answer")
    with pytest.raises(CommandError, match="did not answer"):
        webhook("register", "shop", "https://shop.example")


@override_settings(ROOT_URLCONF="tests.django_web.no_urls")
def test_a_project_without_the_endpoint_is_told_to_add_it(told: Told) -> None:
    with pytest.raises(CommandError, match="include"):
        webhook("register", "shop", "https://shop.example")
    assert told.url is None
