"""A shop with an account of every plugin, each option of them a canary, and its histories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any

from django.db import connections
from django.test import override_settings
from django.utils import timezone

from omniman_payment_core.contracts import BackendRegistration, Option
from omniman_payment_core.errors import OutcomeUnknownError
from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_core.values import PaymentResult
from omniman_payment_django.models import Directive, Order, Payment
from omniman_payment_django.runtime import get_registry
from omniman_payment_django.sessions import cancel_order, confirm_payment, refund_payment
from omniman_payment_django.webhooks.rejections import rejections
from omniman_payment_mock import MockPaymentBackend
from omniman_payment_simulators.pix import PixSimulator
from omniman_payment_simulators.stripe import StripeSimulator
from tests.django_web.server import running_server
from tests.selling import OPEN, Selling

from . import canaries as c

ROUNDS = 8
URLS = "tests.campaigns.leaks.urls"
PIX = {"type": "pix", "debtor": {"cpf": c.CPF, "name": c.NAME}}
CARD = {"type": "card", "payment_method_id": "pm_card_visa", "receipt_email": c.EMAIL}
TOLD = (
    f"{c.GOSSIP_KEY} and {c.GOSSIP_DSN}, card {c.CARD_WRITTEN}",
    f"Authorization: Basic {c.GOSSIP_KEY}\r\nX-Injected: 1",
    f'{{"error": {{"cpf": "{c.CPF}", "key": "{c.GOSSIP_KEY}"}}}}',
    f"the payer with CPF {c.CPF_WRITTEN} is not known",
)


class Gossip(MockPaymentBackend):
    """Tells whatever it knows of its account, in every way a call can end."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = dict(config)
        self._turns = count()

    def _send(self, method: str, scope: str, faults: Any, request: Any) -> Any:
        turn = next(self._turns)
        said = TOLD[turn // 4 % len(TOLD)]
        match turn % 4:
            case 0:
                raise RuntimeError(said, self.config)
            case 1:
                raise OutcomeUnknownError(said) from ValueError(repr(self.config))
            case 2 if method not in ("get_status", "find"):
                return PaymentResult(False, None, "failed", "declined", said)
        return super()._send(method, scope, faults, request)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> Any:
        raise RuntimeError(f"{self.config} {dict(headers)} {body!r}")


class Curious:
    """An observer and a wrapper that raise with what they know."""

    @hookimpl
    def payment_changed(self, change: Any) -> None:
        raise RuntimeError(f"{change} {c.GOSSIP_KEY}")

    @hookimpl(wrapper=True)
    def around_gateway_call(self, call: Any) -> Iterator[None]:
        yield
        raise RuntimeError(f"{call} {c.STRIPE_KEY} {c.EFI_PASSWORD}")


def gossip() -> BackendRegistration:
    """The registration of :class:`Gossip`."""
    options = (Option("api_key", secret=True), Option("dsn", secret=True))
    return BackendRegistration("gossip", Gossip, options=options)


class Shop(Selling):
    """Sells through every account until all of them have said something."""

    def __init__(self, stripe: StripeSimulator, pix: PixSimulator, url: str) -> None:
        self.stripe, self.pix, self.url = stripe, pix, url

    def sell(self, account: str, method: Mapping[str, Any], flow: str = "charge") -> Order:
        """One order of R$ 10.00."""
        return self.commit(
            dict(method), 1000, payment_backend=account, payment_flow=flow, currency="BRL"
        )

    def work(self) -> None:
        """Work and try again what failed, a few times: the gossip never ends well."""
        worker = self.worker()
        for _ in range(ROUNDS):
            worker.run_until_idle()
            waiting = Directive.objects.filter(status__in=OPEN, waiting=False)
            if not waiting.update(available_at=timezone.now()):
                break

    def settle(self) -> None:
        """Let every notification arrive, and work."""
        self.work()
        self.stripe.control.flush()
        self.pix.control.flush()
        self.work()

    def histories(self) -> None:
        """A few of everything: paid, refused, lost, refunded, cancelled, paid otherwise."""
        self._cards()
        self._pix()
        for _ in range(4):
            self.sell("mock", {"type": "card", "token": c.CARD_TOKEN}, "authorize_capture")
            self.sell("gossip", {"type": "card", "token": c.CARD_TOKEN}, "authorize_capture")
        self.settle()

    def _cards(self) -> None:
        far_side = self.stripe.control
        far_side.decline_next("insufficient_funds")
        self.sell("stripe", CARD, "authorize_capture")
        self.settle()
        held, refunded = (self.sell("stripe", CARD, "authorize_capture") for _ in range(2))
        self.sell("stripe", {"type": "card", "receipt_email": c.EMAIL})
        self.settle()
        far_side.fault(kind="error", when="after", status=500, path="*capture")
        far_side.fault(kind="drop", when="after", path="*refunds")
        confirm_payment(refunded)
        cancel_order(held, actor="ana")
        self.settle()
        refund_payment(refunded, 300, reason="broken")
        far_side.fault(kind="rate_limit", path="*")
        self.settle()
        # A payment method of which the gateway has never heard, and which it quotes.
        self.sell("stripe", {**CARD, "payment_method_id": c.CARD_TOKEN})
        self.settle()

    def _pix(self) -> None:
        far_side = self.pix.control
        paid, less = (self.sell("efi", PIX) for _ in range(2))
        far_side.fault(kind="error", when="after", status=500, method="PUT")
        self.settle()
        for order, amount_q in ((paid, 1000), (less, 400)):
            txid = Payment.objects.get(order_ref=order.ref).transaction_id
            far_side.pay(str(txid), amount_q, payer_info=f"{c.NAME} {c.CPF_WRITTEN} {c.EMAIL}")
        self.settle()
        far_side.fault(kind="drop", when="after", path="*devolucao*")
        refund_payment(paid, 300, reason="broken")
        self.settle()
        far_side.decline_next("documento_bloqueado")
        self.sell("efi", PIX)
        self.sell("efi", {**PIX, "debtor": {"cpf": c.CPF_WRITTEN, "name": c.NAME}})
        self.settle()


def settings_of(stripe: StripeSimulator, pix: PixSimulator) -> tuple[dict[str, Any], str]:
    """``settings.OMNIMAN`` with canaries in every secret option, and Efi's certificate."""
    certificate = c.as_text(c.p12_of(pix.certificate, c.EFI_PASSWORD))
    accounts = {
        "stripe": {
            "api_key": c.STRIPE_KEY,
            "webhook_secret": [c.STRIPE_SIGNING, c.STRIPE_FORMER],
            "publishable_key": stripe.publishable_key,
            "base_url": stripe.url,
            "timeout_seconds": 5,
        },
        "efi": {
            "client_id": pix.client_id,
            "client_secret": c.EFI_SECRET,
            "certificate": certificate,
            "certificate_password": c.EFI_PASSWORD,
            "sandbox": True,
            "pix_key": pix.pix_key,
            "base_url": pix.url,
            "ca_certificate": str(pix.ca_certificate),
            "timeout_seconds": 5,
            "webhook_mode": "hmac",
            "webhook_secret": [c.EFI_HOOK],
            "webhook_sources": ["127.0.0.1"],
        },
        "mock": {"webhook_secret": [c.MOCK_SIGNING]},
        "gossip": {"api_key": c.GOSSIP_KEY, "dsn": c.GOSSIP_DSN},
    }
    backends = {name: {"plugin": name, "config": config} for name, config in accounts.items()}
    return {"PAYMENT_BACKENDS": backends, "DEFAULT_PAYMENT_BACKEND": "mock"}, certificate


@contextmanager
def planted_shop() -> Iterator[tuple[Shop, list[c.Canary]]]:
    """The shop on the default database, and everything that is planted in it."""
    with ExitStack() as open_until_the_end:
        enter = open_until_the_end.enter_context
        stripe = enter(StripeSimulator(c.STRIPE_KEY, webhook_secret=c.STRIPE_SIGNING))
        pix = enter(PixSimulator(client_secret=c.EFI_SECRET))
        settings, certificate = settings_of(stripe, pix)
        enter(
            override_settings(
                OMNIMAN=settings,
                ROOT_URLCONF=URLS,
                DEFAULT_EXCEPTION_REPORTER=(
                    "omniman_payment_django.reporting.PaymentExceptionReporter"
                ),
            )
        )
        # What was said a moment ago, on the other database, is said again.
        rejections._causes.clear()
        registry = get_registry()
        registry.register_backend(gossip())
        registry.hooks.register(Curious(), "curious")
        host, port = enter(running_server()).address
        shop = Shop(stripe, pix, f"http://{host}:{port}")
        address = f"{shop.url}/payments/webhooks/stripe/"
        stripe.control.add_webhook_endpoint(address, c.STRIPE_SIGNING)
        planted = [*c.ACCOUNT, *c.PAYER, *c.of_certificate(pix.certificate, certificate)]
        try:
            yield shop, planted
        finally:
            stripe.control.pause()
            pix.control.pause()
            registry.close()
            connections.close_all()
