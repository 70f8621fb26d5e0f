"""Standard Webhooks: what is authentic is understood; nothing else gets in, nothing crashes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omniman_payment_core.errors import WebhookPayloadError, WebhookVerificationError
from omniman_payment_mock import MockGateway, MockPaymentBackend
from omniman_payment_mock.webhooks import key_of, new_secret, parse_object, sign, verify

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
KEY = key_of(SECRET)


def test_the_signature_is_the_one_the_standard_describes() -> None:
    headers = sign(b'{"a":1}', SECRET, "msg_1", NOW)
    signed = f"msg_1.{int(NOW.timestamp())}.".encode() + b'{"a":1}'
    mac = hmac.new(b"0123456789abcdef0123456789abcdef", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()


def test_a_message_signed_with_any_of_the_rolling_secrets_is_authentic() -> None:
    other = new_secret()
    for keys in ([KEY, key_of(other)], [key_of(other), KEY]):
        assert verify(sign(b"{}", SECRET, "m", NOW), b"{}", keys, now=NOW) == ("m", NOW)


def test_one_fitting_signature_of_several_is_enough() -> None:
    headers = sign(b"{}", SECRET, "m", NOW)
    mine = headers["webhook-signature"]
    headers["webhook-signature"] = f"v1a,xyz v1,AAAA {mine} v2,zzz"
    assert verify(headers, b"{}", [KEY], now=NOW) == ("m", NOW)


def test_every_secret_is_tried_with_every_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    honest = hmac.compare_digest

    def counting(a: bytes, b: bytes) -> bool:
        compared.append(b)
        return honest(a, b)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    headers = sign(b"{}", SECRET, "m", NOW)
    headers["webhook-signature"] += " v1,AAAA v1,BBBB"
    verify(headers, b"{}", [KEY, key_of(new_secret())], now=NOW)
    assert len(compared) == 6


@pytest.mark.parametrize(("age", "fresh"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_the_tolerance_is_five_minutes_in_both_directions(age: int, fresh: bool) -> None:
    at = datetime.fromtimestamp(NOW.timestamp() - age, UTC)
    headers = sign(b"{}", SECRET, "m", at)
    if fresh:
        assert verify(headers, b"{}", [KEY], now=NOW)[0] == "m"
    else:
        with pytest.raises(WebhookVerificationError, match="too far"):
            verify(headers, b"{}", [KEY], now=NOW)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", ""),
        ("webhook-id", "a.b"),
        ("webhook-id", "x" * 257),
        ("webhook-timestamp", "9" * 13),
        ("webhook-timestamp", "\u0661\u0662"),
        ("webhook-timestamp", "1e9"),
        ("webhook-timestamp", "-5"),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,é"),
        ("webhook-signature", " ".join(["v1,AAAA"] * 9)),
        ("webhook-signature", "v1," + "A" * 5000),
        ("webhook-signature", None),
        ("webhook-signature", b"v1,AAAA"),
    ],
)
def test_a_header_out_of_bounds_is_a_verification_error(name: str, value: Any) -> None:
    headers: dict[str, Any] = {**sign(b"{}", SECRET, "m", NOW), name: value}
    with pytest.raises(WebhookVerificationError):
        verify(headers, b"{}", [KEY], now=NOW)


def test_a_header_that_comes_twice_is_a_verification_error() -> None:
    headers = sign(b"{}", SECRET, "m", NOW)
    headers["Webhook-Id"] = "m"
    with pytest.raises(WebhookVerificationError, match="exactly one"):
        verify(headers, b"{}", [KEY], now=NOW)


def test_a_body_over_the_limit_is_not_even_hashed() -> None:
    body = b" " * (64 * 1024 + 1)
    with pytest.raises(WebhookVerificationError, match="body"):
        verify(sign(body, SECRET, "m", NOW), body, [KEY], now=NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":1,"a":2}',
        b'{"b":{"a":1,"a":2}}',
        b'{"a":"\\ud800"}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 33 + b"]" * 33 + b"}",
        b'{"a":' * 10_000,
        b"[" * 60_000,
        b"\xff",
    ],
)
def test_json_out_of_bounds_is_a_payload_error(body: bytes) -> None:
    with pytest.raises(WebhookPayloadError):
        parse_object(body)


def test_json_within_bounds_is_read() -> None:
    deep = b'{"a":' + b"[" * 31 + b"]" * 31 + b"}"
    assert parse_object(deep)["a"] == json.loads(deep)["a"]


@pytest.mark.parametrize("secret", ["short", "x" * 23, "whsec_", "whsec_!!!", "whsec_c2hvcnQ="])
def test_a_weak_secret_is_refused_without_being_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match="secret") as caught:
        key_of(secret)
    assert secret.removeprefix("whsec_") == "" or secret not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["id", "type", "transaction_id", "occurred_at", "livemode"]), json_values
    )
)
def test_a_signed_body_of_any_shape_is_an_event_or_a_payload_error(event: Any) -> None:
    backend = MockPaymentBackend({"webhook_secret": SECRET}, clock=lambda: NOW)
    body = json.dumps(event).encode()
    try:
        events = backend.parse_webhook(sign(body, SECRET, "m", NOW), body)
    except WebhookPayloadError:
        return
    assert [e.event_id for e in events] == ["m"]
    assert isinstance(event["type"], str)


@settings(max_examples=300, deadline=None)
@given(
    headers=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "x"])
        | st.text(max_size=4),
        st.text(max_size=40),
    ),
    body=st.binary(max_size=200),
)
def test_nothing_unsigned_gets_in_and_nothing_crashes(headers: Any, body: bytes) -> None:
    backend = MockPaymentBackend({"webhook_secret": [SECRET]}, clock=lambda: NOW)
    with pytest.raises(WebhookVerificationError):
        backend.parse_webhook(headers, body)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 200), st.integers(0, 7))
def test_a_single_flipped_bit_is_noticed(place: int, bit: int) -> None:
    backend = MockPaymentBackend({"webhook_secret": SECRET}, clock=lambda: NOW)
    body = b'{"type":"payment.updated","transaction_id":"mock_1"}'
    flipped = bytearray(body)
    flipped[place % len(body)] ^= 1 << bit
    with pytest.raises(WebhookVerificationError):
        backend.parse_webhook(sign(body, SECRET, "m", NOW), bytes(flipped))


def test_without_a_configured_secret_only_the_own_gateway_is_believed(
    backend: MockPaymentBackend, gateway: MockGateway, clock: Any
) -> None:
    paid = backend.charge(1000, "brl", "ORD-1", {"type": "card"})
    (event,) = backend.parse_webhook(*gateway.webhook(paid.transaction_id))
    assert (event.transaction_id, event.livemode) == (paid.transaction_id, False)
    with pytest.raises(WebhookVerificationError):
        backend.parse_webhook(*MockGateway(clock=clock).webhook(paid.transaction_id))


def test_a_resent_event_keeps_its_id(backend: MockPaymentBackend, gateway: MockGateway) -> None:
    events = [
        backend.parse_webhook(*gateway.webhook("mock_1", event_id="evt_7"))[0] for _ in range(2)
    ]
    assert {e.event_id for e in events} == {"evt_7"}
