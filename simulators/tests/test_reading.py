"""Reading: expansions, lists in pages, and searches that come late."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.tests.account import Account, refused

SEARCH = "/v1/payment_intents/search"
INDEX_DELAY = 60


# Expanding


def test_a_charge_can_be_put_in_the_place_of_its_id(account: Account) -> None:
    made: Any = account.open("visa", expand=["latest_charge"])
    assert made.latest_charge.object == "charge"
    assert isinstance(account.intents.retrieve(made.id).latest_charge, str)
    read: Any = account.intents.retrieve(made.id, {"expand": ["latest_charge", "payment_method"]})
    assert read.latest_charge.payment_intent == made.id
    assert read.payment_method.card.brand == "visa"


def test_what_is_not_there_yet_stays_empty(account: Account) -> None:
    made = account.open(expand=["latest_charge", "latest_charge.refunds"])
    assert made.latest_charge is None


def test_a_charge_shows_its_ten_newest_refunds_and_that_there_are_more(account: Account) -> None:
    paid = account.open("visa")
    path = ["latest_charge.refunds"]

    def refunds() -> Any:
        read: Any = account.intents.retrieve(paid.id, {"expand": path})
        return read.latest_charge.refunds

    assert (refunds().data, refunds().has_more) == ([], False)
    made = [account.refunds.create({"payment_intent": paid.id, "amount": 10}).id for _ in range(10)]
    assert ([r.id for r in refunds().data], refunds().has_more) == (made[::-1], False)
    made += [account.refunds.create({"payment_intent": paid.id, "amount": 10}).id]
    assert ([r.id for r in refunds().data], refunds().has_more) == (made[:0:-1], True)
    plain = account.sdk.v1.charges.retrieve(str(paid.latest_charge))
    assert "refunds" not in plain.to_dict()


def test_every_element_of_a_list_can_be_expanded(account: Account) -> None:
    for _ in range(3):
        account.open("visa")
    listed = account.intents.list({"expand": ["data.latest_charge", "data.latest_charge.refunds"]})
    found: list[Any] = listed.data
    assert [one.latest_charge.refunds.object for one in found] == ["list"] * 3


def test_refunds_expand_to_what_they_belong_to(account: Account) -> None:
    paid = account.open("visa")
    refund: Any = account.refunds.create(
        {"payment_intent": paid.id, "expand": ["charge", "payment_intent"]}
    )
    assert (refund.charge.object, refund.payment_intent.id) == ("charge", paid.id)


@pytest.mark.parametrize("path", ["nonsense", "latest_charge.nonsense", "amount", "data.id"])
def test_what_cannot_be_expanded_is_refused(account: Account, path: str) -> None:
    paid = account.open("visa")
    error = refused(lambda: account.intents.retrieve(paid.id, {"expand": [path]}))
    assert (error.http_status, error.param) == (400, "expand")
    assert path in str(error)


# Lists


def test_a_long_list_is_read_to_its_end_newest_first(account: Account) -> None:
    made = [account.open().id for _ in range(250)]
    listed = account.intents.list({"limit": 100})
    assert (len(listed.data), listed.has_more) == (100, True)
    assert [one.id for one in listed.auto_paging_iter()] == made[::-1]
    pages = [r for r in account.control.requests() if r["method"] == "GET"]
    assert len(pages) == 3
    assert (len(account.intents.list().data), account.intents.list().has_more) == (10, True)


def test_a_list_is_read_backwards_as_well(account: Account) -> None:
    made = [account.open().id for _ in range(5)]
    page = account.intents.list({"ending_before": made[1], "limit": 2})
    assert [one.id for one in page.data] == [made[3], made[2]]
    assert page.has_more is True
    back = [one.id for one in page.auto_paging_iter()]
    assert back == [made[2], made[3], made[4]]


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_page_has_its_limits(account: Account, limit: int) -> None:
    error = refused(lambda: account.intents.list({"limit": limit}))
    assert (error.http_status, error.param) == (400, "limit")


def test_a_list_goes_on_only_from_what_exists(account: Account) -> None:
    account.open()
    error = refused(lambda: account.intents.list({"starting_after": "pi_none"}))
    assert (error.http_status, error.code) == (400, "resource_missing")


def test_a_list_has_a_range_of_time(account: Account) -> None:
    first = account.open()
    account.control.advance(100)
    second = account.open()
    at = second.created

    def found(created: Any) -> set[str]:
        return {one.id for one in account.intents.list({"created": created}).data}

    both = {first.id, second.id}
    assert found({"gte": at}) == {second.id}
    assert found({"gt": at}) == set()
    assert found({"lt": at}) == {first.id}
    assert found({"lte": at}) == both
    assert found({"gte": first.created, "lt": at}) == {first.id}
    assert found(at) == {second.id}
    error = refused(lambda: account.intents.list({"created": {"since": at}}))  # type: ignore[typeddict-item]
    assert (error.http_status, error.param) == (400, "created[since]")


def test_refunds_are_listed_of_one_payment(account: Account) -> None:
    one, other = account.open("visa"), account.open("visa")
    mine = [account.refunds.create({"payment_intent": one.id, "amount": 5}).id for _ in range(12)]
    account.refunds.create({"payment_intent": other.id})
    listed = account.refunds.list({"payment_intent": one.id})
    assert [r.id for r in listed.auto_paging_iter()] == mine[::-1]
    by_charge = account.refunds.list({"charge": str(one.latest_charge), "limit": 100})
    assert [r.id for r in by_charge.data] == mine[::-1]


def test_events_are_listed_by_type(account: Account) -> None:
    paid = account.open("visa")
    listed = account.sdk.v1.events.list({"type": "payment_intent.succeeded"}).data
    assert [event.data.object["id"] for event in listed] == [paid.id]
    again = account.sdk.v1.events.retrieve(listed[0].id)
    assert again.type == "payment_intent.succeeded"


# Searches


@pytest.fixture
def indexed(account: Account) -> Account:
    account.control.set_index_delay(0)
    return account


def _search(account: Account, query: str) -> list[str]:
    return [one.id for one in account.intents.search({"query": query}).auto_paging_iter()]


def test_a_search_misses_what_was_just_made(account: Account) -> None:
    made = account.open()
    query = "metadata['order_ref']:'A-1'"
    assert _search(account, query) == []
    account.control.advance(INDEX_DELAY)
    assert _search(account, query) == [made.id]


def test_clauses_are_joined(indexed: Account) -> None:
    open_, paid = indexed.open(), indexed.open("visa")
    other = indexed.open("visa", metadata={"order_ref": "B-2"})
    assert _search(indexed, "status:'succeeded'") == [other.id, paid.id]
    assert _search(indexed, "status:'succeeded' AND metadata['order_ref']:'A-1'") == [paid.id]
    assert _search(indexed, 'metadata["order_ref"]:"A-1" and currency:"brl"') == [paid.id, open_.id]


@pytest.mark.parametrize("ref", ["it's", 'a "quote"', "back\\slash", "a]b", "ç 1", "AND"])
def test_values_are_quoted(indexed: Account, ref: str) -> None:
    mine = indexed.open(metadata={"order_ref": ref})
    indexed.open()
    escaped = ref.replace("\\", "\\\\").replace("'", "\\'")
    assert _search(indexed, f"metadata['order_ref']:'{escaped}'") == [mine.id]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "order_ref",
        "order_ref:'A-1'",
        "metadata[order_ref]:'A-1'",
        "metadata['order_ref']:A-1",
        "metadata['order_ref']:'A-1",
        "status:'succeeded' AND",
        "status:'succeeded' currency:'brl'",
    ],
)
def test_a_query_that_cannot_be_read_is_refused(indexed: Account, query: str) -> None:
    answer = indexed.send("GET", SEARCH, {"query": query})
    assert (answer.status, answer.error["param"]) == (400, "query")


def test_a_search_has_pages(indexed: Account) -> None:
    made = [indexed.open().id for _ in range(25)]
    first = indexed.intents.search({"query": "currency:'brl'", "limit": 10})
    assert (len(first.data), first.has_more) == (10, True)
    assert first.next_page
    assert _search(indexed, "currency:'brl'") == made[::-1]
