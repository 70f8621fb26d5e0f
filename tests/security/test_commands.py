"""What a command prints when a plugin breaks down: what went wrong, and none of its secrets."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from omniman_payment_core.contracts import BackendRegistration, Option
from omniman_payment_core.errors import OutcomeUnknownError
from omniman_payment_django.runtime import get_registry
from omniman_payment_mock import MockPaymentBackend

KEY = "sk_live_c4n4ry_0123456789"
OMNIMAN = {"PAYMENT_BACKENDS": {"shop": {"plugin": "leaky", "config": {"api_key": KEY}}}}


class Leaky(MockPaymentBackend):
    """Says what it knows, or answers what is no answer."""

    what: Any = None

    def list_transactions(self, *_: Any, **__: Any) -> Any:
        return self._act()

    def registered_webhook(self) -> Any:
        return self._act()

    def register_webhook(self, url: str) -> Any:
        return self._act()

    def _act(self) -> Any:
        if isinstance(self.what, Exception):
            raise self.what
        return self.what


def raised(error: Exception) -> Exception:
    """As an SDK raises: with a cause that knows as much."""
    error.__cause__ = ValueError(f"Authorization: {KEY}")
    return error


@pytest.mark.parametrize(
    "what",
    [
        raised(RuntimeError(f"refused {KEY}")),
        raised(OutcomeUnknownError(f"refused {KEY}")),
        42,
        None,
        KEY,
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "command",
    [
        ("reconcile",),
        ("reconcile", "--json"),
        ("webhook", "show", "shop"),
        ("webhook", "register", "shop", "https://shop.test"),
    ],
    ids=" ".join,
)
@override_settings(OMNIMAN=OMNIMAN)
def test_a_plugin_that_breaks_down_is_told_in_one_line(
    sqlite_database: object, capsys: pytest.CaptureFixture[str], command: Any, what: Any
) -> None:
    backend = Leaky()
    backend.what = what
    options = (Option("api_key", secret=True),)
    get_registry().register_backend(
        BackendRegistration("leaky", lambda _: backend, options=options)
    )
    shown = ""
    try:
        call_command("payments", *command)
    except CommandError as error:
        # manage.py prints the text, and with --traceback what led to it.
        shown = f"{error} {error.__cause__!r}"
    shown += "".join(capsys.readouterr())
    assert shown
    assert KEY not in shown
