"""Pages and mails about an error: no secret of an account, however Django would print it."""

from __future__ import annotations

import base64
import logging
import sys
from typing import Any
from urllib.parse import quote

import pytest
from django.core import checks, mail
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client, RequestFactory, override_settings
from django.utils.log import AdminEmailHandler
from django.views.debug import ExceptionReporter

from omniman_payment_core.contracts import BackendRegistration, Option
from omniman_payment_django import deploy_checks as ours
from omniman_payment_django.deploy_checks import REPORTER
from omniman_payment_django.reporting import HIDDEN, PaymentExceptionReporter
from omniman_payment_django.runtime import get_registry
from omniman_payment_django.webhooks import intake
from omniman_payment_mock import MockPaymentBackend

API_KEY = "sk_live_c4n4ry&<Zx9>+plus=="
CERTIFICATE = base64.b64encode(bytes(range(250)) * 2).decode()
TOKEN = "in_the_address_c4n4ry_0123456789"
OMNIMAN = {
    "PAYMENT_BACKENDS": {
        "shop": {
            "plugin": "planted",
            "config": {"api_key": API_KEY, "certificate": CERTIFICATE, "webhook_secret": TOKEN},
        }
    }
}


def planted(live: bool = False) -> BackendRegistration:
    def build(options: Any) -> MockPaymentBackend:
        backend = MockPaymentBackend()
        backend.livemode = live  # type: ignore[misc]
        return backend

    return BackendRegistration(
        "planted",
        build,
        options=tuple(
            Option(name, secret=True) for name in ("api_key", "certificate", "webhook_secret")
        ),
    )


def fail_with_everything() -> None:
    """A shop's own view that has put its hands on the secrets."""
    plain, in_bytes, nested = API_KEY, CERTIFICATE.encode(), {"deep": [(TOKEN, "529.982.247-25")]}
    try:
        raise ValueError(f"cause with {plain}")
    except ValueError as error:
        raise RuntimeError(f"shop failed {quote(TOKEN)} {in_bytes[:9]!r} {nested}") from error


def leaks(text: str) -> list[str]:
    pieces = [API_KEY, API_KEY[:16], TOKEN, CERTIFICATE, "529.982.247-25"]
    # Bytes are printed in short pieces, one on each line.
    pieces += [CERTIFICATE[start : start + 40] for start in range(0, len(CERTIFICATE) - 40, 40)]
    return [piece for piece in pieces if piece in text or piece in text.replace("&amp;", "&")]


def report(reporter: type[ExceptionReporter], *, html: bool, is_email: bool = False) -> str:
    request = RequestFactory().get(f"/payments/webhooks/shop/?hmac={TOKEN}")
    try:
        fail_with_everything()
    except RuntimeError:
        made = reporter(request, *sys.exc_info(), is_email=is_email)
    return str(made.get_traceback_html() if html else made.get_traceback_text())


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("html", [True, False])
@override_settings(OMNIMAN=OMNIMAN)
def test_a_report_shows_no_secret_whoever_caused_the_error(debug: bool, html: bool) -> None:
    get_registry().register_backend(planted())
    with override_settings(DEBUG=debug):
        text = report(PaymentExceptionReporter, html=html)
        assert leaks(text) == []
        assert "shop failed" in text
        assert "fail_with_everything" in text
        # The same page of Django's own shows them: the search can find something.
        assert leaks(report(ExceptionReporter, html=html))


@override_settings(OMNIMAN={"PAYMENT_BACKENDS": {"a b": OMNIMAN["PAYMENT_BACKENDS"]["shop"]}})
def test_settings_that_cannot_be_read_do_not_show_either() -> None:
    assert leaks(report(PaymentExceptionReporter, html=True)) == []


@override_settings(
    OMNIMAN=OMNIMAN,
    DEFAULT_EXCEPTION_REPORTER=REPORTER,
    ADMINS=[("a", "a@b.test")],
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
)
def test_a_mail_to_the_admins_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "outbox", [], raising=False)
    try:
        fail_with_everything()
    except RuntimeError:
        record = logging.LogRecord("x", logging.ERROR, "p", 1, "failed", None, sys.exc_info())
    AdminEmailHandler(include_html=True).emit(record)
    (sent,) = mail.outbox
    ((html, _),) = sent.alternatives  # type: ignore[attr-defined]
    assert "shop failed" in sent.body
    assert leaks(str(sent.body)) == []
    assert leaks(html) == []


@override_settings(OMNIMAN=OMNIMAN, DEFAULT_EXCEPTION_REPORTER=REPORTER, DEBUG=True)
def test_variables_of_the_payment_layer_are_not_shown_at_all(
    monkeypatch: pytest.MonkeyPatch, sqlite_database: object
) -> None:
    get_registry().register_backend(planted())
    monkeypatch.delattr(intake, "verify")
    payer = b'{"payer": "Maria of the canaries"}'
    with override_settings(ROOT_URLCONF="tests.django_web.urls"):
        answer = Client(raise_request_exception=False).post(
            "/payments/webhooks/shop/", payer, "application/json"
        )
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "has no attribute" in page
    assert HIDDEN in page
    assert "canaries" not in page


# -- what manage.py check says -------------------------------------------------------------


@override_settings(OMNIMAN=OMNIMAN)
def test_live_credentials_with_debug_are_an_error() -> None:
    get_registry().register_backend(planted(live=True))
    assert ours.check_debug() == []
    with override_settings(DEBUG=True):
        (error,) = ours.check_debug()
    assert (error.id, error.level) == ("omniman_payment.E008", checks.ERROR)


@override_settings(OMNIMAN=OMNIMAN, DEBUG=True)
def test_test_credentials_with_debug_are_none() -> None:
    get_registry().register_backend(planted())
    assert ours.check_debug() == []


@override_settings(DEFAULT_EXCEPTION_REPORTER="django.views.debug.ExceptionReporter")
def test_a_deployment_that_reports_errors_carelessly_or_takes_no_money_is_told() -> None:
    found = [message.id for message in ours.check_deployment()]
    assert found == ["omniman_payment.W004", "omniman_payment.W005"]
    with override_settings(DEFAULT_EXCEPTION_REPORTER=REPORTER, OMNIMAN=OMNIMAN):
        get_registry().register_backend(planted(live=True))
        assert ours.check_deployment() == []


@override_settings(OMNIMAN=OMNIMAN)
def test_the_deployment_is_looked_at_by_check_deploy_only(sqlite_database: object) -> None:
    get_registry().register_backend(planted(live=True))
    call_command("check", "--fail-level", "WARNING", "--tag", "omniman_payment")
    with pytest.raises(SystemCheckError, match="W004"):
        call_command("check", "--deploy", "--fail-level", "WARNING", "--tag", "omniman_payment")
