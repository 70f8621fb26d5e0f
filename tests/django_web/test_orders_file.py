"""The demo's sessions: every wrong line is reported with its number, the others go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.demo.orders_file import Sale, WrongLine, read_sales

CHANNELS = ("ecommerce", "pos")
GOOD = {"channel": "pos", "items": [{"sku": "A", "qty": 2, "price_q": 5}]}


def read(tmp_path: Path, *lines: bytes) -> list[Sale | WrongLine]:
    path = tmp_path / "orders.jsonl"
    path.write_bytes(b"\n".join(lines))
    return list(read_sales(path, CHANNELS))


def line(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_wrong_lines_are_reported_by_number_and_the_others_go_on(tmp_path: Path) -> None:
    found = read(tmp_path, line(), b"", b"{oops", line(channel="moon"), line())
    assert [entry.number for entry in found] == [1, 3, 4, 5]
    assert [type(entry) for entry in found] == [Sale, WrongLine, WrongLine, Sale]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an object"),
        (line(chanel="pos"), 'unknown field "chanel"'),
        (line(channel=None), '"channel" is null; it can be "ecommerce", "pos"'),
        (line(channel="moon"), '"channel" is "moon"'),
        (line(items=[]), '"items"'),
        (line(items=["A"]), "item 1 is not an object"),
        (line(items=[{"qty": 1, "price_q": 1}]), 'item 1 has no "sku"'),
        (line(items=[{"sku": "A", "qty": 1.5, "price_q": 1}]), 'item 1: "qty"'),
        (line(items=[{"sku": "A", "qty": True, "price_q": 1}]), 'item 1: "qty"'),
        (line(items=[{"sku": "A", "qty": 1, "price_q": 0}]), 'item 1: "price_q"'),
        (line(payment_method="card"), '"payment_method"'),
        (line(then="explode"), '"then"'),
        (line(then={"refund": -1}), '"then"'),
        (line(then={"refund": 11}), '"then" refunds 11, more than the total of 10'),
    ],
)
def test_the_reason_names_what_is_wrong(tmp_path: Path, bad: bytes, reason: str) -> None:
    (wrong,) = read(tmp_path, bad)
    assert isinstance(wrong, WrongLine)
    assert reason in wrong.reason


def test_what_happens_afterwards_is_read(tmp_path: Path) -> None:
    cancel, all_back, part_back = read(
        tmp_path, line(then="cancel"), line(then="refund"), line(then={"refund": 7})
    )
    assert isinstance(cancel, Sale)
    assert isinstance(all_back, Sale)
    assert isinstance(part_back, Sale)
    assert (cancel.cancel, cancel.refund) == (True, False)
    assert (all_back.refund, all_back.refund_q) == (True, None)
    assert (part_back.refund, part_back.refund_q) == (True, 7)


@given(st.binary(max_size=200).filter(lambda text: b"\n" not in text))
def test_whatever_stands_in_a_line_it_is_read_or_reported(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    path = tmp_path_factory.mktemp("orders") / "orders.jsonl"
    path.write_bytes(text)
    assert len(list(read_sales(path, CHANNELS))) <= 1
