"""Calls that every server that plays Stripe must answer alike, and what is alike in the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import stripe

from .far_sides import Side

Facts = dict[str, Any]

NO_REDIRECTS = {"enabled": True, "allow_redirects": "never"}
NOW: Any = {
    "amount": 1000,
    "currency": "brl",
    "payment_method": "pm_card_visa",
    "confirm": True,
    "automatic_payment_methods": NO_REDIRECTS,
    "metadata": {"order_ref": "A-1", "lang": "português"},
    "description": "Order A-1",
}
HOLD: Any = NOW | {"capture_method": "manual"}


def card(side: Side, number: str) -> str:
    """A payment method of this test card, made as the shopper's browser would."""
    made = side.client.v1.payment_methods.create(
        {
            "type": "card",
            "card": {"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123"},
        }
    )
    return str(made.id)


def intent_facts(intent: Any) -> Facts:
    """What localstripe and Stripe both say about an intent, without what each makes up."""
    return {
        "object": intent.object,
        "id": intent.id[:3],
        "amount": intent.amount,
        "currency": intent.currency,
        "status": intent.status,
        "capture_method": intent.capture_method,
        "metadata": intent.metadata.to_dict(),
        "livemode": intent.livemode,
        "secret of its own": intent.client_secret.startswith(f"{intent.id}_secret_"),
        "created": type(intent.created),
        "customer": intent.customer,
        "charge": intent.latest_charge and _id(intent.latest_charge)[:3],
        "payment method": intent.payment_method and intent.payment_method[:3],
        "next action": intent.next_action and intent.next_action.type,
        "error": intent.last_payment_error and intent.last_payment_error.code,
    }


def _id(field: Any) -> str:
    """The id in an expandable field: localstripe always expands what Stripe expands when asked."""
    return field if isinstance(field, str) else str(field.id)


def refund_facts(refund: Any) -> Facts:
    """What both say about a refund."""
    return {
        "object": refund.object,
        "id": refund.id[:3],
        "amount": refund.amount,
        "currency": refund.currency,
        "status": refund.status,
        "charge": refund.charge[:3],
        "intent": refund.payment_intent[:3],
        "metadata": refund.metadata.to_dict(),
    }


def error_facts(call: Callable[[], Any]) -> Facts:
    """The exception that the SDK makes of the answer, and its status."""
    try:
        answer = call()
    except stripe.StripeError as error:
        return {"error": type(error).__name__, "status": error.http_status}
    return {"no error": getattr(answer, "status", None)}


def hold_and_capture(side: Side) -> list[Facts]:
    intents = side.client.v1.payment_intents
    held = intents.create(HOLD)
    captured = intents.capture(held.id)
    return [intent_facts(each) for each in (held, captured, intents.retrieve(held.id))]


def capture_a_part(side: Side) -> list[Facts]:
    intents = side.client.v1.payment_intents
    held = intents.create(HOLD)
    return [intent_facts(intents.capture(held.id, {"amount_to_capture": 400}))]


def charge_at_once(side: Side) -> list[Facts]:
    return [
        intent_facts(side.client.v1.payment_intents.create(NOW | {"capture_method": "automatic"}))
    ]


def confirm_later(side: Side) -> list[Facts]:
    intents = side.client.v1.payment_intents
    made = intents.create({**HOLD, "confirm": False})
    return [intent_facts(made), intent_facts(intents.confirm(made.id))]


def no_card_yet(side: Side) -> list[Facts]:
    without = {name: HOLD[name] for name in HOLD if name not in ("payment_method", "confirm")}
    return [intent_facts(side.client.v1.payment_intents.create(without))]


def cancel_from_every_status(side: Side) -> list[Facts]:
    intents = side.client.v1.payment_intents
    without = {name: HOLD[name] for name in HOLD if name not in ("payment_method", "confirm")}
    asks = HOLD | {"payment_method": card(side, "4000002500003155")}
    made = [intents.create(each) for each in (without, {**HOLD, "confirm": False}, asks, HOLD)]
    reason: Any = {"cancellation_reason": "requested_by_customer"}
    return [intent_facts(intents.cancel(each.id, reason)) for each in made]


def three_d_secure(side: Side) -> list[Facts]:
    intents = side.client.v1.payment_intents
    facts = []
    for success in (True, False):
        asked = intents.create(HOLD | {"payment_method": card(side, "4000002500003155")})
        side.authenticate(asked, success=success)
        facts += [intent_facts(asked), intent_facts(intents.retrieve(asked.id))]
    return facts


def declined_charge(side: Side) -> list[Facts]:
    intents = side.client.v1.payment_intents
    declined = HOLD | {"payment_method": card(side, "4000000000000341")}
    facts = [error_facts(lambda: intents.create(declined))]
    try:
        intents.create(declined)
    except stripe.CardError as error:
        facts.append({"code": error.code})
    return facts


