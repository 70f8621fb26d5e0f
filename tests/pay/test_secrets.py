"""A client secret lets its holder pay: it is in the page's body and nowhere else."""

from __future__ import annotations

import logging
import sys

import pytest
from django.test import RequestFactory, override_settings
from django.views.debug import ExceptionReporter

from omniman_payment_django.models import Payment
from omniman_payment_django.pay import Presentation, Waiting, views

from .shop import SECRET, Shop


def test_the_secret_is_in_the_page_once_and_never_in_the_status(shop: Shop) -> None:
    payment = shop.waiting()
    page = shop.page(payment)
    assert page.content.decode().count(SECRET) == 1
    assert SECRET not in str(page.headers)
    answer = shop.client.get(f"{shop.url(payment)}status/")
    assert SECRET not in answer.content.decode()
    assert SECRET not in str(answer.headers)


def test_the_status_tells_words_and_nothing_of_the_ledger(shop: Shop) -> None:
    payment = shop.waiting(status="disputed", captured_q=1000, disputed_q=1000)
    assert set(shop.status(payment)) == {
        "status",
        "step",
        "done",
        "tone",
        "title",
        "message",
        "expires_in",
    }
    told = str(shop.status(payment)).lower()
    for hidden in ("disput", "1000", str(payment.transaction_id), payment.id, payment.account):
        assert hidden.lower() not in told


def test_no_log_line_holds_the_secret_or_the_address(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    payment = shop.waiting()
    shop.page(payment)
    shop.status(payment)
    shop.client.post(shop.url(payment))
    shop.client.get(f"{shop.url(payment)[:-2]}/")
    shop.work()
    token = shop.url(payment).split("/")[-2].split(".")[0]
    # The database's own debug log shows whole rows; it is off unless somebody wants them.
    lines = [r.getMessage() for r in caplog.records if not r.name.startswith("django.db")]
    assert not [line for line in lines if SECRET in line or token in line]


def test_what_holds_the_secret_does_not_show_it() -> None:
    data = {"client_secret": SECRET}
    assert SECRET not in repr(Waiting("x", data, 1, "BRL", None))
    assert SECRET not in repr(Presentation("x.html", data))


@override_settings(DEBUG=False)
def test_a_report_of_an_error_in_the_page_does_not_hold_the_secret(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = shop.waiting()

    def fail(*_: object) -> None:
        raise RuntimeError("no template")

    monkeypatch.setattr(views, "render_to_string", fail)
    request = RequestFactory().get(shop.url(payment))
    with pytest.raises(RuntimeError):
        views.pay(request, shop.url(payment).split("/")[-2])
    try:
        views.pay(request, shop.url(payment).split("/")[-2])
    except RuntimeError:
        report = ExceptionReporter(request, *sys.exc_info()).get_traceback_text()
    assert "no template" in report
    assert SECRET not in report
    assert Payment.objects.get().next_action["data"]["client_secret"] == SECRET
