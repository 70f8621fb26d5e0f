"""manage.py check finds a wrong payment setting before a customer does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import checks
from django.db.utils import ConnectionHandler
from django.test import override_settings

from omniman_payment_core.errors import ConfigurationError
from omniman_payment_core.plugins import PaymentRegistry
from omniman_payment_django import checks as ours
from omniman_payment_django import runtime, sqlite
from omniman_payment_django.models import Channel


def ids(messages: list[checks.CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


def registry_of(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, Any]) -> None:
    monkeypatch.setattr(runtime, "get_registry", lambda: PaymentRegistry(settings))


GOOD = {
    "PAYMENT_BACKENDS": {"shop": {"plugin": "mock"}},
    "DEFAULT_PAYMENT_BACKEND": "shop",
}

# -- settings ------------------------------------------------------------------------------


def test_right_settings_have_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    registry_of(monkeypatch, GOOD)
    assert ours.check_settings() == []


def test_every_problem_of_the_settings_is_a_message_without_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ="
    registry_of(
        monkeypatch,
        {
            "PAYMENT_BACKENDS": {
                "shop": {"plugin": "mock", "config": {"latency_ms": "no", "secret": secret}},
                "gone": {"plugin": "no-such-gateway"},
            }
        },
    )
    found = ours.check_settings()
    assert set(ids(found)) == {"omniman_payment.E001"}
    text = " ".join(str(message.msg) for message in found)
    assert "latency_ms" in text
    assert "no-such-gateway" in text
    assert secret not in text
    assert all(message.hint for message in found)


@pytest.mark.parametrize("settings", [{"PAYMENT_BACKENDS": []}, {"PAYMENT_BACKEND": {}}])
def test_settings_that_cannot_be_read_at_all_are_a_message_too(
    monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, Any]
) -> None:
    registry_of(monkeypatch, settings)
    assert ids(ours.check_settings()) == ["omniman_payment.E001"]


def test_a_host_that_is_not_configured_is_a_message_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ConfigurationError("payments are not configured")

    monkeypatch.setattr(runtime, "get_registry", fail)
    assert ids(ours.check_settings()) == ["omniman_payment.E001"]


# -- SQLite --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        (dict(sqlite.OPTIONS), []),
        ({"transaction_mode": "EXCLUSIVE", "init_command": "pragma journal_mode = wal; "
          "PRAGMA synchronous=2"}, []),
        ({}, ["transaction_mode", "journal_mode", "synchronous"]),
        ({**sqlite.OPTIONS, "transaction_mode": "DEFERRED"}, ["transaction_mode"]),
        ({**sqlite.OPTIONS, "transaction_mode": None}, ["transaction_mode"]),
        ({**sqlite.OPTIONS, "init_command": "PRAGMA journal_mode=WAL;"}, ["synchronous"]),
        ({**sqlite.OPTIONS, "init_command": "PRAGMA synchronous=FULL;"}, ["journal_mode"]),
        ({**sqlite.OPTIONS, "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL"},
         ["synchronous"]),
    ],
)  # fmt: skip
def test_options_that_make_sqlite_no_durable_queue_are_named(
    options: Mapping[str, Any], missing: list[str]
) -> None:
    problems = sqlite.missing_options(options)
    assert [problem.split()[0] for problem in problems] == missing


def test_sqlite_without_the_options_is_a_warning_with_what_to_paste(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = SimpleNamespace(vendor="sqlite", settings_dict={"NAME": "shop.db", "OPTIONS": {}})
    monkeypatch.setattr(ours, "connections", {"default": other})
    (warning,) = ours.check_sqlite()
    assert (warning.id, warning.level) == ("omniman_payment.W001", checks.WARNING)
    assert repr(dict(sqlite.OPTIONS)) in str(warning.hint)
    other.settings_dict["OPTIONS"] = dict(sqlite.OPTIONS)
    assert ours.check_sqlite() == []
    other.settings_dict.update(OPTIONS={}, NAME=":memory:")
    assert ours.check_sqlite() == []
    other.vendor, other.settings_dict["NAME"] = "postgresql", "shop"
    assert ours.check_sqlite() == []


def test_the_pasted_options_are_what_the_database_then_does(tmp_path: Path) -> None:
    handler = ConnectionHandler(
        {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(tmp_path / "shop.sqlite3"),
                "OPTIONS": dict(sqlite.OPTIONS),
            }
        }
    )
    connection = handler["default"]
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


# -- URLs ----------------------------------------------------------------------------------


def test_a_project_without_the_route_is_told_once() -> None:
    assert ours.check_webhook_route() == []
    with override_settings(ROOT_URLCONF="tests.django_web.no_urls"):
        (info,) = ours.check_webhook_route()
    assert (info.id, info.level) == ("omniman_payment.I001", checks.INFO)


# -- channels ------------------------------------------------------------------------------


@pytest.fixture
def configured(database: object, monkeypatch: pytest.MonkeyPatch) -> None:
    registry_of(monkeypatch, GOOD)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, []),
        ({"payment_backend": "shop", "payment_flow": "charge"}, []),
        ({"payment_backend": "stripe"}, ["E003"]),
        ({"payment_backend": "shopp"}, ["E003"]),
        ({"payment_backend": 7}, ["E003"]),
        ({"payment_flow": "later"}, ["E002"]),
        ({"late_money": "keep"}, ["E002"]),
        ({"order_flow": {"auto_transitions": {"on_payment_confirmed": "paid"}}}, ["E002"]),
        ({"payment_flow": "later", "late_money": "keep", "payment_backend": "x"},
         ["E002", "E002", "E003"]),
        ({"api_key": "k"}, ["E004"]),
        ({"gateway": {"client_secret": "s", "certificate": "/c.pem"}}, ["E004", "E004"]),
        ({"accounts": [{"note": "sk_live_abc"}]}, ["E004"]),
        ({"webhook_secret": ""}, []),
        ([], ["E002"]),
    ],
)  # fmt: skip
def test_a_channel_that_no_order_can_be_paid_in_is_found(
    configured: None, config: Any, expected: list[str]
) -> None:
    Channel.objects.create(code="web", config=config)
    found = ours.check_channels(databases=["default"])
    assert ids(found) == [f"omniman_payment.{name}" for name in expected]
    assert all('channel "web"' in str(m.msg).lower() and m.hint for m in found)


def test_a_secret_in_a_channel_is_named_and_not_shown(configured: None) -> None:
    Channel.objects.create(code="web", config={"a": [{"api_key": "sk_live_planted"}]})
    (error,) = ours.check_channels(databases=["default"])
    assert 'config["a"][0]["api_key"]' in str(error.msg)
    assert "planted" not in f"{error.msg} {error.hint}"


def test_channels_are_read_only_when_the_database_is_to_be_checked(configured: None) -> None:
    Channel.objects.create(code="web", config={"payment_flow": "later"})
    assert ours.check_channels(databases=None) == []
    assert ours.check_channels(databases=["another"]) == []


def test_before_the_migrations_there_is_nothing_to_say(
    configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Channel._meta, "db_table", "not_there_yet")
    assert ours.check_channels(databases=["default"]) == []


def test_the_checks_run_with_manage_py_check() -> None:
    registered = checks.registry.registry.get_checks(include_deployment_checks=False)
    names = {getattr(check, "__name__", "") for check in registered}
    assert names >= {"check_settings", "check_sqlite", "check_webhook_route"}
