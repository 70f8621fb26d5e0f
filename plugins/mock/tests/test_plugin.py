"""What the plugin tells the core, and that being installed costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from omniman_payment_core.contracts import FEATURES, abilities_of
from omniman_payment_core.plugins import PaymentHooks, PaymentRegistry
from omniman_payment_mock import MockPaymentBackend, named_gateway, reset_gateways
from omniman_payment_mock.plugin import make_registration, register_backend


def test_the_registration_builds_a_backend_from_its_options() -> None:
    registration = register_backend()
    backend = registration.build(
        {"latency_ms": 0, "webhook_secret": ["a-secret-that-is-long-enough"]}
    )
    assert isinstance(backend, MockPaymentBackend)
    assert backend.charge(1000, "brl", "ORD-1", {"type": "card"}).success


def test_an_account_of_the_settings_gets_its_mock() -> None:
    registry = PaymentRegistry(
        {
            "PAYMENT_BACKENDS": {
                "shop": {
                    "plugin": "mock-inline",
                    "config": {"gateway": "shop", "webhook_secret": "a-secret-that-is-long-enough"},
                }
            },
            "DEFAULT_PAYMENT_BACKEND": "shop",
        },
        hooks=PaymentHooks(),
    )
    registry.register_backend(make_registration(name="mock-inline"))
    backend = registry.account("shop").backend
    assert isinstance(backend, MockPaymentBackend)
    assert backend.gateway is named_gateway("shop")
    (event,) = backend.parse_webhook(*named_gateway("shop").webhook("mock_1"))
    assert event.transaction_id == "mock_1"
    registry.close()
    reset_gateways()


def test_the_mock_has_every_ability_and_feature() -> None:
    abilities = abilities_of(MockPaymentBackend())
    assert abilities.keyed == {"authorize", "charge", "capture", "refund", "cancel"}
    assert abilities.addressed == {"authorize", "charge"}
    assert {"find", "list_transactions", "choose_transaction_id", "parse_webhook"} < (
        abilities.methods
    )
    assert all(register_backend().feature(name).supported for name in FEATURES)


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("script", {"declien": 1}, "unknown entry 'declien'"),
        ("script", "decline", "mapping"),
        ("webhook_secret", ["weak"], "at least 24 bytes"),
        ("webhook_secret", [], "secret"),
        ("webhook_secret", [7], "texts"),
        ("latency_ms", -1, "negative"),
        ("key_window_hours", 0, "above zero"),
    ],
)
def test_a_wrong_option_says_what_is_wrong(option: str, value: object, problem: str) -> None:
    (found,) = [o for o in register_backend().options or () if o.name == option]
    assert found.check is not None
    assert problem in str(found.check(value))


def test_a_gateway_that_forgets_sooner_than_promised_is_refused() -> None:
    registration = make_registration()
    assert registration.check is not None
    assert registration.check({"key_window_hours": 24}) == ()
    assert "at least 24" in registration.check({"key_window_hours": 1})[0]


@pytest.mark.parametrize(
    "module", ["omniman_payment_mock.plugin", "omniman_payment_mock.pytest_plugin"]
)
def test_importing_an_entry_point_imports_no_gateway(module: str) -> None:
    program = (
        f"import sys, pluggy, pytest, {module}\n"
        "heavy = ('backend', 'gateway', 'script', 'webhooks', 'sqlite_store')\n"
        "print([m for m in heavy if 'omniman_payment_mock.' + m in sys.modules])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stdout.strip() == "[]"
