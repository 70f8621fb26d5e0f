"""A shop that is deployed again and again over one database, and the two gateways it may know."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core import checks
from django.test import Client, override_settings

from omniman_payment_core.contracts import BackendRegistration
from omniman_payment_core.decisions import Rules
from omniman_payment_core.engine import Engine, Work
from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_core.notices import PaymentChange
from omniman_payment_core.records import NewDirective
from omniman_payment_core.testing import ManualClock
from omniman_payment_django.models import Channel, Directive, Flag, Order, Payment
from omniman_payment_django.runtime import get_registry, new_id
from omniman_payment_django.store import DjangoStore
from omniman_payment_mock import MockGateway, MockPaymentBackend

OLD_SECRET = "whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0LW9sZA=="
NEW_SECRET = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldw=="
REF = "ORDER-1"
TOTAL_Q = 1000


def account(plugin: str = "alpha", merchant: str = "one", **more: Any) -> dict[str, Any]:
    """An account's settings."""
    return {"plugin": plugin, "config": {"merchant": merchant, "live": False,
                                         "webhook_secret": [OLD_SECRET], **more}}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Release:
    """What is deployed: the accounts of the settings, and the plugins that are installed."""

    accounts: Mapping[str, Any] = field(
        default_factory=lambda: {"main": account(), "second": account("beta", "two")}
    )
    installed: tuple[str, ...] = ("alpha", "beta")


class Backend(MockPaymentBackend):
    """Knows which merchant it is at the gateway, and notes every call."""

    def __init__(self, config: Mapping[str, Any], calls: list[tuple[str, str]], **far: Any) -> None:
        super().__init__(config, **far)
        self._calls = calls

    @property
    def account_fingerprint(self) -> str:
        return f"merchant-{self.config['merchant']}"

    @property
    def livemode(self) -> bool:
        return bool(self.config["live"])

    def _send(self, method: str, *args: Any) -> Any:
        self._calls.append((self.config["merchant"], method))
        return super()._send(method, *args)


class Site:
    """The database stays, everything else is made anew by :meth:`deploy`."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime.now(UTC))
        self.far = {
            name: MockGateway(name, clock=self.clock, webhook_secret=OLD_SECRET)
            for name in ("one", "two")
        }
        self.calls: list[tuple[str, str]] = []
        self.told: list[PaymentChange] = []
        self._settings: Any = None
        self.deploy(Release())
        channel = Channel.objects.create(code="web", config={"payment_backend": "main"})
        Order.objects.create(ref=REF, channel=channel, currency="BRL", total_q=TOTAL_Q)

    # -- deploying -------------------------------------------------------------------------

    def deploy(self, release: Release) -> None:
        """New processes with these settings and plugins."""
        self.close()
        self._settings = override_settings(
            OMNIMAN={
                "PAYMENT_BACKENDS": dict(release.accounts),
                "DEFAULT_PAYMENT_BACKEND": next(iter(release.accounts)),
            },
            ROOT_URLCONF="tests.django_web.urls",
        )
        self._settings.enable()
        registry = get_registry()
        for name in release.installed:
            registry.register_backend(
                BackendRegistration(
                    name=name,
                    build=self._build,
                    key_window=timedelta(hours=24),
                    absence_after=timedelta(0),
                )
            )
        registry.hooks.register(_Observer(self.told), "observer")
        self.engine = self.worker("worker")

    def close(self) -> None:
        """The settings are what they were before."""
        if self._settings is not None:
            self._settings.disable()
            self._settings = None

    def _build(self, config: Mapping[str, Any]) -> Backend:
        gateway = self.far[config["merchant"]]
        return Backend(config, self.calls, gateway=gateway, clock=self.clock)

    def worker(self, owner: str, rules: Rules | None = None) -> Engine:
        """A worker process of the present deployment."""
        registry = get_registry()
        return Engine(
            DjangoStore(clock=self.clock),
            registry,
            registry.hooks,
            registry.scrubber,
            clock=self.clock,
            new_id=new_id,
            rng=random.Random(1),
            owner=owner,
            rules=rules,
        )

    # -- working ---------------------------------------------------------------------------

    def ask(self, topic: str, **payload: Any) -> None:
        """Enqueue a directive of the order."""
        self.engine.store.enqueue([NewDirective(topic, REF, payload)])

    def claimed(self) -> list[Work]:
        """A worker has taken what is due, and written down that it will call."""
        works = self.engine.claim(10).works
        assert works, "nothing was to be called"
        return works

    def work(self, *minutes: float) -> None:
        """Do what is due, now and each time after so many minutes more."""
        for pause in (0.0, *minutes):
            self.clock.advance(timedelta(minutes=pause))
            self.engine.maintain()
            self.engine.run_until_idle()

    def deliver(self, secret: str = OLD_SECRET, account_name: str = "main") -> int:
        """The gateway knocks about the payment; the answer's status."""
        headers, body = self.far["one"].webhook(self.payment().transaction_id, secret=secret)
        answer: Any = Client().generic(
            "POST", f"/payments/webhooks/{account_name}/", body, "application/json",
            headers=headers,
        )  # fmt: skip
        return int(answer.status_code)

    # -- looking ---------------------------------------------------------------------------

    def payment(self) -> Payment:
        return Payment.objects.get(order_ref=REF)

    def payment_is_known(self) -> bool:
        return Payment.objects.filter(order_ref=REF).exists()

    def flags(self) -> set[str]:
        return set(Flag.objects.filter(settled_at=None).values_list("kind", flat=True))

    def failed(self) -> list[str]:
        return list(Directive.objects.filter(status="failed").values_list("last_error", flat=True))

    def complaints(self) -> set[str]:
        """The errors of ``manage.py check --database default``."""
        found = checks.run_checks(tags=["omniman_payment", "database"], databases=["default"])
        return {str(message.id) for message in found if message.level >= checks.ERROR}

    def strangers(self) -> list[tuple[str, str]]:
        """Calls that went to the gateway that has nothing to do with the payment."""
        return [call for call in self.calls if call[0] != "one"]


class _Observer:
    """Hears of every change of status."""

    def __init__(self, told: list[PaymentChange]) -> None:
        self._told = told

    @hookimpl
    def payment_changed(self, change: PaymentChange) -> None:
        self._told.append(change)
