"""Notifications: what Stripe signs is believed, and of it only which payment to look at."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from omniman_payment_core.errors import (
    WebhookError,
    WebhookPayloadError,
    WebhookVerificationError,
)
from omniman_payment_core.values import WebhookEvent
from omniman_payment_stripe import StripeBackend

OLD, NEW = "whsec_0123456789abcdef01", "whsec_fedcba987654321001"


def backend(*secrets: str) -> StripeBackend:
    return StripeBackend({"api_key": "sk_test_simulator", "webhook_secret": list(secrets)})


def event(**changes: Any) -> dict[str, Any]:
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_790_000_000,
        "data": {"object": {"id": "pi_1", "object": "payment_intent", "amount": 1000}},
        "livemode": False,
        "type": "payment_intent.succeeded",
        **changes,
    }


def sign(body: str, secret: str = NEW, *, at: int | None = None) -> dict[str, str]:
    """Signed by the SDK itself."""
    moment = int(time.time()) if at is None else at
    header = stripe.WebhookSignature.generate_signature_header(body, secret, moment)
    return {"Stripe-Signature": header}


def deliver(content: Any, *secrets: str) -> WebhookEvent:
    body = json.dumps(content)
    (found,) = backend(*(secrets or (NEW,))).parse_webhook(sign(body), body.encode())
    return found


def test_what_the_sdk_signs_is_believed() -> None:
    assert deliver(event()) == WebhookEvent(
        event_id="evt_1",
        kind="payment_intent.succeeded",
        transaction_id="pi_1",
        occurred_at=datetime.fromtimestamp(1_790_000_000, UTC),
        livemode=False,
    )


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        *(
            (f"payment_intent.{what}", {"id": "pi_1", "object": "payment_intent"})
            for what in (
                "succeeded",
                "amount_capturable_updated",
                "payment_failed",
                "canceled",
                "requires_action",
                "processing",
            )
        ),
        *(
            (kind, {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"})
            for kind in ("charge.refunded", "charge.expired", "charge.captured")
        ),
        *(
            (kind, {"id": "re_1", "object": "refund", "payment_intent": "pi_1"})
            for kind in ("refund.updated", "refund.failed", "charge.refund.updated")
        ),
        *(
            (
                f"charge.dispute.{what}",
                {"id": "dp_1", "object": "dispute", "charge": "ch_1", "payment_intent": "pi_1"},
            )
            for what in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
        ),
        # Some versions of the API, and some endpoints, expand it.
        ("charge.refunded", {"object": "charge", "payment_intent": {"id": "pi_1", "amount": 1}}),
        # The oldest have no "object" in what they belong to.
        ("refund.updated", {"id": "re_1", "payment_intent": "pi_1"}),
    ],
)
def test_every_event_of_a_payment_points_at_it(kind: str, about: dict[str, Any]) -> None:
    found = deliver(event(type=kind, data={"object": about}))
    assert (found.kind, found.transaction_id) == (kind, "pi_1")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "payment_intent.created"},
        {"type": "customer.created", "data": {"object": {"id": "cus_1", "object": "customer"}}},
        {"type": "charge.succeeded", "data": {"object": {"id": "ch_1", "payment_intent": None}}},
        {"type": "v1.billing.meter.error_report_triggered", "object": "v2.core.event", "data": {}},
        {"type": "an.event.of.next.year", "data": {"object": None}},
        {"data": None},
        {"data": []},
        {"data": {"object": {"object": "payment_intent", "id": ["pi_1"]}}},
        {"data": {"object": {"object": "payment_intent", "id": "pi_1\n"}}},
    ],
)
def test_an_event_about_something_else_is_an_event_without_a_payment(
    changes: dict[str, Any],
) -> None:
    found = deliver(event(**changes))
    assert found.event_id == "evt_1"
    assert found.transaction_id is None


@pytest.mark.parametrize(
    ("created", "livemode"),
    [("2026-11-23T10:00:00.000Z", None), (None, "yes"), (-1, 1), (True, None), (10**30, None)],
)
def test_what_an_event_says_besides_is_told_only_where_it_makes_sense(
    created: Any, livemode: Any
) -> None:
    found = deliver(event(created=created, livemode=livemode))
    assert (found.occurred_at, found.livemode, found.transaction_id) == (None, None, "pi_1")


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_while_a_secret_is_rolled_both_are_believed(secret: str) -> None:
    body = json.dumps(event())
    assert backend(NEW, OLD).parse_webhook(sign(body, secret), body.encode())


def test_a_delivery_signed_with_both_secrets_is_believed() -> None:
    body, now = json.dumps(event()), int(time.time())
    old, new = (sign(body, s, at=now)["Stripe-Signature"].split(",")[1] for s in (OLD, NEW))
    headers = {"stripe-signature": f"t={now},{old},{new},v0=0123"}
    assert backend(NEW).parse_webhook(headers, body.encode())
    assert backend(OLD).parse_webhook(headers, body.encode())


@pytest.mark.parametrize("age", [-301, 301, 86_400])
def test_an_old_delivery_and_one_from_the_future_are_not_believed(age: int) -> None:
    body = json.dumps(event())
    with pytest.raises(WebhookVerificationError, match="too far from the present"):
        backend(NEW).parse_webhook(sign(body, at=int(time.time()) - age), body.encode())


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1",
        "v1=abc",
        "t=,v1=abc",
        "t=1,t=2,v1=abc",
        "t=1e9,v1=abc",
        "t=-1,v1=abc",
        "t=\u0661,v1=abc",
        "t=1790000000,v1=é",
        "t=1790000000,v0=abc",
        "t=1790000000" + ",v1=ab" * 9,
        "t=1790000000,v1=" + "a" * 5000,
        "t=9999999999999,v1=abc",
    ],
)
def test_a_header_that_stripe_does_not_send_is_refused_and_never_a_crash(header: str) -> None:
    body = json.dumps(event()).encode()
    with pytest.raises(WebhookVerificationError):
        backend(NEW).parse_webhook({"Stripe-Signature": header}, body)


def test_without_a_secret_nothing_is_believed() -> None:
    body = json.dumps(event())
    with pytest.raises(WebhookVerificationError, match='no option "webhook_secret"'):
        backend().parse_webhook(sign(body), body.encode())


def test_another_accounts_secret_is_not_ours() -> None:
    body = json.dumps(event())
    with pytest.raises(WebhookVerificationError, match="no signature fits"):
        backend(NEW).parse_webhook(sign(body, OLD), body.encode())


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[1]",
        "{",
        "{}",
        '{"id": 7, "type": "a"}',
        '{"id": "evt_1"}',
        '{"id": "", "type": "a"}',
        '{"id": "evt_1", "type": "a b"}',
        '{"id": "\\ud800", "type": "a"}',
        '{"id": "evt_1", "type": "' + "a" * 65 + '"}',
        "[" * 100_000,
        "9" * 5000,
    ],
)
def test_a_signed_body_that_is_no_event_says_so(body: str) -> None:
    with pytest.raises(WebhookPayloadError):
        backend(NEW).parse_webhook(sign(body), body.encode())


def test_a_body_beyond_all_reason_is_not_even_hashed() -> None:
    body = " " * (1024 * 1024 + 1)
    with pytest.raises(WebhookVerificationError, match="at most"):
        backend(NEW).parse_webhook(sign(body), body.encode())


@given(st.text(max_size=200), st.binary(max_size=200))
def test_nothing_that_a_stranger_sends_is_believed_or_crashes(header: str, body: bytes) -> None:
    with pytest.raises(WebhookError):
        backend(NEW).parse_webhook({"Stripe-Signature": header}, body)


@given(st.integers(0, 400), st.integers(1, 255))
def test_not_one_bit_of_a_signed_body_can_be_changed(place: int, mask: int) -> None:
    body = json.dumps(event())
    changed = bytearray(body.encode())
    changed[place % len(changed)] ^= mask
    with pytest.raises(WebhookVerificationError):
        backend(NEW).parse_webhook(sign(body), bytes(changed))
