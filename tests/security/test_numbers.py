"""Card and taxpayer numbers: ten thousand of each, however they are written, never pass."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.test import override_settings

from omniman_payment_core.secrets import Scrubber, contains_card_number
from omniman_payment_django.models import Channel, Order, Session
from omniman_payment_django.sessions import (
    CommitError,
    RequestRefusedError,
    commit_session,
    retry_payment,
)

MANY = 10_000
SCHEMES = (("4", 16), ("4", 13), ("4", 19), ("51", 16), ("2221", 16), ("34", 15), ("36", 14),
           ("6011", 16), ("3528", 16), ("6062", 16), ("5067", 16), ("636368", 16))  # fmt: skip


def with_luhn(digits: str) -> str:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if position % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return digits + str(-total % 10)


def cards(seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    for _ in range(MANY):
        prefix, length = rng.choice(SCHEMES)
        middle = "".join(rng.choices("0123456789", k=length - 1 - len(prefix)))
        number = with_luhn(prefix + middle)
        separator = rng.choice(("", "", " ", "-"))
        yield separator.join(number[start : start + 4] for start in range(0, len(number), 4))


def check_digits(digits: str, cycle: int) -> str:
    for _ in range(2):
        weighed = sum(int(d) * (2 + n % cycle) for n, d in enumerate(reversed(digits)))
        digits += str(weighed * 10 % 11 % 10)
    return digits


def cpf(rng: random.Random) -> str:
    return check_digits("".join(rng.choices("0123456789", k=9)), 10)


def cnpj(rng: random.Random) -> str:
    return check_digits("".join(rng.choices("123456789", k=8)) + "0001", 8)


def around(text: str, rng: random.Random) -> str:
    return rng.choice(("{}", "no {}", "({})", '"number": "{}"', "card={},x", "{}\n")).format(text)


def test_ten_thousand_card_numbers_are_found_and_masked() -> None:
    rng, scrubber = random.Random(4), Scrubber()
    for number in cards(seed=1):
        text = around(number, rng)
        assert contains_card_number({"a": [{"b": text}]}), text
        for shown in (scrubber.text(text), scrubber.passage(text), scrubber.json({"a": text})["a"]):
            assert number not in shown


def test_ten_thousand_taxpayer_numbers_are_masked() -> None:
    rng, scrubber = random.Random(5), Scrubber()
    for _ in range(MANY // 2):
        person, company = cpf(rng), cnpj(rng)
        for number in (
            person,
            f"{person[:3]}.{person[3:6]}.{person[6:9]}-{person[9:]}",
            company,
            f"{company[:2]}.{company[2:5]}.{company[5:8]}/{company[8:12]}-{company[12:]}",
        ):
            text = around(number, rng)
            assert number not in scrubber.text(text)
            assert number not in scrubber.passage(text)


@pytest.mark.parametrize(
    "text",
    [
        "order 10023 of 2026-05-01",
        "529.982.247-26",
        "omp_52998224725_capture_1",
        "E52998224725202601011200abcdef12345",
        "1790000000",
        "00000000000",
        "127.0.0.1",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert Scrubber().text(text) == text


@pytest.fixture
def session(sqlite_database: object) -> Session:
    channel = Channel.objects.create(code="web", config={"payment_backend": "mock"})
    items = [{"sku": "coffee", "qty": 1, "price_q": 1000}]
    return Session.objects.create(key="s1", channel=channel, items=items)


PLACES: list[Mapping[str, Any]] = [
    {"payment_method": {"type": "card", "number": "{}"}},
    {"payment_method": {"type": "card", "note": {"deep": ["my card is {} ok"]}}},
    {"payment_method": {"type": "card", "{}": True}},
    {"payment_method": {"type": "card"}, "metadata": {"note": "{}"}},
]


@pytest.mark.parametrize("place", range(len(PLACES)))
@override_settings(OMNIMAN={"PAYMENT_BACKENDS": {"mock": {"plugin": "mock"}}})
def test_a_card_number_does_not_get_as_far_as_an_order(session: Session, place: int) -> None:
    for number in list(cards(seed=2))[:100]:
        given = json.loads(json.dumps(PLACES[place]).replace("{}", number))
        with pytest.raises(CommitError, match="a card number must not come here") as refused:
            commit_session(session, commit_key="k1", **given)
        assert number not in str(refused.value)
    assert not Order.objects.exists()
    order = commit_session(session, commit_key="k1", payment_method={"type": "card", "token": "t"})
    with pytest.raises(RequestRefusedError, match="a card number must not come here"):
        retry_payment(order, {"type": "card", "number": number})
