"""The two plugins at their simulators behind a toxic proxy: each operation, and its true effect."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe
import trustme

from omniman_payment_core.errors import NotAttemptedError, OutcomeUnknownError
from omniman_payment_core.values import PaymentResult, PaymentStatus
from omniman_payment_efi import EfiBackend
from omniman_payment_efi import transport as efi_transport
from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.stripe import StripeSimulator
from omniman_payment_stripe import StripeBackend
from omniman_payment_stripe import transport as stripe_transport

from .proxy import ToxicProxy

CARD = {"type": "card", "payment_method_id": "pm_card_visa"}
LONG_AGO = timedelta(hours=1)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Doing:
    """One operation on an order of its own: to be called, looked at, and called again."""

    call: Callable[[Any], Any]
    effect: Callable[[], int]
    """How much of it the far side has really done."""
    once: int
    """How much that is when it was done once."""
    seen: Callable[[Any], int]
    """The same, by a look through the plugin."""


@dataclass(frozen=True, slots=True)
class Side:
    """A plugin, the proxy before its simulator, and a backend made anew for each budget."""

    name: str
    proxy: ToxicProxy
    operations: Mapping[str, Callable[[], Doing]]
    requests: Mapping[str, str]
    """How an operation's last request begins, where others come before it."""
    make: Callable[[float, str], Any]
    reset: Callable[[], None]
    """The far side forgets everything, so that lists stay short."""
    lost_read: type[Exception]
    """What is raised by a read whose answer is lost."""

    def backend(self, budget: float, url: str | None = None) -> Any:
        """An account whose calls may take so many seconds."""
        return self.make(budget, url or self.proxy.url)


@cache
def authority() -> trustme.CA:
    """Vouches for the proxies."""
    return trustme.CA()


def server_context(*names: str, by: trustme.CA | None = None, **more: Any) -> ssl.SSLContext:
    """A server with a certificate for these names, or for this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (by or authority()).issue_cert(*(names or ("127.0.0.1",)), **more).configure_cert(context)
    return context


@contextmanager
def connecting_within(budget: float) -> Iterator[None]:
    """Connections may take no longer than answers; the plugins' own limit has no option."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe_transport, "CONNECT_TIMEOUT", budget)
        patch.setattr(efi_transport, "CONNECT_TIMEOUT", budget)
        yield


def _upstream(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 0)


def _new_ref() -> str:
    return f"net-{next(_numbers)}"


# -- Stripe --------------------------------------------------------------------------------


@contextmanager
def stripe_side() -> Iterator[Side]:
    """Stripe's simulator behind TLS that the SDK is told to trust."""
    with ExitStack() as stack:
        simulator = stack.enter_context(StripeSimulator())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        trusted = folder / "ca.pem"
        authority().cert_pem.write_to_path(str(trusted))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(stripe, "ca_bundle_path", str(trusted))
        proxy = ToxicProxy(_upstream(simulator.url), server_context(), None)
        stack.enter_context(proxy.running())
        direct = StripeBackend({"api_key": simulator.api_key, "base_url": simulator.url})
        stack.callback(direct.close)

        def make(budget: float, url: str) -> StripeBackend:
            with connecting_within(budget):
                config = {"api_key": simulator.api_key, "base_url": url, "timeout_seconds": budget}
                return StripeBackend(config)

        operations = _stripe_operations(simulator, direct)
        yield Side(
            "stripe", proxy, operations, {}, make, simulator.control.reset, OutcomeUnknownError
        )


def _stripe_operations(
    simulator: StripeSimulator, direct: StripeBackend
) -> dict[str, Callable[[], Doing]]:
    control = simulator.control

    def held() -> tuple[str, str]:
        ref = _new_ref()
        return ref, str(direct.authorize(1000, "BRL", ref, dict(CARD)).transaction_id)

    def charge() -> Doing:
        ref = _new_ref()
        return Doing(
            lambda backend: backend.charge(
                1000, "BRL", ref, dict(CARD), idempotency_key=f"key-{ref}"
            ),
            lambda: control.moved(ref),
            1000,
            lambda backend: sum(found.captured_q or 0 for found in backend.find(ref)),
        )

    def capture() -> Doing:
        ref, number = held()
        return Doing(
            lambda backend: backend.capture(
                number, 1000, currency="BRL", idempotency_key=f"key-{ref}"
            ),
            lambda: control.moved(ref),
            1000,
            lambda backend: backend.get_status(number).captured_q or 0,
        )

    def refund() -> Doing:
        ref, number = held()
        direct.capture(number, 1000, currency="BRL")
        return Doing(
            lambda backend: backend.refund(
                number, 400, currency="BRL", idempotency_key=f"key-{ref}"
            ),
            lambda: 1000 - control.moved(ref),
            400,
            lambda backend: backend.get_status(number).refunded_q or 0,
        )

    def cancel() -> Doing:
        ref, number = held()
        return Doing(
            lambda backend: backend.cancel(number, idempotency_key=f"key-{ref}"),
            lambda: 1000 - control.held(ref),
            1000,
            lambda backend: _gone(backend.get_status(number), 1000),
        )

    def get_status() -> Doing:
        ref, number = held()
        return _reading(lambda backend: backend.get_status(number), lambda: control.held(ref))

    def listing() -> Doing:
        ref, _ = held()
        since = datetime.now(UTC) - LONG_AGO
        return _reading(lambda backend: backend.list_transactions(since), lambda: control.held(ref))

    return {
        "charge": charge,
        "capture": capture,
        "refund": refund,
        "cancel": cancel,
        "get_status": get_status,
        "list": listing,
    }


