"""Whatever happens, and whoever looks: no secret and no payer is where it does not belong."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from urllib.parse import quote

import pytest

from omniman_payment_core.secrets import Secret
from omniman_payment_django.management.subcommands import SUBCOMMANDS
from omniman_payment_django.models import Flag, GatewayCall, Payment, WebhookDelivery

from . import canaries as c
from . import visiting
from .evidence import Evidence, logs_into
from .shop import Shop, planted_shop


def test_nothing_that_is_planted_shows_anywhere(database: object) -> None:
    with planted_shop() as (shop, planted):
        evidence = Evidence(c.Search(planted))
        with logs_into(evidence):
            shop.histories()
            evidence.add_objects()
            visiting.knock_as_stranger(evidence)
            shop.settle()
            ran = visiting.run_commands(shop, evidence)
            visiting.save_a_channel_with_a_secret(evidence)
            visiting.look_as_shopper(evidence)
            pages = visiting.look_at_the_admin(evidence)
        # What a shop's own view says when it breaks down is logged by Django; the page is ours.
        visiting.break_pages(evidence)
        evidence.add_database()
        leaks = {(leak.canary, leak.place): leak for leak in evidence.leaks()}
        assert list(leaks.values()) == []
        _has_looked_everywhere(evidence, ran, pages)
        _would_have_noticed(shop, planted)


def _has_looked_everywhere(evidence: Evidence, ran: set[str], pages: int) -> None:
    assert ran == set(SUBCOMMANDS)
    assert pages > 80
    places = evidence.places()
    for place in (
        "log omniman_payment",
        "log omniman_payment.hooks",
        "log omniman_payment.webhooks",
        "log urllib3.connectionpool",
        "omniman_payment_gatewaycall.message",
        "omniman_payment_webhookdelivery.body",
        "error of payments webhook",
        "error page with DEBUG=True",
        "repr of omniman_payment_stripe.config.Config",
        "repr of omniman_payment_efi.config.Config",
    ):
        assert place in places, place
    assert set(Payment.objects.values_list("account", flat=True)) == {
        "stripe",
        "efi",
        "mock",
        "gossip",
    }
    assert GatewayCall.objects.filter(message__contains="[secret]").exists()
    assert WebhookDelivery.objects.filter(body__contains="[personal]").exists()


def _would_have_noticed(shop: Shop, planted: list[c.Canary]) -> None:
    """The same hunt, with one secret in one row: seen in the row and wherever it is shown."""
    evidence = Evidence(c.Search(planted))
    Flag.objects.create(kind="plugin_fault", message=f"told {quote(c.EFI_SECRET)}")
    visiting.run_command(evidence, "payments", "flags")
    visiting.look_at_the_admin(evidence, "hunter")
    evidence.add_database()
    found = {(leak.canary, leak.place) for leak in evidence.leaks()}
    assert found == {
        ("Efi's client secret", place)
        for place in ("omniman_payment_flag.message", "output of payments flags", "admin Flag")
    }


FORMS: list[Callable[[str], str]] = [
    lambda text: f"before {text} after",
    lambda text: quote(text, safe=""),
    lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    lambda text: base64.urlsafe_b64encode(f"?{text}~".encode()).decode(),
    lambda text: text[::-1],
    lambda text: text.encode().hex(),
    lambda text: f"'{text[:7]}'\n   '{text[7:15]}'\n   b'{text[15:]}'",
    lambda text: repr({"deep": [text]}),
]


@pytest.mark.parametrize("canary", [*c.ACCOUNT, *c.PAYER], ids=lambda canary: canary.name)
@pytest.mark.parametrize("form", FORMS)
def test_the_search_finds_a_canary_in_any_form(
    canary: c.Canary, form: Callable[[str], str]
) -> None:
    search = c.Search([*c.ACCOUNT, *c.PAYER])
    assert canary.name in {leak.canary for leak in search.leaks("here", form(canary.text))}


def test_the_hunt_reads_log_lines_their_fields_and_the_causes_of_errors() -> None:
    log = logging.getLogger("omniman_payment.test")
    evidence = Evidence(c.Search(c.ACCOUNT))
    with logs_into(evidence):
        log.debug("told %s", c.STRIPE_KEY)
        log.info("told", extra={"payment_note": c.EFI_SECRET})
        try:
            try:
                raise ValueError(c.MOCK_SIGNING)
            except ValueError as error:
                raise RuntimeError("the shop is closed") from error
        except RuntimeError:
            log.exception("failed")
    log.debug("told %s", c.GOSSIP_KEY)
    assert {leak.canary for leak in evidence.leaks()} == {
        "Stripe's key",
        "Efi's client secret",
        "the mock's signing secret",
    }


def test_what_is_masked_is_no_leak_and_payers_may_be_where_they_were_handed_over() -> None:
    evidence = Evidence(c.Search([*c.ACCOUNT, *c.PAYER]))
    evidence.add("a repr", Secret(c.STRIPE_KEY))
    evidence.add("a payload", c.NAME, personal=False)
    assert evidence.leaks() == []
    evidence.add("a payload", c.STRIPE_KEY, personal=False)
    evidence.add("a log", c.NAME)
    assert [leak.place for leak in evidence.leaks()] == ["a payload", "a log"]
