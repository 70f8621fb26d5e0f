"""An answer that Stripe would not give is found, and Stripe's own example objects pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from . import differences, documents, kinds
from .examples import Examples
from .responses import ResponseSchemas
from .sdk_types import fields_of

Judge = Callable[[Any], list[str]]

ERROR = {
    "error": {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "message": "Your card has insufficient funds.",
    }
}
KINDS = ("payment_intent", "charge", "refund", "dispute", "payment_method")


@pytest.fixture(params=["contract document", "SDK"])
def judge(request: pytest.FixtureRequest) -> Judge:
    if request.param == "SDK":
        return kinds.answer_violations
    schemas: ResponseSchemas = request.getfixturevalue("response_schemas")
    return schemas.violations


@pytest.fixture
def example(examples: Examples) -> Callable[[str], dict[str, Any]]:
    """A copy of Stripe's example object of a kind, whole at our API version."""

    def of(kind: str) -> dict[str, Any]:
        found: dict[str, Any] = copy.deepcopy(examples.of(kind))
        if kind == "dispute":
            # Newer than the example objects, and required by the SDK's type.
            found["evidence_details"]["submission_method"] = "not_submitted"
        return found

    return of


Example = Callable[[str], dict[str, Any]]


@pytest.mark.parametrize("kind", KINDS)
def test_stripes_own_example_passes(judge: Judge, example: Example, kind: str) -> None:
    assert judge(example(kind)) == []


def test_lists_search_results_events_and_errors_pass(judge: Judge, example: Example) -> None:
    items = [example("payment_intent")]
    page = {"object": "list", "data": items, "has_more": False, "url": "/v1/payment_intents"}
    found = page | {"object": "search_result", "next_page": None}
    event = example("event") | {"type": "charge.captured", "data": {"object": example("charge")}}
    assert [judge(answer) for answer in (page, found, event, ERROR)] == [[], [], [], []]


def test_an_expanded_object_passes(judge: Judge, example: Example) -> None:
    assert judge(example("payment_intent") | {"latest_charge": example("charge")}) == []


def changed(value: dict[str, Any], path: str, to: Any) -> dict[str, Any]:
    *folders, name = path.split(".")
    at = value
    for folder in folders:
        at = at[folder]
    at[name] = to
    return value


@pytest.mark.parametrize(
    ("kind", "path", "to"),
    [
        ("payment_intent", "status", "paid"),
        ("payment_intent", "amount", 10.5),
        ("payment_intent", "amount", "1099"),
        ("payment_intent", "livemode", 0),
        ("payment_intent", "created", None),
        ("payment_intent", "amount_recieved", 0),
        ("payment_intent", "invoice", None),
        ("payment_intent", "metadata.count", 5),
        ("payment_intent", "latest_charge", {"id": "ch_1"}),
        ("charge", "outcome.type", None),
        ("charge", "outcome.level", "normal"),
        ("charge", "payment_method_details.card.last_4", "4242"),
        ("charge", "refunds", []),
        ("refund", "reason", "customer changed their mind"),
        ("dispute", "status", "open"),
        ("dispute", "evidence_details.past_due", "no"),
    ],
)
def test_a_wrong_field_is_found(
    judge: Judge, example: Example, kind: str, path: str, to: Any
) -> None:
    found = judge(changed(example(kind), path, to))
    assert found
    assert any(path.split(".")[-1] in line for line in found), found


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("payment_intent", "status"),
        ("payment_intent", "currency"),
        ("charge", "paid"),
        ("refund", "amount"),
        ("dispute", "evidence_details"),
        ("event", "type"),
    ],
)
def test_a_missing_field_is_found(judge: Judge, example: Example, kind: str, name: str) -> None:
    value = example(kind)
    del value[name]
    assert any(name in line for line in judge(value))


def test_what_is_wrong_inside_a_list_an_event_or_an_expansion_is_found(
    judge: Judge, example: Example
) -> None:
    wrong = example("refund") | {"amount": "100"}
    page = {"object": "list", "data": [wrong], "has_more": False, "url": "/v1/refunds"}
    event = example("event") | {"type": "refund.created", "data": {"object": wrong}}
    charge = example("charge") | {"refunds": page}
    intent = example("payment_intent") | {"latest_charge": charge}
    for answer in (page, event, charge, intent):
        assert any("amount" in line for line in judge(answer))


def test_a_wrong_frame_of_a_list_is_found(judge: Judge) -> None:
    page = {"object": "list", "data": [], "has_more": False, "url": "/v1/refunds"}
    assert judge(page) == []
    assert judge(page | {"has_more": None})
    assert judge(page | {"total": 0})
    assert judge({name: page[name] for name in page if name != "has_more"})


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"code": "card_declined"}},
        {"error": {"type": "card_error", "decline": "insufficient_funds"}},
        {"error": {"type": "card_error", "payment_intent": {"id": "pi_1"}}},
        {"object": "payment_intention"},
        {},
        [],
        None,
    ],
)
def test_what_is_no_answer_of_stripe_is_found(judge: Judge, answer: Any) -> None:
    assert judge(answer)


def test_a_key_that_the_example_has_must_be_there_with_the_same_type(examples: Examples) -> None:
    example = examples.of("payment_intent")
    assert examples.violations(example) == []
    without = {name: example[name] for name in example if name != "client_secret"}
    assert examples.violations(without) == ["payment_intent.client_secret: is missing"]
    [line] = examples.violations(example | {"amount": "1099"})
    assert line.startswith("payment_intent.amount: str where")


def test_every_difference_is_one_that_the_sdk_knows_and_the_snapshot_does_not() -> None:
    snapshot = documents.load(documents.RESPONSES)["components"]["schemas"]
    for component, (kind, names) in differences.NEWER_FIELDS.items():
        assert names <= set(fields_of(kind)), component
        assert not names & set(snapshot[component]["properties"]), component
    for component, (kind, names) in differences.GONE_FIELDS.items():
        assert names <= set(snapshot[component]["properties"]), component
        assert not names & set(fields_of(kind)), component
    assert set(fields_of(differences.CARD_OPTIONS_TYPE)) >= differences.NEWER_CARD_OPTIONS


def test_absent_documents_skip_with_the_folder_and_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv(documents.VARIABLE, str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match=documents.VARIABLE) as skipped:
        documents.load(documents.REQUESTS)
    assert str(tmp_path) in str(skipped.value)


def test_the_sdk_judges_without_any_document() -> None:
    refund = {"id": "re_1", "object": "refund", "amount": 5, "created": 1, "currency": "brl"}
    event = {
        "id": "evt_1",
        "object": "event",
        "created": 1,
        "livemode": False,
        "pending_webhooks": 0,
        "type": "refund.created",
        "data": {"object": refund},
    }
    assert kinds.answer_violations(event) == []
    assert kinds.answer_violations(event | {"type": "refund.made"})
    assert kinds.answer_violations(event | {"data": {"object": refund | {"amount": 5.0}}})
    assert kinds.answer_violations(event | {"data": {"object": refund | {"resaon": None}}})
    assert kinds.answer_violations(event | {"data": {}})
