"""Planted secrets and card data are nowhere to be found after whole runs, failures included."""

from __future__ import annotations

import base64
import dataclasses
import json
import logging
import traceback
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from omniman_payment_core.contracts import BackendRegistration, Option
from omniman_payment_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    PaymentError,
)
from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_core.plugins.registry import PaymentRegistry
from omniman_payment_core.records import Directive
from omniman_payment_core.values import PaymentResult
from omniman_payment_mock import MockPaymentBackend

from .harness import Shop

API_KEY = "sk_live_c4n4ry/Zx9+plus=="
WEBHOOK_SECRET = "whsec_c4n4ry-5ecret"
CERTIFICATE = (
    "-----BEGIN KEY-----\nMIIEc4n4ryLine1abcdefgh\nMIIEc4n4ryLine2ijklmnop\n-----END KEY-----"
)
SECRETS = (API_KEY, WEBHOOK_SECRET, CERTIFICATE, "MIIEc4n4ryLine1abcdefgh")
CARD = "4242424242424242"
METHOD = {
    "type": "card",
    "token": "tok_c4n4ry_8812",
    "number": CARD,
    "holder": {"name": "Ana C4n4ry", "email": "ana.canary@example.org", "cpf": "529.982.247-25"},
}
DETAILS = (
    "tok_c4n4ry_8812",
    CARD,
    "4242 4242 4242 4242",
    "Ana C4n4ry",
    "ana.canary@example.org",
    "529.982.247-25",
)
CONFIG = {"api_key": API_KEY, "webhook_secret": [WEBHOOK_SECRET], "certificate": CERTIFICATE}


def forms(canary: str) -> set[str]:
    """How a text may show: plain, quoted for a URL, in JSON, in base64 at any offset."""
    raw = canary.encode()
    found = {
        canary,
        quote(canary),
        quote(canary, safe=""),
        quote_plus(canary),
        json.dumps(canary)[1:-1],
        repr(canary)[1:-1],
    }
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        # The first and last characters depend on the neighbours.
        found.add(encoded[4:-2])
    return found


FORMS = {form: canary for canary in (*SECRETS, *DETAILS) for form in forms(canary)}


def find(text: str) -> list[str]:
    return [canary for form, canary in FORMS.items() if form in text]


QUOTES = [
    " ".join((*SECRETS, *DETAILS)),
    quote(API_KEY, safe="") + " " + quote_plus(METHOD["holder"]["email"]),  # type: ignore[index]
    base64.b64encode(f"Basic user:{API_KEY}".encode()).decode(),
    json.dumps({"Authorization": API_KEY, "body": METHOD}),
    repr({"config": CONFIG, "method": METHOD}),
]


class Gossip(MockPaymentBackend):
    """Quotes everything it was ever given, in every way it can fail."""

    def __init__(self, config: Mapping[str, Any], shop: Shop) -> None:
        super().__init__(gateway=shop.gateway, clock=shop.clock.now)
        self.config = dict(config)
        self.problem: list[Any] = []

    def _send(self, method: str, scope: str, faults: Any, request: Any) -> Any:
        if self.problem and method not in ("get_status", "find"):
            problem = self.problem.pop(0)
            if isinstance(problem, PaymentResult):
                return problem
            raise problem
        return super()._send(method, scope, faults, request)


CONFIG_QUOTES = [
    f"{' '.join(SECRETS)} and card {CARD}",
    json.dumps({"Authorization": API_KEY, "config": CONFIG}),
    repr(CONFIG),
]
"""What code can know that was never handed a payment method."""


class Curious:
    """An observer that raises with what it knows, and a wrapper that does the same."""

    @hookimpl
    def payment_changed(self, change: Any) -> None:
        raise RuntimeError(CONFIG_QUOTES[0])

    @hookimpl
    def directive_claimed(self, directive: Any) -> None:
        raise ValueError(CONFIG_QUOTES[1])

    @hookimpl(wrapper=True)
    def around_gateway_call(self, call: Any) -> Iterator[None]:
        yield
        raise RuntimeError(CONFIG_QUOTES[2])


def problems() -> list[Any]:
    kinds: list[Any] = [
        RuntimeError,
        NotAttemptedError,
        OutcomeUnknownError,
        InvalidRequestError,
        KeyError,
        ConfigurationError,
    ]
    found: list[Any] = [kind(text) for kind in kinds for text in QUOTES]
    for text in QUOTES:
        found.append(PaymentResult(False, None, "failed", "card_declined", text))
        found.append(PaymentResult(False, None, "failed", text[:255], text))
        found.append(PaymentResult(True, None, "authorized", metadata={"said": text}))
    try:
        raise ValueError(QUOTES[0])
    except ValueError as cause:
        chained = RuntimeError("chained")
        chained.__cause__ = cause
        found.append(chained)
    return found


