"""Over real HTTP, without JavaScript: buy, pay and refund on each channel, and both books agree."""

from __future__ import annotations

import pytest

from .process import Running, Visitor

TOTAL = "R$ 118.00"


def refund_in_two_parts(visitor: Visitor, ref: str) -> None:
    """A part, typed as a Brazilian would, and then whatever is left."""
    visitor.press(ref, "Refund this amount", "18,5")
    page = visitor.until_payment(ref, "partially_refunded")
    assert "R$ 18.50" in page.part("facts")
    visitor.press(ref, "Refund all")
    page = visitor.until_payment(ref, "refunded")
    assert "refund 2" in page.part("operations")
    page = visitor.until_says(ref, "head", "order returned")
    assert not page.offers("Refund")


def test_a_card_is_held_at_stripe_captured_and_refunded(visitor: Visitor) -> None:
    ref = visitor.buy("stripe-hold")
    visitor.press(ref, "pays with a good card")
    page = visitor.until_payment(ref, "authorized")
    assert f"Stripe simulator says R$ 0.00 moved and {TOTAL} held" in page.text
    visitor.press(ref, "Confirm: capture")
    visitor.until_payment(ref, "captured")
    visitor.until_says(ref, "head", "order confirmed")
    visitor.until_says(ref, "deliveries", "payment_intent.succeeded")
    refund_in_two_parts(visitor, ref)


def test_a_card_is_charged_at_stripe_and_refunded(visitor: Visitor) -> None:
    ref = visitor.buy("stripe-charge")
    visitor.press(ref, "asks for 3-D Secure")
    visitor.press(ref, "passes 3-D Secure")
    visitor.until_payment(ref, "captured")
    refund_in_two_parts(visitor, ref)


def test_a_pix_is_paid_and_refunded(visitor: Visitor) -> None:
    ref = visitor.buy("pix")
    visitor.press(ref, "pays this Pix")
    visitor.until_payment(ref, "captured")
    visitor.until_says(ref, "head", "order confirmed")
    refund_in_two_parts(visitor, ref)


def test_a_pix_of_less_is_flagged(visitor: Visitor) -> None:
    ref = visitor.buy("pix")
    visitor.press(ref, "pays another amount", "100")
    visitor.until_payment(ref, "partially_captured")
    visitor.until_says(ref, "flags", "underpaid")


def test_a_pix_for_a_cancelled_order_goes_back_by_itself(visitor: Visitor) -> None:
    ref = visitor.buy("pix")
    visitor.until_payment(ref, "pending")
    visitor.press(ref, "Cancel the order")
    visitor.until_payment(ref, "cancelled")
    visitor.press(ref, "lands late")
    page = visitor.until_payment(ref, "refunded")
    assert "Pix simulator says R$ 0.00 moved" in page.part("money")


def test_a_return_of_a_pix_that_waits_and_fails_is_flagged(visitor: Visitor) -> None:
    ref = visitor.buy("pix")
    visitor.press(ref, "pays this Pix")
    visitor.until_payment(ref, "captured")
    visitor.press(ref, "returns take their time")
    try:
        visitor.press(ref, "Refund this amount", "1")
        visitor.press(ref, "The return of R$\N{NO-BREAK SPACE}1.00 fails")
        visitor.until_says(ref, "flags", "refund failed")
        visitor.until_payment(ref, "captured")
    finally:
        visitor.press(ref, "returns are made at once")


def test_the_mock_holds_captures_and_refunds(visitor: Visitor) -> None:
    ref = visitor.buy("mock-hold")
    visitor.until_payment(ref, "authorized")
    visitor.press(ref, "Confirm: capture")
    visitor.until_payment(ref, "captured")
    refund_in_two_parts(visitor, ref)


def test_a_payment_that_comes_later_is_found_by_its_notification(visitor: Visitor) -> None:
    ref = visitor.buy("mock-later")
    visitor.until_payment(ref, "pending")
    visitor.press(ref, "The shopper pays")
    visitor.until_payment(ref, "captured")
    visitor.until_says(ref, "deliveries", "payment.updated matched")
    refund_in_two_parts(visitor, ref)


def test_a_lost_answer_is_looked_up_and_charged_once(visitor: Visitor) -> None:
    ref = visitor.buy("mock-lost")
    page = visitor.until_payment(ref, "captured")
    assert "no answer in time" in page.part("operations")
    assert f"says {TOTAL} moved" in page.part("money")


def test_a_declined_payment_can_be_tried_again(visitor: Visitor) -> None:
    ref = visitor.buy("mock-declines")
    page = visitor.until_payment(ref, "failed")
    assert "insufficient funds" in page.part("operations")
    visitor.press(ref, "Try to collect the money again")
    visitor.until_payment(ref, "captured")


