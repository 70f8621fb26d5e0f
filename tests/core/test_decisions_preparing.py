"""A transaction made unconfirmed first: its address is known before money can move."""

from __future__ import annotations

import pytest

from omniman_payment_core.decisions import Prepared
from omniman_payment_core.values import PaymentFlow

from .cases import (
    CANCELLED,
    PARKED,
    payment,
)
from .desks import METHOD, PREPARES, begun, opening

# -- preparing ------------------------------------------------------------------------------------

NAMELESS = payment(amount_q=900, transaction_id=None)


@pytest.mark.parametrize(("topic", "capture"), [("payment.hold", False), ("payment.charge", True)])
def test_where_it_can_be_the_address_is_made_before_money_moves(topic: str, capture: bool) -> None:
    made = opening(topic, methods=PREPARES).decide()
    assert (made.asks, made.request.capture, made.request.amount_q) == ("prepare", capture, 900)
    assert made.request.payment_method == METHOD
    named = opening(topic, methods=PREPARES, payments=[payment(amount_q=900)]).decide()
    assert named.asks in ("authorize", "charge")


def test_preparing_is_simply_sent_again_when_in_doubt() -> None:
    doubt = begun("prepare", "sent")
    again = opening(payments=[NAMELESS], operations=[doubt], methods=PREPARES).decide()
    assert (again.asks, again.request.attempt, again.request.was_in_doubt) == ("prepare", 2, True)
    charged = begun("prepare", "sent", topic="payment.charge")
    paid = payment(amount_q=900, transaction_id=None, flow=PaymentFlow.CHARGE)
    desk = opening("payment.charge", payments=[paid], operations=[charged], methods=PREPARES)
    assert (desk.decide().asks, desk.decide().request.capture) == ("prepare", True)
    unsent = begun("prepare", "planned")
    first = opening(payments=[NAMELESS], operations=[unsent], methods=PREPARES).decide()
    assert first.request.operation is not None
    assert first.request.operation.key == unsent.key
    gone = begun("prepare", "abandoned")
    anew = opening(payments=[NAMELESS], operations=[gone], methods=PREPARES).decide()
    assert anew.request.operation is not None
    assert anew.request.operation.key == "omp_pay-1_prepare_2"


def test_what_is_in_doubt_already_is_not_prepared_any_more() -> None:
    doubt = begun("authorize", "sent")
    desk = opening(payments=[NAMELESS], operations=[doubt], methods=(*PREPARES, "find"))
    assert desk.decide().asks == "find"


def test_preparing_that_was_refused_or_parked_is_told() -> None:
    no = begun("prepare", "refused", code="card_declined", evidence="no")
    refused = opening(payments=[NAMELESS], operations=[no], methods=PREPARES).decide()
    assert refused.code == "card_declined"
    lost = begun("prepare", "parked")
    parked = opening(payments=[NAMELESS], operations=[lost], methods=PREPARES).decide()
    assert (parked.ended, parked.flags) == (PARKED, ["outcome_unknown"])


def test_preparing_stops_with_its_order() -> None:
    for state in ("planned", "abandoned"):
        mine = begun("prepare", state)
        desk = opening(payments=[NAMELESS], operations=[mine], methods=PREPARES, order=CANCELLED)
        assert desk.decide().code == "order_cancelled"
    doubt = begun("prepare", "sent")
    desk = opening(payments=[NAMELESS], operations=[doubt], methods=PREPARES, order=CANCELLED)
    assert desk.decide().asks == "prepare"
    heard = desk.hear(Prepared("tx-5"), doubt)
    assert (heard.code, heard.facts) == ("order_cancelled", [("voided", 0)])