def _gone(seen: PaymentResult, amount_q: int) -> int:
    return amount_q if seen.status == PaymentStatus.CANCELLED else 0


def _reading(call: Callable[[Any], Any], truth: Callable[[], int]) -> Doing:
    """What only reads has no effect, so that the far side stays as it was."""
    before = truth()
    return Doing(call, lambda: truth() - before, 0, lambda backend: 0)


# -- Pix -----------------------------------------------------------------------------------


@contextmanager
def efi_side() -> Iterator[Side]:
    """The Pix simulator, reached by the proxy with the account's own certificate."""
    with ExitStack() as stack:
        simulator = stack.enter_context(PixSimulator())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        trusted = folder / "ca.pem"
        authority().cert_pem.write_to_path(str(trusted))
        client = ssl.create_default_context(cafile=str(simulator.ca_certificate))
        client.load_cert_chain(simulator.certificate)
        proxy = ToxicProxy(_upstream(simulator.url), server_context(), client)
        stack.enter_context(proxy.running())

        def config(url: str, ca: Path, budget: float) -> dict[str, Any]:
            return {
                "client_id": simulator.client_id,
                "client_secret": simulator.client_secret,
                "certificate": str(simulator.certificate),
                "pix_key": simulator.pix_key,
                "base_url": url,
                "ca_certificate": str(ca),
                "timeout_seconds": budget,
            }

        direct = EfiBackend(config(simulator.url, simulator.ca_certificate, 20))
        stack.callback(direct.close)

        def make(budget: float, url: str) -> EfiBackend:
            return EfiBackend(config(url, trusted, budget))

        requests = {"refund": "PUT /v2/pix/", "list": "GET /v2/pix?"}
        operations = _efi_operations(simulator, direct)
        yield Side(
            "efi", proxy, operations, requests, make, simulator.control.reset, NotAttemptedError
        )


def _efi_operations(simulator: PixSimulator, direct: EfiBackend) -> dict[str, Callable[[], Doing]]:
    control = simulator.control

    def opened() -> tuple[str, str]:
        ref = _new_ref()
        return ref, str(direct.charge(1000, "BRL", ref, {}, idempotency_key=ref).transaction_id)

    def puts(beginning: str) -> int:
        """How many objects there are, whose names begin so: a name is never made twice."""
        made = {
            request["path"]
            for request in control.requests()
            if request["method"] == "PUT"
            and request["path"].startswith(beginning)
            and request["status"] == 201
        }
        return len(made)

    def charge() -> Doing:
        ref = _new_ref()
        txid = direct.choose_transaction_id(f"key-{ref}")
        return Doing(
            lambda backend: backend.charge(1000, "BRL", ref, {}, idempotency_key=f"key-{ref}"),
            lambda: puts(f"/v2/cob/{txid}"),
            1,
            lambda backend: int(backend.get_status(txid).status == PaymentStatus.PENDING),
        )

    def refund() -> Doing:
        ref, txid = opened()
        control.pay(txid)
        return Doing(
            lambda backend: backend.refund(txid, 400, idempotency_key=f"key-{ref}"),
            lambda: 1000 - control.moved(ref),
            400,
            lambda backend: backend.get_status(txid).refunded_q or 0,
        )

    def cancel() -> Doing:
        ref, txid = opened()
        return Doing(
            lambda backend: backend.cancel(txid, idempotency_key=f"key-{ref}"),
            lambda: _gone(direct.get_status(txid), 1000),
            1000,
            lambda backend: _gone(backend.get_status(txid), 1000),
        )

    def get_status() -> Doing:
        ref, txid = opened()
        return _reading(lambda backend: backend.get_status(txid), lambda: control.moved(ref))

    def listing() -> Doing:
        ref, _ = opened()
        since = datetime.now(UTC) - LONG_AGO
        return _reading(
            lambda backend: backend.list_transactions(since), lambda: control.moved(ref)
        )

    return {
        "charge": charge,
        "refund": refund,
        "cancel": cancel,
        "get_status": get_status,
        "list": listing,
    }