def test_a_hold_is_let_go_when_the_order_is_cancelled(visitor: Visitor) -> None:
    ref = visitor.buy("mock-hold")
    visitor.until_payment(ref, "authorized")
    visitor.press(ref, "Cancel the order")
    visitor.until_payment(ref, "cancelled")
    visitor.until_says(ref, "head", "order cancelled")


def test_a_refund_that_fails_later_is_flagged(visitor: Visitor) -> None:
    ref = visitor.buy("stripe-charge")
    visitor.press(ref, "pays with a good card")
    visitor.until_payment(ref, "captured")
    visitor.press(ref, "Refund this amount", "1")
    visitor.until_payment(ref, "partially_refunded")
    visitor.press(ref, "fails after all")
    visitor.until_payment(ref, "captured")
    visitor.until_says(ref, "flags", "refund failed")


def test_a_dispute_takes_the_money_until_the_bank_decides(visitor: Visitor) -> None:
    ref = visitor.buy("stripe-charge")
    visitor.press(ref, "pays with a good card")
    visitor.until_payment(ref, "captured")
    visitor.press(ref, "disputes")
    page = visitor.until_payment(ref, "disputed")
    assert "Stripe simulator says R$ 0.00 moved" in page.part("money")
    visitor.press(ref, "decides for the shop")
    visitor.until_payment(ref, "captured")


def test_the_ledger_page_puts_both_books_beside_each_other(visitor: Visitor) -> None:
    ref = visitor.buy("mock-charge", MUG="1", BAG="1")
    visitor.until_payment(ref, "captured")
    books = visitor.get("/ledger/")
    equal = "R$ 84.05 R$ 84.05 R$ 0.00 R$ 0.00 equal"
    assert f"{ref} Mock gateway captured {equal}" in books.part("books")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("1,234.56", "is no amount here"),
        ("12.345", "is no amount here"),
        ("-5", "is no amount here"),
        ("1e3", "is no amount here"),
        ("NaN", "is no amount here"),
        ("\N{ARABIC-INDIC DIGIT FIVE}", "is no amount here"),
        ("<b>", "“<b>” is no amount here"),
        ("", "Type an amount"),
        ("0,00", "more than zero"),
        ("118.01", "is too much"),
    ],
)
def test_a_wrong_amount_is_answered_and_moves_nothing(
    paid: str, visitor: Visitor, typed: str, why: str
) -> None:
    page = visitor.press(paid, "Refund this amount", typed)
    assert page.status == 400
    assert why in page.problem
    page = visitor.order(paid)
    assert (page.payment, page.books) == ("captured", "equal")
    assert "payment.refund" not in page.part("directives")


@pytest.fixture(scope="module")
def paid(shop: Running) -> str:
    visitor = Visitor(shop)
    ref = visitor.buy("mock-charge")
    visitor.until_payment(ref, "captured")
    return ref


def test_a_form_that_is_sent_twice_asks_once(visitor: Visitor) -> None:
    ref = visitor.buy("mock-charge")
    page = visitor.until_payment(ref, "captured")
    form = page.form("Refund this amount")
    for _ in range(2):
        assert visitor.send(page, form, amount="10").status == 200
    page = visitor.until_payment(ref, "partially_refunded")
    assert page.part("directives").count("payment.refund") == 1


def test_a_basket_that_is_bought_twice_is_one_order(visitor: Visitor) -> None:
    window = visitor.get("/")
    form = window.form("Buy")
    bought = [visitor.send(window, form, way="mock-charge") for _ in range(2)]
    assert bought[0].url == bought[1].url
    assert "bought before" in bought[1].text


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"COFFEE": "0"}, "basket is empty"),
        ({"COFFEE": "1.5"}, "a whole number from 0 to 20"),
        ({"COFFEE": "21"}, "a whole number from 0 to 20"),
        ({"way": "gold"}, "Choose how to pay"),
        ({"cart": "mine"}, "Load it again"),
    ],
)
def test_a_wrong_basket_is_answered_with_what_to_do(
    visitor: Visitor, wrong: dict[str, str], why: str
) -> None:
    window = visitor.get("/")
    answer = visitor.send(window, window.form("Buy"), **wrong)
    assert answer.status == 400
    assert why in answer.problem


def test_what_is_not_possible_any_more_is_refused(visitor: Visitor) -> None:
    ref = visitor.buy("mock-later")
    page = visitor.until(ref, lambda page: page.offers("gives up"), "nothing to play")
    visitor.press(ref, "The shopper pays")
    visitor.until_payment(ref, "captured")
    late = visitor.send(page, page.form("gives up"))
    assert late.status == 400
    assert "not possible any more" in late.problem