def declined_after_authentication(side: Side) -> list[Facts]:
    intents = side.client.v1.payment_intents
    asked = intents.create(HOLD | {"payment_method": card(side, "4000008400001629")})
    side.authenticate(asked, success=True)
    after = intents.retrieve(asked.id)
    assert after.last_payment_error is not None
    return [{"before": asked.status, "after": after.status, "code": after.last_payment_error.code}]


def refund_all_and_parts(side: Side) -> list[Facts]:
    client = side.client.v1
    whole, parts = client.payment_intents.create(NOW), client.payment_intents.create(NOW)
    made = [
        client.refunds.create({"payment_intent": whole.id}),
        client.refunds.create({"payment_intent": parts.id, "amount": 300, "metadata": {"n": "1"}}),
        client.refunds.create({"payment_intent": parts.id, "amount": 700, "reason": "duplicate"}),
    ]
    listed = client.refunds.list({"payment_intent": parts.id})
    return [
        *map(refund_facts, made),
        refund_facts(client.refunds.retrieve(made[1].id)),
        {"listed": sorted(each.amount for each in listed.data), "more": listed.has_more},
    ]


def expanded_charge(side: Side) -> list[Facts]:
    client = side.client.v1
    paid = client.payment_intents.create(NOW)
    client.refunds.create({"payment_intent": paid.id, "amount": 300})
    charge: Any = client.payment_intents.retrieve(
        paid.id, {"expand": ["latest_charge"]}
    ).latest_charge
    names: tuple[str, ...] = (
        "object",
        "amount",
        "amount_refunded",
        "captured",
        "currency",
        "livemode",
        "paid",
    )
    names += ("payment_intent", "refunded", "status", "failure_code")
    return [{name: charge[name] for name in names} | {"payment_intent": charge.payment_intent[:3]}]


def pages(side: Side) -> list[Facts]:
    intents = side.client.v1.payment_intents
    made = {intents.create(HOLD).id for _ in range(5)}
    first = intents.list({"limit": 3})
    rest = intents.list({"limit": 3, "starting_after": first.data[-1].id})
    seen = [each.id for each in (*first.data, *rest.data)]
    walked = [each.id for each in intents.list({"limit": 2}).auto_paging_iter()]
    return [
        {
            "sizes": (len(first.data), len(rest.data)),
            "more": (first.has_more, rest.has_more),
            "every one once": sorted(seen) == sorted(walked) == sorted(made),
        }
    ]


def metadata_grows(side: Side) -> list[Facts]:
    intents = side.client.v1.payment_intents
    made = intents.create(HOLD)
    return [intent_facts(intents.update(made.id, {"metadata": {"order_ref": "A-2", "new": "1"}}))]


def refused(side: Side) -> list[Facts]:
    client = side.client.v1
    intents, refunds = client.payment_intents, client.refunds
    held, paid, gone = intents.create(HOLD), intents.create(NOW), intents.create(HOLD)
    intents.cancel(gone.id)
    wrong: Any = HOLD
    calls: dict[str, Callable[[], Any]] = {
        "no currency": lambda: intents.create({**wrong, "currency": None}),
        "no amount": lambda: intents.create({**wrong, "amount": None}),
        "amount of zero": lambda: intents.create({**wrong, "amount": 0}),
        "amount below zero": lambda: intents.create({**wrong, "amount": -5}),
        "fraction of a cent": lambda: intents.create({**wrong, "amount": "10.5"}),
        "unknown capture method": lambda: intents.create({**wrong, "capture_method": "later"}),
        "unknown parameter": lambda: intents.create({**wrong, "order_ref": "A-1"}),
        "unknown intent": lambda: intents.retrieve("pi_unknown"),
        "capture an unknown intent": lambda: intents.capture("pi_unknown"),
        "cancel an unknown intent": lambda: intents.cancel("pi_unknown"),
        "capture too much": lambda: intents.capture(held.id, {"amount_to_capture": 1001}),
        "capture what is captured": lambda: intents.capture(paid.id),
        "confirm what is paid": lambda: intents.confirm(paid.id),
        "cancel what is paid": lambda: intents.cancel(paid.id),
        "cancel twice": lambda: intents.cancel(gone.id),
        "refund nothing": lambda: refunds.create({"amount": 5}),
        "refund an unknown intent": lambda: refunds.create({"payment_intent": "pi_unknown"}),
        "refund below zero": lambda: refunds.create({"payment_intent": paid.id, "amount": -1}),
        "unknown refund": lambda: refunds.retrieve("re_unknown"),
        "wrong key": lambda: side.with_key("nonsense").v1.payment_intents.retrieve(paid.id),
    }
    return [{"call": name, **error_facts(call)} for name, call in calls.items()]


CALLS: tuple[Callable[[Side], list[Facts]], ...] = (
    hold_and_capture,
    capture_a_part,
    charge_at_once,
    confirm_later,
    no_card_yet,
    cancel_from_every_status,
    three_d_secure,
    declined_charge,
    declined_after_authentication,
    refund_all_and_parts,
    expanded_charge,
    pages,
    metadata_grows,
    refused,
)
