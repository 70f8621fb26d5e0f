"""What a directive may say, field by field, and under which code the rest is refused."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from omniman_payment_core.decisions.payloads import (
    PayloadError,
    check_object,
    digest,
    read_amount,
    read_flag,
    read_opening,
    read_text,
)
from omniman_payment_core.records import ChannelView, OrderView

ORDER = OrderView("O1", ChannelView("web", {}), "open", "brl", 1000)


def refusal(call: Any, *arguments: Any) -> tuple[str, str]:
    with pytest.raises(PayloadError) as caught:
        call(*arguments)
    return caught.value.code, str(caught.value)


def test_what_is_not_said_is_the_whole_order_and_the_first_attempt() -> None:
    opening = read_opening({}, ORDER)
    assert (opening.amount_q, opening.currency, opening.attempt) == (1000, "BRL", 1)
    assert (opening.payment_method, opening.metadata) == ({}, {})


def test_everything_can_be_said() -> None:
    said = {
        "amount_q": 999,
        "currency": "Brl",
        "attempt": 2,
        "payment_method": {"a": 1},
        "metadata": {"b": 2},
    }
    opening = read_opening(said, ORDER)
    assert (opening.amount_q, opening.currency, opening.attempt) == (999, "BRL", 2)
    assert (opening.payment_method, opening.metadata) == ({"a": 1}, {"b": 2})
    assert read_opening({"amount_q": 1}, ORDER).amount_q == 1


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"amount_q": 1001}, "amount_exceeds_total"),
        ({"amount_q": 0}, "invalid_amount"),
        ({"amount_q": -1}, "invalid_amount"),
        ({"amount_q": 9.5}, "invalid_amount"),
        ({"amount_q": "9"}, "invalid_amount"),
        ({"amount_q": True}, "invalid_amount"),
        ({"currency": "XXQ"}, "unknown_currency"),
        ({"currency": "USD"}, "currency_mismatch"),
        ({"attempt": 0}, "invalid_payload"),
        ({"attempt": True}, "invalid_payload"),
        ({"attempt": "1"}, "invalid_payload"),
        ({"attempt": None}, "invalid_payload"),
        ({"payment_method": []}, "invalid_payload"),
        ({"metadata": "text"}, "invalid_payload"),
    ],
)
def test_what_cannot_be_meant_is_refused(payload: dict[str, Any], code: str) -> None:
    refused, message = refusal(read_opening, payload, ORDER)
    assert refused == code
    assert f'"{next(iter(payload))}"' in message


@pytest.mark.parametrize("total_q", [0, -5])
def test_nothing_is_collected_for_an_order_that_costs_nothing(total_q: int) -> None:
    free = OrderView("O1", ChannelView("web", {}), "open", "BRL", total_q)
    assert refusal(read_opening, {}, free)[0] == "invalid_payload"


def test_an_order_in_no_currency_can_be_paid_in_none() -> None:
    odd = OrderView("O1", ChannelView("web", {}), "open", "???", 1000)
    assert refusal(read_opening, {}, odd)[0] == "unknown_currency"
    assert refusal(read_opening, {"currency": "BRL"}, odd)[0] == "currency_mismatch"


def test_optional_fields_are_read_or_refused_by_name() -> None:
    assert (read_amount({}), read_amount({"amount_q": 7})) == (None, 7)
    assert (read_text({}, "reason"), read_text({"reason": "so"}, "reason")) == (None, "so")
    assert [read_flag(p, "final") for p in ({}, {"final": True}, {"final": False})] == [
        None,
        True,
        False,
    ]
    for read, value in ((read_text, 5), (read_flag, "yes"), (read_flag, 1)):
        assert '"name"' in refusal(read, {"name": value}, "name")[1]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("secret", "a text"),
        (5, "a number"),
        (0.5, "a fraction"),
        (True, "true or false"),
        (None, "empty"),
        (["secret"], "a list"),
    ],
)
def test_a_payload_that_is_no_object_is_called_by_its_kind_and_not_shown(
    value: Any, said: str
) -> None:
    code, message = refusal(check_object, value)
    assert code == "invalid_payload"
    assert f"is {said};" in message
    assert "secret" not in message


def test_an_object_may_be_any_mapping() -> None:
    method = MappingProxyType({"type": "card"})
    assert read_opening({"payment_method": method}, ORDER).payment_method == {"type": "card"}


def test_an_object_in_place_of_an_amount_is_called_one() -> None:
    assert "an object" in refusal(read_amount, {"amount_q": {"secret": 1}})[1]


def test_a_fingerprint_is_short_stable_and_blind_to_the_order_of_keys() -> None:
    one = digest(amount_q=5, method={"b": 1, "a": 2})
    assert one == digest(method={"a": 2, "b": 1}, amount_q=5)
    assert one != digest(amount_q=6, method={"b": 1, "a": 2})
    assert len(one) == 32
    # Written down with operations that are under way: it has to be the same after a deployment.
    assert digest(a=1, b="x") == "ecf9e98ec0641e23113ff3ce8bdc78d0"
    assert digest(at=object) == digest(at=object)
