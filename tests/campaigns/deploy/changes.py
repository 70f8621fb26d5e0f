"""What a deployment may change, what ``manage.py check`` says of it, and whether work goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from omniman_payment_core.records import SCHEMA_VERSION
from omniman_payment_django.models import Channel, Directive

from .site import NEW_SECRET, OLD_SECRET, Release, Site, account

OPEN = ("pending", "running", "parked")


@dataclass(frozen=True, slots=True)
class Change:
    """A change and its way back; ``complaint`` is what the checks must say meanwhile."""

    name: str
    make: Callable[[Site], None]
    back: Callable[[Site], None]
    goes_on: bool
    """Payments that are in flight end well without the way back."""
    complaint: str = ""
    webhook: int = 200
    """The answer to a notification about a payment that is in flight."""

    def __str__(self) -> str:
        return self.name


def _deploys(release: Release) -> Callable[[Site], None]:
    return lambda site: site.deploy(release)


def _as_before(site: Site) -> None:
    site.deploy(Release())


def _main(**changes: object) -> Release:
    return Release({"main": account(**changes), "second": account("beta", "two")})  # type: ignore[arg-type]


def _newer_payloads(site: Site) -> None:
    """A newer worker has enqueued what this one does not understand."""
    Directive.objects.filter(status__in=OPEN).update(schema_version=SCHEMA_VERSION + 1)
    site.deploy(Release())


def _newer_worker(site: Site) -> None:
    """The newer version, which reads both."""
    Directive.objects.filter(schema_version=SCHEMA_VERSION + 1).update(
        schema_version=SCHEMA_VERSION
    )
    site.deploy(Release())


def _other_channel(site: Site) -> None:
    Channel.objects.update(config={"payment_backend": "second", "payment_flow": "charge"})
    site.deploy(Release())


def _channel_as_before(site: Site) -> None:
    Channel.objects.update(config={"payment_backend": "main"})
    site.deploy(Release())


CHANGES = [
    Change("the same version again", _as_before, _as_before, goes_on=True),
    Change("payloads of a newer version", _newer_payloads, _newer_worker, goes_on=False),
    Change(
        "the account is renamed",
        _deploys(Release({"renamed": account(), "second": account("beta", "two")})),
        _as_before, goes_on=False, complaint="omniman_payment.E009", webhook=404,
    ),
    Change(
        "the plugin is uninstalled", _deploys(Release(installed=("beta",))), _as_before,
        goes_on=False, complaint="omniman_payment.E001", webhook=503,
    ),
    Change(
        "another plugin under the account's name", _deploys(_main(plugin="beta", merchant="two")),
        _as_before, goes_on=False, complaint="omniman_payment.E009",
    ),
    Change(
        "another merchant under the account's name", _deploys(_main(merchant="two")), _as_before,
        goes_on=False, complaint="omniman_payment.E009",
    ),
    Change(
        "live mode is switched", _deploys(_main(live=True)), _as_before, goes_on=False,
        complaint="omniman_payment.E009",
    ),
    Change(
        "the secret is rotated", _deploys(_main(webhook_secret=[NEW_SECRET, OLD_SECRET])),
        _as_before, goes_on=True,
    ),
    Change(
        "the secret is replaced", _deploys(_main(webhook_secret=[NEW_SECRET])), _as_before,
        goes_on=True, webhook=400,
    ),
    Change("the channel sells elsewhere", _other_channel, _channel_as_before, goes_on=True),
]  # fmt: skip
