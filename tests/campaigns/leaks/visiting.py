"""Whoever can look: operators with every command, staff in the admin, shoppers, strangers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse

from omniman_payment_django.management.subcommands import SUBCOMMANDS
from omniman_payment_django.models import Channel, Directive, Flag, Order, PaymentOperation
from omniman_payment_django.pay import pay_url

from . import canaries as c
from .evidence import Evidence
from .shop import Shop

PAGES = 12
"""Of each model that are opened one by one; their lists show all."""
SETTLED_BY = ("--actor", "ana", "--reason", "looked at it")


def commands(shop: Shop) -> Iterator[tuple[str, ...]]:
    """Every subcommand at least once, and some that fail."""
    for ref in (*Order.objects.values_list("ref", flat=True), "no-such-order"):
        yield "show", ref
        yield "explain", ref
    for name in ("flags", "audit", "backends"):
        yield (name,)
        yield name, "--json"
    yield "reconcile", "--json", "--rate", "1000"
    for name in ("stripe", "efi", "mock", "gossip", "nobody"):
        yield "webhook", "show", name
        yield "webhook", "register", name, shop.url
    for number in (*Directive.objects.values_list("pk", flat=True)[:30], 0):
        yield "retry", str(number), *SETTLED_BY
        yield "abandon", str(number), *SETTLED_BY
    for key in (*PaymentOperation.objects.values_list("key", flat=True)[:10], "omp_nothing"):
        yield "verdict", key, "--did-not-happen", *SETTLED_BY
    for number in (*Flag.objects.values_list("pk", flat=True), 0):
        yield "settle-flag", str(number), *SETTLED_BY
    yield "forget", "--older-than", "0", "--dry-run"
    yield "forget", "--order", "no-such-order", *SETTLED_BY
    yield "decide-refund", "0", "--approve", *SETTLED_BY


def run_commands(shop: Shop, evidence: Evidence) -> set[str]:
    """Their output, their errors; the names of those that ran."""
    ran = set()
    for name, *arguments in commands(shop):
        if name in SUBCOMMANDS:
            ran.add(name)
            run_command(evidence, "payments", name, *arguments)
    run_command(evidence, "process_directives", "--once")
    run_command(evidence, "check", "--database", "default")
    run_command(evidence, "check", "--deploy")
    return ran


def run_command(evidence: Evidence, *words: str) -> None:
    """One, whatever becomes of it."""
    out, err = StringIO(), StringIO()
    try:
        call_command(*words, stdout=out, stderr=err)
    except (CommandError, SystemExit) as error:
        evidence.add_error(f"error of {' '.join(words[:2])}", error)
    evidence.add(f"output of {' '.join(words[:2])}", out.getvalue() + err.getvalue())


def look_at_the_admin(evidence: Evidence, who: str = "root") -> int:
    """Every list and every object in it; how many pages there were."""
    client = Client()
    client.force_login(User.objects.create_superuser(who, "root@example.test", "pw"))
    pages = 0
    for model in admin.site._registry:
        if model._meta.app_label != "omniman_payment":
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        urls = [reverse(f"{name}_changelist"), f"{reverse(f'{name}_changelist')}?q=x"]
        keys = list(model._default_manager.values_list("pk", flat=True)[:PAGES])
        urls += [reverse(f"{name}_change", args=[key]) for key in keys]
        for url in urls:
            answer = client.get(url)
            assert answer.status_code == 200, url
            evidence.add(f"admin {model.__name__}", answer.content.decode())
            pages += 1
    return pages


def look_as_shopper(evidence: Evidence) -> None:
    """The page of every order, and what its script is told."""
    client = Client()
    for order in Order.objects.all():
        for url in (pay_url(order), f"{pay_url(order)}status/"):
            answer = client.get(url)
            evidence.add("pay page", answer.content.decode() + repr(answer.headers))


def knock_as_stranger(evidence: Evidence) -> None:
    """Notifications with somebody else's data in them, authentic and not, and wrong addresses."""
    client = Client(raise_request_exception=False)
    stolen = {
        "card": c.CARD_WRITTEN, "cpf": c.CPF, "nome": c.NAME, "email": c.EMAIL, "key": c.STRIPE_KEY,
    }  # fmt: skip
    body: Any = json.dumps({"id": "evt_1", "type": "x", "data": stolen, "pix": [stolen]})
    paid = {"endToEndId": "E" + "9" * 31, "txid": "a" * 32, "pagador": stolen, **stolen}
    notice = json.dumps({"pix": [paid]})
    hmac = f"?hmac={c.EFI_HOOK}&ignorar=/pix"
    for path, content in (
        *((f"/payments/webhooks/{name}/", body) for name in ("stripe", "mock", "gossip", "efi")),
        (f"/payments/webhooks/efi/{hmac}", notice),
        (f"/payments/webhooks/efi/{hmac}x", notice),
        (f"/payments/webhooks/{c.STRIPE_KEY}/", body),
        (f"/payments/webhooks/efi/{hmac}", "not json " + c.CPF),
        (f"/payments/pay/{c.STRIPE_KEY}/", body),
    ):
        answer = client.post(path, content, "application/json")
        assert answer.status_code < 500, path
        evidence.add("answer to a stranger", answer.content.decode() + repr(answer.headers))


def break_pages(evidence: Evidence) -> None:
    """The page about an error, as developers see it and as everybody does."""
    for debug in (True, False):
        with override_settings(DEBUG=debug, DEBUG_PROPAGATE_EXCEPTIONS=False):
            answer = Client(raise_request_exception=False).get("/careless/", {"hmac": c.EFI_HOOK})
        assert answer.status_code == 500
        evidence.add(f"error page with DEBUG={debug}", answer.content.decode())


def save_a_channel_with_a_secret(evidence: Evidence) -> None:
    """A secret where it does not belong is told by its place."""
    for config in ({"api_key": c.STRIPE_KEY}, {"payment_backend": c.STRIPE_KEY}, c.STRIPE_KEY):
        channel = Channel.objects.create(code="careless", config=config)
        run_command(evidence, "check", "--database", "default")
        channel.delete()
