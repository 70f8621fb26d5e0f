"""Stripe's form encoding, decoded."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_simulators.stripe.forms import decode


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("a[0]=x&a[1]=y", {"a": ["x", "y"]}),
        ("a[1]=y&a[0]=x", {"a": ["x", "y"]}),
        ("a[]=x&a[]=y", {"a": ["x", "y"]}),
        ("a[0][b]=1&a[1][b]=2", {"a": [{"b": "1"}, {"b": "2"}]}),
        ("a[][b]=1&a[][c]=2&a[][b]=3", {"a": [{"b": "1", "c": "2"}, {"b": "3"}]}),
        ("metadata[0]=x&a[metadata][0]=y", {"metadata": {"0": "x"}, "a": {"metadata": {"0": "y"}}}),
        ("a[7]=x", {"a": {"7": "x"}}),
        ("a%5Bb%5D=%C3%A7+%26", {"a": {"b": "ç &"}}),
        ("=1&[x]=2", {}),
    ],
)
def test_a_form_is_read(encoded: str, decoded: dict[str, Any]) -> None:
    assert decode(encoded) == decoded
