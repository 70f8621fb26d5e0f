"""What is sent to Stripe: the right words, and a clear error for what has none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniman_payment_core.errors import InvalidRequestError
from omniman_payment_stripe import asking
from omniman_payment_stripe.config import read_config

CONFIG = read_config({"api_key": "sk_test_simulator"})


def opening(
    payment_method: dict[str, Any],
    metadata: dict[str, Any] | None = None,
    *,
    capture: bool = False,
    **config: Any,
) -> dict[str, Any]:
    return asking.opening(
        read_config({"api_key": "sk_test_simulator", **config}),
        1000, "BRL", "O1", payment_method, metadata, capture=capture,
    )  # fmt: skip


def test_a_hold_is_opened_without_being_confirmed() -> None:
    assert opening({"type": "card", "payment_method_id": "pm_1"}, {"payment_id": "pay-1"}) == {
        "amount": 1000,
        "currency": "brl",
        "capture_method": "manual",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": {"payment_id": "pay-1", "order_ref": "O1", "paid_on": "server"},
        "expand": ["latest_charge"],
    }


def test_what_the_account_and_the_session_ask_for_is_passed_on() -> None:
    params = opening(
        {"customer": "cus_1", "setup_future_usage": "off_session", "receipt_email": "a@b.example"},
        multicapture=True,
        return_url="https://shop.example/done",
    )
    assert params["customer"] == "cus_1"
    assert params["setup_future_usage"] == "off_session"
    assert params["receipt_email"] == "a@b.example"
    assert params["payment_method_options"] == {"card": {"request_multicapture": "if_available"}}
    assert params["automatic_payment_methods"]["allow_redirects"] == "always"
    assert params["metadata"]["paid_on"] == "page"
    charge = opening({}, capture=True, multicapture=True)
    assert charge["capture_method"] == "automatic"
    assert "payment_method_options" not in charge


@pytest.mark.parametrize(
    ("payment_method", "sent"),
    [
        ({"payment_method_id": "pm_1"}, {"payment_method": "pm_1"}),
        ({"payment_method": "pm_1"}, {"payment_method": "pm_1"}),
        ({"id": "card_1"}, {"payment_method": "card_1"}),
        (
            {"type": "card", "token": "tok_visa"},
            {"payment_method_data": {"type": "card", "card": {"token": "tok_visa"}}},
        ),
        ({"confirmation_token": "ctoken_1"}, {"confirmation_token": "ctoken_1"}),
        (
            {"payment_method_id": "pm_1", "off_session": True},
            {"payment_method": "pm_1", "off_session": True},
        ),
        (
            {"payment_method_id": "pm_1", "return_url": "https://shop.example"},
            {"payment_method": "pm_1", "return_url": "https://shop.example"},
        ),
    ],
)
def test_a_card_may_come_in_several_ways(
    payment_method: dict[str, Any], sent: dict[str, Any]
) -> None:
    asking.check_method(payment_method)
    assert asking.is_given(payment_method)
    assert asking.confirming(CONFIG, payment_method) == {**sent, "expand": ["latest_charge"]}


@pytest.mark.parametrize("payment_method", [{}, {"type": "card"}, {"type": "card", "token": ""}])
def test_without_a_card_the_shopper_gives_one_on_the_page(payment_method: dict[str, Any]) -> None:
    asking.check_method(payment_method)
    assert not asking.is_given(payment_method)


@pytest.mark.parametrize(
    ("payment_method", "said"),
    [
        ({"type": "pix"}, 'payment_method["type"] has to be "card"'),
        (
            {"pm": "pm_1"},
            "payment_method has entries that Stripe's plugin does not know: pm; known",
        ),
        ({"payment_method_id": "visa"}, 'payment_method["payment_method_id"] is neither a payment'),
        ({"token": 7}, 'payment_method["token"] is neither a payment method (pm_...) nor a token'),
        ({"token": "pm_1/../x"}, 'payment_method["token"] is neither'),
        ({"confirmation_token": "pm_1"}, 'payment_method["confirmation_token"] is not a conf'),
        (
            {"payment_method_id": "pm_1", "confirmation_token": "ctoken_1"},
            "payment_method has payment_method_id and confirmation_token: one has to go",
        ),
        (
            {"token": "tok_1", "id": "pm_1"},
            "payment_method has id and token: one has to go",
        ),
    ],
)
def test_a_payment_method_without_sense_is_told_and_not_quoted(
    payment_method: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        asking.check_method(payment_method)
    assert str(caught.value).startswith(said)


def test_metadata_of_the_shop_is_sent_and_never_in_place_of_ours() -> None:
    sent = opening(
        {}, {"order_ref": "X", "paid_on": "x", "basket": [1, {"a": None}], "n": 7, "e": None}
    )
    assert sent["metadata"] == {
        "order_ref": "O1",
        "paid_on": "page",
        "basket": '[1,{"a":null}]',
        "n": "7",
    }


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"x" * 41: "a"}, "metadata has a name that Stripe does not take"),
        ({"a[b]": "a"}, "metadata has a name that Stripe does not take"),
        ({"note": "x" * 501}, 'metadata["note"] is longer than the 500 characters'),
        ({f"n{i}": "a" for i in range(49)}, "metadata has more entries than Stripe takes (50"),
    ],
)
def test_metadata_that_stripe_would_refuse_is_told_before(
    metadata: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        opening({}, metadata)
    assert str(caught.value).startswith(said)


def test_a_capture_says_whether_it_is_the_last_only_when_it_is_not() -> None:
    expand = {"expand": ["latest_charge"]}
    assert asking.capturing(400, final=True) == {"amount_to_capture": 400, **expand}
    assert asking.capturing(400, final=False) == {
        "amount_to_capture": 400,
        "final_capture": False,
        **expand,
    }
    assert asking.capturing(None, final=True) == expand


@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        (None, "requested_by_customer"),
        ("duplicate", "duplicate"),
        ("fraudulent", "fraudulent"),
        ("one cup was broken", "requested_by_customer"),
    ],
)
def test_a_refunds_reason_is_one_of_stripes_and_our_words_go_with_it(
    reason: str | None, sent: str
) -> None:
    params = asking.refunding("pi_1", 300, reason, "omp_key")
    assert params["reason"] == sent
    assert params["metadata"]["idempotency_key"] == "omp_key"
    assert params["metadata"].get("reason") == reason


@given(st.text(min_size=1))
def test_no_order_reference_breaks_out_of_the_search(order_ref: str) -> None:
    query = asking.searching(order_ref)["query"]
    assert query.startswith("metadata['order_ref']:'")
    assert query.endswith("'")
    inner = query.removeprefix("metadata['order_ref']:'")[:-1]
    plain = inner.replace("\\\\", "").replace("\\'", "")
    assert "'" not in plain
    assert "\\" not in plain
