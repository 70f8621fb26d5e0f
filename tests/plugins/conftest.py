"""Fixtures: a site of made-up distributions, and notices to tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from omniman_payment_core.notices import (
    DirectiveNotice,
    GatewayCall,
    PaymentChange,
    WebhookNotice,
)
from omniman_payment_core.plugins import Discovery
from omniman_payment_core.values import PaymentStatus

from .site import Site, forget_modules_of

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site(tmp_path / "site")
    monkeypatch.syspath_prepend(str(site.folder))
    yield site
    forget_modules_of(tmp_path)


@pytest.fixture
def discovery() -> Discovery:
    return Discovery()


@pytest.fixture
def directive() -> DirectiveNotice:
    return DirectiveNotice(7, "payment.hold", "ORD-1", "pay_1", 1, "completed", "", AT)


@pytest.fixture
def change() -> PaymentChange:
    return PaymentChange(
        payment_id="pay_1",
        order_ref="ORD-1",
        account="stripe",
        previous=PaymentStatus.PENDING,
        status=PaymentStatus.AUTHORIZED,
        amount_q=1000,
        currency="BRL",
        authorized_q=1000,
        captured_q=0,
        refunded_q=0,
        disputed_q=0,
        version=2,
        at=AT,
    )


@pytest.fixture
def webhook() -> WebhookNotice:
    return WebhookNotice("stripe", "evt_1", "payment_intent.succeeded", "pi_1", False)


@pytest.fixture
def call() -> GatewayCall:
    return GatewayCall("stripe", "stripe", "capture", "ORD-1", "pay_1", "op_1", 1000, "BRL", 1)
