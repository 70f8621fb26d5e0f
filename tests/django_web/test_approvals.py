"""A large refund takes two people: one asks, another agrees, and nothing is asked for before."""

from __future__ import annotations

import threading
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections, transaction
from django.test import Client, override_settings
from django.urls import reverse

from omniman_payment_core.records import NewDirective
from omniman_payment_django.approvals import approve_refund, reject_refund, request_refund
from omniman_payment_django.models import (
    Directive,
    Flag,
    Order,
    OrderEvent,
    Payment,
    RefundRequest,
)
from omniman_payment_django.runtime import get_registry, get_store
from omniman_payment_django.sessions import RequestRefusedError, refund_payment
from omniman_payment_django.settling import SettlingError

from .shop import Shop


def work() -> None:
    call_command("process_directives", verbosity=0)


@pytest.fixture
def order(shop: Shop) -> Any:
    """Paid, 1000; up to 400 may be asked back without a second person."""
    with override_settings(OMNIMAN={"REFUND_APPROVAL_ABOVE_Q": {"BRL": 400}}):
        get_registry().use("shop", shop.backend)
        order = shop.order()
        payload = {"payment_method": {}}
        get_store().enqueue([NewDirective("payment.charge", order.ref, payload)])
        work()
        yield order


def refunds() -> list[int]:
    return [each.payload["amount_q"] for each in Directive.objects.filter(topic="payment.refund")]


def refunded_q(order: Order) -> int:
    return Payment.objects.get(order_ref=order.ref).refunded_q


def test_a_small_refund_takes_one_person(order: Order) -> None:
    refund_payment(order, 400)
    work()
    assert refunded_q(order) == 400


def test_a_large_one_is_refused_until_another_person_agrees(order: Order) -> None:
    for amount_q in (401, None):
        with pytest.raises(RequestRefusedError, match="takes a second person"):
            refund_payment(order, amount_q)
    request = request_refund(order, actor="anna", reason="broken in the post")
    work()
    assert (refunds(), request.amount_q) == ([], 1000)
    approve_refund(request.pk, actor="bela", reason="seen the photo")
    work()
    assert refunded_q(order) == 1000
    request.refresh_from_db()
    assert (request.state, request.decided_by) == ("approved", "bela")
    assert Directive.objects.get(pk=request.directive_id).status == "completed"


def test_small_refunds_add_up(order: Order) -> None:
    refund_payment(order, 300)
    with pytest.raises(RequestRefusedError):
        refund_payment(order, 101)
    refund_payment(order, 100)
    work()
    assert refunded_q(order) == 400
    with pytest.raises(RequestRefusedError):
        refund_payment(order, 1)


def test_a_refund_that_failed_does_not_count(order: Order) -> None:
    refund_payment(order, 400)
    Directive.objects.filter(topic="payment.refund").update(status="failed")
    refund_payment(order, 400)
    assert refunds() == [400, 400]


def test_the_same_request_repeated_is_the_same_refund(order: Order) -> None:
    first = refund_payment(order, 400, dedupe_key="k")
    assert refund_payment(order, 400, dedupe_key="k") == first


@pytest.mark.parametrize("name", ["anna", "Anna", " anna "])
def test_nobody_agrees_to_their_own_request(order: Order, name: str) -> None:
    request = request_refund(order, 500, actor="anna", reason="broken")
    with pytest.raises(SettlingError, match="it takes another"):
        approve_refund(request.pk, actor=name, reason="sure")
    assert refunds() == []
    with pytest.raises(IntegrityError), transaction.atomic():
        RefundRequest.objects.update(state="approved", decided_by="anna")


def test_a_rejected_request_refunds_nothing_and_can_be_asked_again(order: Order) -> None:
    request = request_refund(order, 1000, actor="anna", reason="broken")
    with pytest.raises(SettlingError, match=r"0\.00 BRL can be refunded"):
        request_refund(order, 1, actor="anna", reason="once more")
    reject_refund(request.pk, actor="bela", reason="it is not broken")
    for decide in (approve_refund, reject_refund):
        with pytest.raises(SettlingError, match="was rejected by bela"):
            decide(request.pk, actor="carl", reason="still")
    request_refund(order, 1000, actor="anna", reason="it is")
    assert refunds() == []


@pytest.mark.parametrize("amount_q", [0, -1, 1001, True, "5"])
def test_an_amount_that_cannot_be_refunded_is_refused_at_once(order: Order, amount_q: Any) -> None:
    with pytest.raises(SettlingError, match=r"10\.00 BRL can be refunded"):
        request_refund(order, amount_q, actor="anna", reason="broken")
    assert not RefundRequest.objects.exists()


def test_what_became_impossible_meanwhile_is_not_refunded(order: Order) -> None:
    """Whoever agrees does so about the past; the refund is decided on when it runs."""
    request = request_refund(order, 1000, actor="anna", reason="broken")
    refund_payment(order, 300)
    work()
    approve_refund(request.pk, actor="bela", reason="ok")
    work()
    assert refunded_q(order) == 300
    directive = Directive.objects.get(dedupe_key=f"refund-request:{request.pk}")
    assert directive.result is not None
    assert directive.result["error_code"] == "refund_exceeds_capture"


def test_two_people_who_agree_at_once_refund_once(order: Order) -> None:
    request = request_refund(order, 500, actor="anna", reason="broken")
    said: list[str] = []
    barrier = threading.Barrier(2)

    def agree(name: str) -> None:
        barrier.wait(30)
        try:
            approve_refund(request.pk, actor=name, reason="ok")
            said.append("agreed")
        except SettlingError:
            said.append("too late")
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=agree, args=(name,)) for name in ("bela", "carl")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(said) == ["agreed", "too late"]
    assert refunds() == [500]
    assert RefundRequest.objects.get().decided_by in ("bela", "carl")


