"""A request that Stripe would refuse is found by both judges: the contract document and the SDK."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from . import kinds
from .forms import Form, nested
from .requests_ import RequestSchemas

Judge = Callable[[str, str, Form], list[str]]

INTENTS = "/v1/payment_intents"
HOLD = {
    "amount": "1000",
    "currency": "brl",
    "capture_method": "manual",
    "confirm": "true",
    "payment_method": "pm_card_visa",
    "automatic_payment_methods[enabled]": "true",
    "automatic_payment_methods[allow_redirects]": "never",
    "metadata[order_ref]": "A-1",
    "metadata[0]": "a name that looks like an index",
    "payment_method_options[card][request_multicapture]": "if_available",
    "expand[0]": "latest_charge",
}

GOOD: list[tuple[str, str, dict[str, str]]] = [
    ("POST", INTENTS, HOLD),
    ("POST", f"{INTENTS}/pi_1/confirm", {"return_url": "https://shop.example/back"}),
    ("POST", f"{INTENTS}/pi_1/capture", {"amount_to_capture": "400", "final_capture": "false"}),
    ("POST", f"{INTENTS}/pi_1/cancel", {"cancellation_reason": "abandoned"}),
    ("POST", "/v1/refunds", {"payment_intent": "pi_1", "reason": "duplicate", "metadata[a]": "b"}),
    ("GET", f"{INTENTS}/pi_1", {"expand[]": "latest_charge"}),
    ("GET", INTENTS, {"created[gte]": "1767225600", "limit": "100"}),
    ("GET", f"{INTENTS}/search", {"query": "metadata['order_ref']:'A-1'"}),
    ("GET", "/v1/refunds", {"payment_intent": "pi_1"}),
]

# What is wrong, the request, and the name that a judge has to give.
BAD: list[tuple[str, str, str, dict[str, str], str]] = [
    ("unknown parameter", "POST", INTENTS, HOLD | {"order_ref": "A-1"}, "order_ref"),
    (
        "unknown parameter inside another",
        "POST",
        INTENTS,
        HOLD | {"automatic_payment_methods[allow_redirect]": "never"},
        "allow_redirect",
    ),
    ("removed parameter", "POST", INTENTS, HOLD | {"payment_method_types[0]": "card"}, "_types"),
    ("float amount", "POST", INTENTS, HOLD | {"amount": "10.0"}, "amount"),
    ("amount with an exponent", "POST", INTENTS, HOLD | {"amount": "1e3"}, "amount"),
    ("word for a boolean", "POST", INTENTS, HOLD | {"confirm": "yes"}, "confirm"),
    ("wrong value of a list", "POST", INTENTS, HOLD | {"capture_method": "later"}, "later"),
    ("nested metadata", "POST", INTENTS, HOLD | {"metadata[a][b]": "c"}, "metadata"),
    ("missing currency", "POST", INTENTS, {"amount": "1000"}, "currency"),
    ("list with a hole", "GET", INTENTS, {"expand[1]": "data.latest_charge"}, "expand"),
    ("free-text refund reason", "POST", "/v1/refunds", {"reason": "too small"}, "reason"),
    (
        "unknown cancellation reason",
        "POST",
        f"{INTENTS}/pi_1/cancel",
        {"cancellation_reason": "void"},
        "cancellation_reason",
    ),
    (
        "amount under another call's name",
        "POST",
        f"{INTENTS}/pi_1/capture",
        {"amount": "400"},
        "amount",
    ),
    ("search without a query", "GET", f"{INTENTS}/search", {"limit": "3"}, "query"),
    ("unknown filter", "GET", INTENTS, {"metadata[order_ref]": "A-1"}, "metadata"),
    ("unknown path", "POST", f"{INTENTS}/pi_1/void", {}, "void"),
]


@pytest.fixture(params=["contract document", "SDK"])
def judge(request: pytest.FixtureRequest) -> Judge:
    if request.param == "SDK":
        return kinds.request_violations
    schemas: RequestSchemas = request.getfixturevalue("request_schemas")
    return schemas.violations


@pytest.mark.parametrize(("method", "path", "form"), GOOD)
def test_a_request_that_stripe_accepts_has_no_violation(
    judge: Judge, method: str, path: str, form: dict[str, str]
) -> None:
    assert judge(method, path, form) == []
    assert judge(method, path, urlencode(form)) == []
    assert judge(method, path, nested(form)) == []


@pytest.mark.parametrize(
    ("method", "path", "form", "named"),
    [case[1:] for case in BAD],
    ids=[case[0] for case in BAD],
)
def test_a_request_that_stripe_refuses_is_found(
    judge: Judge, method: str, path: str, form: dict[str, str], named: str
) -> None:
    found = judge(method, path, form)
    assert len(found) == 1
    assert named in found[0]


def test_a_name_that_is_a_value_and_a_folder_is_refused() -> None:
    with pytest.raises(ValueError, match="both a value and a folder"):
        nested("metadata=&metadata[order_ref]=A-1")
