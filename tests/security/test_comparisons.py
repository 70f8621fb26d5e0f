"""A signature that fits is found in as many steps as one that does not: nothing to measure."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from omniman_payment_core.errors import WebhookVerificationError
from omniman_payment_efi import EfiBackend
from omniman_payment_mock import MockPaymentBackend
from omniman_payment_stripe import StripeBackend
from tests.campaigns.hostile.senders import (
    EFI_ADDRESS,
    NOW,
    EfiHmacSender,
    MockSender,
    StripeSender,
    efi_options,
    encoded,
)

SECRETS = [f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in range(3)]
TOKENS = [f"token_in_the_address_of_the_shop_{n}" for n in range(3)]
SIGNATURES = 4


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Every pair that is compared in constant time."""
    pairs: list[tuple[Any, Any]] = []
    compare = hmac.compare_digest

    def recorded(one: Any, other: Any) -> bool:
        pairs.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", recorded)
    return pairs


def stripe(fits: int | None, at: int) -> Callable[[], Any]:
    backend = StripeBackend(
        {"api_key": "sk_test_compare", "webhook_secret": SECRETS}, clock=lambda: NOW
    )
    sender = StripeSender("whsec_of_nobody_at_all_0123456789" if fits is None else SECRETS[fits])
    honest = sender.honest(encoded(sender.example()))
    time, signature = honest.headers[sender.proof].split(",")
    offered = ["v1=" + "0" * 64] * SIGNATURES
    offered[at] = signature
    headers = {sender.proof: ",".join((time, *offered))}
    return lambda: backend.parse_webhook(headers, honest.body)


def mock(fits: int | None, at: int) -> Callable[[], Any]:
    moment = MockSender().backend._clock()
    backend = MockPaymentBackend({"webhook_secret": SECRETS}, clock=lambda: moment)
    known = "a secret of nobody at all, 0123456789" if fits is None else SECRETS[fits]
    key = known if fits is None else base64.b64decode(known[6:]).decode("latin-1")
    sender = MockSender(key)
    honest = sender.honest(encoded(sender.example()))
    offered = ["v1," + "A" * 44] * SIGNATURES
    offered[at] = honest.headers[sender.proof]
    headers = {**honest.headers, sender.proof: " ".join(offered)}
    return lambda: backend.parse_webhook(headers, honest.body)


def efi(fits: int | None, at: int) -> Callable[[], Any]:
    backend = EfiBackend(
        efi_options(webhook_mode="hmac", webhook_secret=TOKENS, webhook_sources=[EFI_ADDRESS])
    )
    sender = EfiHmacSender("token_of_nobody_at_all_0123456789" if fits is None else TOKENS[fits])
    headers: Mapping[str, str] = sender.honest(b"{}").headers
    return lambda: backend.parse_webhook(headers, b"{}")


@pytest.mark.parametrize("fits", [0, 1, 2, None])
@pytest.mark.parametrize("at", [0, SIGNATURES - 1])
@pytest.mark.parametrize(
    ("receive", "pairs"),
    [(stripe, 3 * SIGNATURES), (mock, 3 * SIGNATURES), (efi, 3)],
    ids=["stripe", "mock", "efi"],
)
def test_every_secret_is_compared_with_every_signature_whichever_fits(
    compared: list[tuple[Any, Any]],
    receive: Callable[[int | None, int], Callable[[], Any]],
    pairs: int,
    fits: int | None,
    at: int,
) -> None:
    call = receive(fits, at)
    if fits is None:
        with pytest.raises(WebhookVerificationError):
            call()
    else:
        call()
    assert len(compared) == pairs
    assert len({str(one) for one, _ in compared} | {str(other) for _, other in compared}) >= 3
