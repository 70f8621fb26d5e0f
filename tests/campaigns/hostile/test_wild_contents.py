"""Each plugin's reader on contents of any shape: events within bounds, or a refusal."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniman_payment_core.errors import WebhookError, WebhookPayloadError
from omniman_payment_core.values import WebhookEvent
from omniman_payment_django.webhooks.body import MAX_BODY
from omniman_payment_django.webhooks.verifying import checked

from .mutating import mutate
from .senders import MOCK_SECRET, Sender, all_senders, encoded, parse
from .wild import NAMES, NUMBERS, wild_body

SENDERS = {sender.name: sender for sender in all_senders()}
EVERY_SENDER = pytest.mark.parametrize("name", SENDERS)
TRANSACTION = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
EVENT = re.compile(r"[A-Za-z0-9_.:?-]{1,255}")
BODIES = 3_000

texts = st.text(st.characters(), max_size=20)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from(("a" * 32,)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=4)
    ),
    max_leaves=12,
)


def read(sender: Sender, body: bytes) -> list[WebhookEvent]:
    """The events of a genuine delivery, of which none can lead anywhere else."""
    events = checked(parse(sender, sender.honest(body)))
    for event in events:
        assert EVENT.fullmatch(event.event_id)
        assert event.transaction_id is None or TRANSACTION.fullmatch(event.transaction_id)
    return events


def read_or_refuse(sender: Sender, body: bytes) -> None:
    refusal: WebhookError | None = None
    try:
        read(sender, body[:MAX_BODY])
    except WebhookPayloadError as refused:
        # Any other error fails the test: the proof was genuine, so this is the only one.
        refusal = refused
    if refusal is not None:
        assert len(str(refusal)) < 200, "a refusal quotes no body"
        assert refusal.__cause__ is None
        assert refusal.__suppress_context__ or refusal.__context__ is None


@EVERY_SENDER
@given(content=anything)
def test_any_json_is_events_or_a_refusal(name: str, content: Any) -> None:
    read_or_refuse(SENDERS[name], json.dumps(content).encode("utf-8", "surrogatepass"))


@EVERY_SENDER
@given(changes=st.dictionaries(st.sampled_from(NAMES), anything, max_size=4))
def test_an_ordinary_notification_with_strange_fields_is_events_or_a_refusal(
    name: str, changes: dict[str, Any]
) -> None:
    content = SENDERS[name].example()
    if "pix" in content:
        content = {"pix": [{**content["pix"][1], **changes}]}
    read_or_refuse(SENDERS[name], json.dumps({**content, **changes}).encode())


@EVERY_SENDER
@given(body=st.binary(max_size=200))
def test_any_bytes_are_events_or_a_refusal(name: str, body: bytes) -> None:
    read_or_refuse(SENDERS[name], body)


@EVERY_SENDER
def test_wild_contents_are_events_or_a_refusal(name: str) -> None:
    rng, sender = random.Random(f"wild:{name}"), SENDERS[name]
    for _ in range(BODIES):
        read_or_refuse(sender, wild_body(sender, rng))
        read_or_refuse(sender, mutate(encoded(sender.example()), rng))


@EVERY_SENDER
@pytest.mark.parametrize("depth", [33, 1_000, 30_000])
def test_a_deeply_nested_body_is_events_or_a_refusal(name: str, depth: int) -> None:
    read_or_refuse(SENDERS[name], b"[" * depth + b"]" * depth)
    read_or_refuse(SENDERS[name], b'{"data":' * depth + b"1" + b"}" * depth)


@EVERY_SENDER
@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:8])
def test_a_number_in_any_place_moves_no_amount(name: str, number: str) -> None:
    text = json.dumps(SENDERS[name].example()).replace("}", f', "amount": {number}}}')
    read_or_refuse(SENDERS[name], text.encode())


def test_no_refusal_shows_the_secret_or_the_signature() -> None:
    sender = SENDERS["mock"]
    delivery = sender.honest(b"{}")
    with pytest.raises(WebhookError) as caught:
        parse(sender, delivery.with_body(b"{ }"))
    shown = f"{caught.value!r} {vars(caught.value)}"
    assert MOCK_SECRET not in shown
    assert delivery.headers["webhook-signature"] not in shown