def test_it_is_a_flag_until_somebody_decides_and_all_of_it_is_on_the_record(order: Order) -> None:
    request = request_refund(order, 500, actor="anna", reason="broken")
    (flag,) = Flag.objects.filter(settled_at=None)
    assert flag.kind == "refund_waits_for_approval"
    assert "anna asks for a refund of 5.00 BRL (broken)" in flag.message
    out = StringIO()
    call_command(
        "payments", "decide-refund", str(request.pk), "--approve", "--actor", "bela",
        "--reason", "seen it", stdout=out,
    )  # fmt: skip
    assert out.getvalue() == f"refund request {request.pk} is approved by bela\n"
    flag.refresh_from_db()
    assert (flag.actor, flag.reason) == ("bela", "seen it")
    told = OrderEvent.objects.filter(order_ref=order.ref, kind__startswith="refund_")
    assert list(told.order_by("pk").values_list("kind", "actor")) == [
        ("refund_requested", "anna"),
        ("refund_approved", "bela"),
    ]


def test_the_command_says_what_cannot_be(order: Order) -> None:
    with pytest.raises(CommandError, match="there is no refund request 77"):
        call_command("payments", "decide-refund", "77", "--reject", "--actor", "b", "--reason", "r")


# In the admin


CHANGELIST = "admin:omniman_payment_refundrequest_changelist"


def decide(client: Client, request: RefundRequest, action: str, **data: str) -> str:
    data = {"action": action, "_selected_action": str(request.pk), **data}
    return str(client.post(reverse(CHANGELIST), data, follow=True).content.decode())


def staff(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, password="pw", is_staff=True)
    for codename in permissions:
        user.user_permissions.add(Permission.objects.get(codename=codename))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def permissions(order: Order) -> None:
    from django.apps import apps
    from django.contrib.auth.management import create_permissions

    create_permissions(apps.get_app_config("omniman_payment"), verbosity=0)


def test_the_amount_is_typed_before_money_leaves(order: Order, permissions: None) -> None:
    request = request_refund(order, 500, actor="anna", reason="broken")
    client = staff("bela", "view_refundrequest", "decide_refundrequest")
    assert "anna asks for a refund of 5.00 BRL" in decide(client, request, "approve")
    wrong = decide(client, request, "approve", confirm="1", amount="50.00 BRL", reason="ok")
    assert "The amount is not the one that was asked for." in wrong
    wrong = decide(client, request, "approve", confirm="1", amount="5.00 BRL", reason=" ")
    assert "A reason is needed." in wrong
    assert refunds() == []
    right = {"confirm": "1", "amount": "5.00 BRL", "reason": "seen"}
    assert "approved" in decide(client, request, "approve", **right)
    assert "was approved by bela" in decide(client, request, "approve", **right)
    assert refunds() == [500]


def test_the_admin_knows_who_asked(order: Order, permissions: None) -> None:
    request = request_refund(order, 500, actor="bela", reason="broken")
    client = staff("bela", "view_refundrequest", "decide_refundrequest")
    right = {"confirm": "1", "amount": "5.00 BRL", "reason": "me"}
    assert "it takes another" in decide(client, request, "approve", **right)
    assert refunds() == []


def test_to_decide_takes_a_permission_of_its_own(order: Order, permissions: None) -> None:
    request = request_refund(order, 500, actor="anna", reason="broken")
    client = staff("carl", "view_refundrequest", "change_refundrequest", "change_flag")
    right = {"confirm": "1", "amount": "5.00 BRL", "reason": "me"}
    decide(client, request, "approve", **right)
    decide(client, request, "reject", **right)
    request.refresh_from_db()
    assert request.state == "waiting"


def test_a_rejection_and_several_at_once(order: Order, permissions: None) -> None:
    first = request_refund(order, 500, actor="anna", reason="broken")
    second = request_refund(order, 300, actor="anna", reason="late")
    client = staff("bela", "view_refundrequest", "decide_refundrequest")
    both = {"action": "approve", "_selected_action": [str(first.pk), str(second.pk)]}
    answer = client.post(reverse(CHANGELIST), both, follow=True).content.decode()
    assert "Decide on one refund at a time." in answer
    assert "rejected" in decide(client, second, "reject", confirm="1", reason="it was not")
    second.refresh_from_db()
    assert (second.state, second.decision) == ("rejected", "it was not")


# Settings


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        (400, "is a int, not a dict from a currency to an amount"),
        ({"brl": 400}, "has a key that is no ISO 4217 code in capitals"),
        ({"BRL": 4.0}, '["BRL"] is not a whole number'),
        ({"BRL": True}, '["BRL"] is not a whole number'),
        ({"BRL": -1}, '["BRL"] is not a whole number'),
    ],
)
def test_a_wrong_limit_is_a_message_of_the_checks(stated: Any, problem: str) -> None:
    with override_settings(OMNIMAN={"REFUND_APPROVAL_ABOVE_Q": stated}):
        (message,) = [each for each in checks.run_checks() if each.id == "omniman_payment.E007"]
    assert problem in message.msg


def test_other_currencies_and_shops_without_a_limit_are_as_before(shop: Shop, order: Order) -> None:
    with override_settings(OMNIMAN={"REFUND_APPROVAL_ABOVE_Q": {"EUR": 0}}):
        get_registry().use("shop", shop.backend)
        refund_payment(order)
        work()
        assert refunded_q(order) == 1000
