"""What the plugin sends and the simulator answers is what Stripe accepts and sends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

# Everything below asks the simulator, which is a distribution of its own.
from omniman_payment_simulators.stripe import StripeSimulator

from . import kinds, life
from .examples import Examples
from .requests_ import RequestSchemas
from .responses import ResponseSchemas

Exchange = dict[str, Any]


@pytest.fixture(scope="module")
def recording() -> life.Recording:
    with StripeSimulator() as simulator:
        life.live_by_plugin(simulator)
        by_plugin = len(simulator.control.requests())
        life.live_by_sdk(simulator)
        requests = simulator.control.requests()
        return life.Recording(requests[:by_plugin], requests, simulator.control.events())


def told(exchanges: list[Exchange], judge: Callable[[Exchange], list[str]]) -> Counter[str]:
    """Every violation, and how often it was found."""
    return Counter(line for exchange in exchanges for line in judge(exchange))


def test_the_sdk_allows_every_request_of_the_plugin(recording: life.Recording) -> None:
    assert not told(
        recording.by_plugin,
        lambda sent: kinds.request_violations(sent["method"], sent["path"], sent["params"]),
    )


def test_stripes_schemas_allow_every_request_of_the_plugin(
    recording: life.Recording, request_schemas: RequestSchemas
) -> None:
    # The contract document describes payment intents and refunds; the SDK's types the others too.
    covered = [sent for sent in recording.by_plugin if request_schemas.covers(sent["path"])]
    assert not told(
        covered,
        lambda sent: request_schemas.violations(sent["method"], sent["path"], sent["params"]),
    )
    others = {sent["path"] for sent in recording.by_plugin} - {sent["path"] for sent in covered}
    assert others == {"/v1/disputes"}


def test_the_sdk_expects_every_answer(recording: life.Recording) -> None:
    assert not told(
        recording.requests, lambda exchange: kinds.answer_violations(exchange["response"])
    )


def test_stripes_schemas_allow_every_answer(
    recording: life.Recording, response_schemas: ResponseSchemas
) -> None:
    assert not told(
        recording.requests, lambda exchange: response_schemas.violations(exchange["response"])
    )


def test_the_sdk_expects_every_event(recording: life.Recording) -> None:
    assert not told(recording.events, kinds.answer_violations)


def test_stripes_schemas_allow_every_event(
    recording: life.Recording, response_schemas: ResponseSchemas
) -> None:
    assert not told(recording.events, response_schemas.violations)


def test_every_object_has_the_keys_of_stripes_example(
    recording: life.Recording, examples: Examples
) -> None:
    def judge(exchange: Exchange) -> list[str]:
        return [
            line for each in objects(exchange["response"]) for line in examples.violations(each)
        ]

    assert not told(recording.requests, judge)
    assert not told(recording.events, examples.violations)


def objects(answer: Any) -> list[dict[str, Any]]:
    """The answer, and every object of Stripe's inside it."""
    if isinstance(answer, list):
        return [each for item in answer for each in objects(item)]
    if not isinstance(answer, dict):
        return []
    inside = [each for value in answer.values() for each in objects(value)]
    known = answer.get("object") in ("payment_intent", "charge", "refund", "dispute", "event")
    return [answer, *inside] if known else inside


def test_the_recording_has_everything_that_the_plugin_can_send(recording: life.Recording) -> None:
    sent = {(each["method"], shape(each["path"])) for each in recording.by_plugin}
    assert sent == {
        ("POST", "payment_intents"),
        ("POST", "payment_intents/confirm"),
        ("POST", "payment_intents/capture"),
        ("POST", "payment_intents/cancel"),
        ("POST", "refunds"),
        ("GET", "payment_intents"),
        ("GET", "payment_intents/ID"),
        ("GET", "payment_intents/search"),
        ("GET", "disputes"),
    }
    assert {each["status"] for each in recording.requests} >= {200, 400, 401, 402, 404}


def shape(path: str) -> str:
    """The path without its version and ids."""
    *folders, last = path.removeprefix("/v1/").split("/")
    named = [step for step in folders if "_" not in step or step == "payment_intents"]
    return "/".join([*named, "ID" if last.startswith(("pi_", "re_", "dp_")) else last])


def test_the_recording_has_an_event_for_everything_that_happened(
    recording: life.Recording,
) -> None:
    assert {event["type"] for event in recording.events} >= {
        "payment_intent.created",
        "payment_intent.amount_capturable_updated",
        "payment_intent.requires_action",
        "payment_intent.payment_failed",
        "payment_intent.succeeded",
        "payment_intent.canceled",
        "charge.captured",
        "charge.refunded",
        "charge.expired",
        "charge.dispute.created",
        "charge.dispute.closed",
        "refund.created",
        "refund.updated",
        "refund.failed",
    }
