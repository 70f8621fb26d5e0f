"""An authentic body is read within the same bounds by every plugin, or refused unquoted."""

from __future__ import annotations

import pytest

from omniman_payment_core.bodies import MAX_DEPTH, read_object
from omniman_payment_core.errors import WebhookPayloadError
from tests.campaigns.hostile.senders import all_senders, encoded, parse

SENDERS = {sender.name: sender for sender in all_senders()}


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


OUT_OF_BOUNDS = {
    "a name twice": b'{"id": "planted", "id": "b"}',
    "a name twice inside": b'{"data": [{"x": "planted", "x": 2}]}',
    "not a number": b'{"planted": NaN}',
    "infinite": b'{"planted": -Infinity}',
    "too large for a fraction": b'{"planted": 1e999}',
    "too many digits": b'{"planted": ' + b"9" * 5_000 + b"}",
    "too deep": nested(MAX_DEPTH + 1),
    "far too deep": nested(10_000),
    "not UTF-8": '{"planted": "é"}'.encode("latin-1"),
    "another encoding": '{"planted": 1}'.encode("utf-16"),
    "two documents": b'{"planted": 1} {}',
    "a list": b'["planted"]',
    "a text": b'"planted"',
}


@pytest.mark.parametrize("name", SENDERS)
@pytest.mark.parametrize("what", OUT_OF_BOUNDS)
def test_json_out_of_bounds_is_refused_by_every_plugin(name: str, what: str) -> None:
    sender = SENDERS[name]
    with pytest.raises(WebhookPayloadError) as refused:
        parse(sender, sender.honest(OUT_OF_BOUNDS[what]))
    assert "planted" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("name", SENDERS)
def test_an_ordinary_notification_is_far_within_them(name: str) -> None:
    sender = SENDERS[name]
    assert parse(sender, sender.honest(encoded(sender.example())))


def test_what_is_just_within_is_read() -> None:
    assert read_object(nested(MAX_DEPTH))
    assert read_object('{"é": 1.5, "big": 123456789012345678901234567890}'.encode()) == {
        "é": 1.5,
        "big": 123456789012345678901234567890,
    }
