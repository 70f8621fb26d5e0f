"""Names and texts from outside are values of a query, never a part of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse

from omniman_payment_django.models import Channel, Directive, Flag, Order, Payment, Session
from omniman_payment_django.runtime import get_engine, get_registry
from omniman_payment_django.sessions import commit_session
from omniman_payment_mock import MockPaymentBackend
from tests.packaging.distributions import ROOT

HOST = ROOT / "hosts/django/omniman_payment_django"
QUERIES = {"filter", "exclude", "get", "get_or_create", "update_or_create", "annotate", "order_by"}
WRITTEN_BY_CALLERS = {"auditing.py"}
"""Passes on keyword arguments, whose names stand in the code that calls it."""
HOSTILE = (
    "x')) OR 1=1--",
    'x")) OR 1=1--',
    "x'; DROP TABLE omniman_payment_payment; --",
    "%s%(x)s%%",
    "{0}{payment}",
    "a__b__contains",
    "\\'; --",
    "$1 ?",
)


def spread_into_queries(path: Path) -> Iterator[str]:
    """Calls such as ``filter(**names)``, where the names come from a mapping."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            spread = [k for k in node.keywords if k.arg is None]
            if node.func.attr in QUERIES and spread and path.name not in WRITTEN_BY_CALLERS:
                yield f"{path.name}:{node.lineno}"


def test_no_query_takes_its_field_names_from_a_mapping() -> None:
    sources = sorted(HOST.rglob("*.py"))
    assert len(sources) > 80
    assert [place for path in sources for place in spread_into_queries(path)] == []


@pytest.mark.parametrize("text", HOSTILE)
@override_settings(ROOT_URLCONF="tests.django_web.urls")
def test_hostile_texts_are_stored_and_found_as_they_are(database: object, text: str) -> None:
    backend = MockPaymentBackend()
    get_registry().use("shop", backend)
    channel = Channel.objects.create(code=text, config={"payment_backend": "shop"})
    items = [{"sku": text, "qty": 1, "price_q": 1000}]
    session = Session.objects.create(key=text, channel=channel, items=items)
    method = {"type": "card", text: text, "token": "t"}
    order = commit_session(
        session, commit_key=text, payment_method=method, ref=text, metadata={text: text}
    )
    get_engine("one").run_until_idle()
    assert Order.objects.get(ref=text) == order
    assert Payment.objects.get(order_ref=text).status in ("authorized", "captured")
    assert Directive.objects.filter(order_ref=text).exists()
    _look_around(text)
    assert (Payment.objects.count(), Flag.objects.count()) == (1, 0)


def _look_around(text: str) -> None:
    for command in ("show", "explain"):
        call_command("payments", command, text)
    verdict = ("verdict", f"{text}x", "--happened", "--actor=ana", f"--reason={text}")
    with pytest.raises(CommandError, match="no operation"):
        call_command("payments", *verdict)
    client = Client(raise_request_exception=True)
    client.force_login(User.objects.create_superuser(f"root{User.objects.count()}", "", "pw"))
    for model in (Order, Payment, Directive, Flag):
        address = reverse(f"admin:omniman_payment_{model._meta.model_name}_changelist")
        for query in ({"q": text}, {"status": text}, {text: "1"}):
            assert client.get(address, query).status_code in (200, 302)
    for path in (f"/payments/webhooks/{text}/", f"/payments/pay/{text}/"):
        assert client.post(path, text, "application/json").status_code in (404, 405)
