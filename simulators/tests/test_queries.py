"""The search language: fields, numbers, negation, AND and OR."""

from __future__ import annotations

import pytest

from simulators.tests.account import Account


@pytest.fixture
def indexed(account: Account) -> Account:
    """Three payments that a search finds, named by their amounts."""
    account.control.set_index_delay(0)
    account.open("visa", 100, metadata={"order_ref": "A", "gift": "yes"})
    account.open("visa", 200, metadata={"order_ref": "B"}, currency="usd")
    account.open(amount=300, metadata={"order_ref": "C", "empty": "x"})
    return account


@pytest.mark.parametrize(
    ("query", "amounts"),
    [
        ("metadata['order_ref']:'a'", [100]),
        ("-metadata['order_ref']:'a'", [200, 300]),
        ("metadata['gift']:null", [200, 300]),
        ("-metadata['gift']:null", [100]),
        ("metadata['gift']:''", []),
        ("amount>100", [200, 300]),
        ("amount<=200 AND status:'succeeded'", [100, 200]),
        ("amount:300", [300]),
        ("currency:'usd' OR metadata['order_ref']:'C'", [200, 300]),
        ('created>0 and -currency:"usd"', [100, 300]),
    ],
)
def test_a_query_finds_what_it_says(indexed: Account, query: str, amounts: list[int]) -> None:
    found = indexed.intents.search({"query": query})
    assert sorted(each.amount for each in found.data) == amounts


@pytest.mark.parametrize(
    "query",
    [
        "amount>100 AND currency:'usd' OR status:'succeeded'",
        " AND ".join(["amount>1"] * 11),
        "currency>'usd'",
        "metadata['order_ref']>5",
        "amount:'many'",
        "status:null",
    ],
)
def test_a_query_that_says_nothing_is_refused(indexed: Account, query: str) -> None:
    answer = indexed.send("GET", "/v1/payment_intents/search", {"query": query})
    assert (answer.status, answer.error["param"]) == (400, "query")


def test_a_page_that_was_never_given_is_refused(indexed: Account) -> None:
    for page in ("2", "page_x", "page_99"):
        form = {"query": "amount>1", "page": page}
        answer = indexed.send("GET", "/v1/payment_intents/search", form)
        assert (answer.status, answer.error["param"]) == (400, "page")