def gossiping_shop() -> tuple[Shop, Gossip]:
    shop = Shop()
    made: list[Gossip] = []

    def build(options: Mapping[str, Any]) -> Gossip:
        assert options["api_key"] == API_KEY, "the backend itself gets the real thing"
        made.append(Gossip(options, shop))
        return made[0]

    registry = PaymentRegistry(
        {
            "PAYMENT_BACKENDS": {"gossip": {"plugin": "gossip", "config": CONFIG}},
            "DEFAULT_PAYMENT_BACKEND": "gossip",
        },
        hooks=shop.hooks,
    )
    registry.register_backend(
        BackendRegistration(
            "gossip",
            build,
            options=(
                Option("api_key", secret=True),
                Option("webhook_secret", kind=list, secret=True),
                Option("certificate", secret=True),
            ),
        )
    )
    shop.accounts = registry  # type: ignore[assignment]
    shop.scrubber = registry.scrubber
    shop.hooks.register(Curious(), "curious")
    shop.engine = shop.new_engine("worker")
    assert registry.account("gossip").backend is made[0]
    return shop, made[0]


def stored(shop: Shop) -> list[str]:
    """Every field of every record, except the one that is allowed to hold a payment method."""
    texts = []
    store = shop.store
    for records in (
        store.payments, store.operations, store.refunds, store.events, store.flags, store.notices
    ):  # fmt: skip
        texts += [json.dumps(dataclasses.asdict(r), default=str) for r in records.values()]
    texts += [json.dumps(dataclasses.asdict(call), default=str) for call in store.calls]
    texts += [json.dumps([order.data, order.triggers]) for order in store.orders.values()]
    for directive in store.directives.values():
        fields = dataclasses.asdict(directive)
        del fields["payload"]
        texts.append(json.dumps(fields, default=str))
    return texts


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Each record as a handler would write it, tracebacks and extra fields included."""
    written = logging.Formatter("%(message)s")
    return [written.format(record) + repr(vars(record)) for record in caplog.records]


@pytest.mark.parametrize("number", range(len(problems())))
def test_no_secret_and_no_payment_method_is_logged_stored_or_shown(
    number: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shop, gossip = gossiping_shop()
    shop.order()
    for enqueue in (
        lambda: shop.hold(payment_method=METHOD, metadata={"note": "two"}),
        shop.confirm,
        lambda: shop.refund(400),
        shop.cancel,
    ):
        # The opening is where the payment method travels; captures travel without it.
        gossip.problem = [] if shop.store.payments else [problems()[number]]
        enqueue()
        shop.settle_down()
        shop.sync()
    texts = [*stored(shop), *logged(caplog)]
    assert shop.hooks.failures, "the observer has raised what it knows"
    texts += [repr(record) for record in shop.store.directives.values()]
    texts += [repr(value) for value in (shop.store, shop.engine, shop.hooks, shop.accounts)]
    texts += [repr(shop.accounts.account("gossip")), repr(shop.scrubber)]
    assert len(texts) > 30
    for text in texts:
        assert not find(text), (find(text), text)


@pytest.mark.parametrize("said", CONFIG_QUOTES)
@pytest.mark.parametrize("method", ["confirm", "refund", "cancel"])
def test_no_secret_of_the_account_shows_after_any_call(
    method: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shop, gossip = gossiping_shop()
    shop.order()
    shop.charge() if method == "refund" else shop.hold()
    shop.run()
    gossip.problem = [RuntimeError(said), PaymentResult(False, None, "failed", "declined", said)]
    getattr(shop, method)()
    shop.settle_down()
    assert not gossip.problem
    for text in [*stored(shop), *logged(caplog)]:
        assert not find(text), (find(text), text)


def test_a_work_and_its_request_do_not_show_the_payment_method() -> None:
    shop, _ = gossiping_shop()
    shop.order()
    number = shop.hold(payment_method=METHOD)
    (work,) = shop.engine.claim(1).works
    answer = shop.engine.perform(work)
    assert work.request.payment_method == METHOD
    for value in (work, work.request, work.directive, answer, shop.directive(number)):
        assert not find(repr(value))
    assert not find(repr(shop.store.directives))


def test_a_build_that_fails_does_not_show_what_it_was_given(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    def build(options: Mapping[str, Any]) -> Any:
        secret_local = options["api_key"]
        raise ValueError(f"cannot log in with {secret_local} and {dict(options)}")

    registry = PaymentRegistry({"PAYMENT_BACKENDS": {"a": {"plugin": "bad", "config": CONFIG}}})
    registry.register_backend(BackendRegistration("bad", build))
    with pytest.raises(PaymentError) as caught:
        registry.account("a").backend  # noqa: B018
    shown = "".join(traceback.format_exception(caught.value))
    assert "cannot log in with [secret]" in shown
    for text in (shown, repr(caught.value), repr(registry.settings), *logged(caplog)):
        assert not find(text)


def test_the_search_for_canaries_finds_them() -> None:
    for text in QUOTES:
        assert find(text)
    assert find(repr({"payload": METHOD}))
    assert "payload" not in {f.name for f in dataclasses.fields(Directive) if f.repr}
