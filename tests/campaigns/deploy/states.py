"""The states in which a deployment may find an operation or a directive, and how each ends well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from omniman_payment_core.decisions import Rules
from omniman_payment_core.records import Topic
from omniman_payment_django.models import PaymentNotice, PaymentOperation, Reconciliation
from omniman_payment_django.reconciling import Reconciling
from omniman_payment_django.runtime import get_registry
from omniman_payment_mock.script import Fault

from .site import Site


class Stopped(Exception):
    """The process that reconciled is no more."""


@dataclass(frozen=True, slots=True)
class State:
    """How to get there, what the world does afterwards, and where everything has to end."""

    name: str
    enter: Callable[[Site], None]
    status: str
    held_q: int = 0
    moved_q: int = 0
    leave: Callable[[Site], None] = lambda site: None

    def __str__(self) -> str:
        return self.name


def _crash_after(site: Site) -> None:
    """The worker is gone after the gateway has answered."""
    for work in site.claimed():
        site.engine.perform(work)


def _hold(site: Site, **behaviour: object) -> None:
    site.ask(Topic.HOLD, payment_method={"behaviour": behaviour} if behaviour else {})


def _held(site: Site, **behaviour: object) -> None:
    _hold(site, **behaviour)
    site.work()


def _captured(site: Site, **behaviour: object) -> None:
    _held(site, **behaviour)
    site.ask(Topic.CONFIRM)
    site.work()


def hold_planned(site: Site) -> None:
    site.far["one"].fail_next(Fault("not_attempted", on="authorize"))
    _hold(site)
    works = site.claimed()
    site.engine.settle([site.engine.perform(work) for work in works])
    assert PaymentOperation.objects.get().state == "planned"


def hold_sent(site: Site) -> None:
    _hold(site)
    site.claimed()
    assert PaymentOperation.objects.get().state == "sent"


def hold_answered(site: Site) -> None:
    _hold(site)
    _crash_after(site)
    assert site.far["one"].held_q("ORDER-1") == 1000


def hold_pending(site: Site) -> None:
    _held(site, authenticate=True)
    assert site.payment().status == "requires_action"


def authenticated(site: Site) -> None:
    site.far["one"].confirm_3ds(str(site.payment().transaction_id))


def hold_standing(site: Site) -> None:
    _held(site)
    site.ask(Topic.CONFIRM, amount_q=600)


def capture_sent(site: Site) -> None:
    _held(site)
    site.ask(Topic.CONFIRM)
    _crash_after(site)


def capture_dead(site: Site) -> None:
    _held(site)
    site.ask(Topic.CONFIRM)
    site.claimed()
    site.clock.advance(timedelta(minutes=10))


def refund_sent(site: Site) -> None:
    _captured(site)
    site.ask(Topic.REFUND, amount_q=400)
    _crash_after(site)


def refund_pending(site: Site) -> None:
    _captured(site, refund="pending")
    site.ask(Topic.REFUND, amount_q=400)
    site.work()
    assert site.payment().refund_pending_q == 400


def refund_done(site: Site) -> None:
    transaction = site.far["one"].transaction(str(site.payment().transaction_id))
    assert transaction is not None
    site.far["one"].settle_refund(transaction.refunds[0].reference)


def charge_waiting(site: Site) -> None:
    site.ask(Topic.CHARGE, payment_method={"behaviour": {"qr": True}})
    site.work()
    assert site.payment().status in ("pending", "requires_action")


def paid(site: Site) -> None:
    site.far["one"].pay(str(site.payment().transaction_id))


def parked(site: Site) -> None:
    _hold(site)
    _crash_after(site)
    site.clock.advance(timedelta(minutes=10))
    site.worker("impatient", Rules(max_attempts=0)).run_until_idle()
    assert site.flags() == {"attempts_exhausted"}


def judged(site: Site) -> None:
    """A person settles it; where a notification has told meanwhile, nobody is asked any more."""
    site.work()
    if PaymentOperation.objects.get().state != "parked":
        assert site.flags() == set()
        return
    site.ask(
        Topic.VERDICT,
        operation=PaymentOperation.objects.get().key,
        happened=True,
        actor="ana",
        reason="it is there in the gateway's panel",
    )


def notification_stored(site: Site) -> None:
    charge_waiting(site)
    paid(site)
    assert site.deliver() == 200


def untold(site: Site) -> None:
    _hold(site)
    answers = [site.engine.perform(work) for work in site.claimed()]
    # The transaction of a worker that is gone before it could tell anybody.
    site.engine.store.settle(
        [site.engine._settlement(answer, None) for answer in answers], tell=True
    )
    assert PaymentNotice.objects.exists()
    assert site.payment().status not in [change.status for change in site.told]


def reconciling(site: Site) -> None:
    charge_waiting(site)
    paid(site)

    def stop(report: object) -> None:
        raise Stopped

    try:
        Reconciling(get_registry().account("main"), progress=stop).run()
    except Stopped:
        assert Reconciliation.objects.get().position


def reconciled(site: Site) -> None:
    Reconciling(get_registry().account("main"), sleep=lambda seconds: None).run()
    assert Reconciliation.objects.get().finished_at


def cancel_sent(site: Site) -> None:
    _held(site)
    site.ask(Topic.CANCEL)
    _crash_after(site)


STATES = [
    State("a hold that was not attempted", hold_planned, "authorized", held_q=1000),
    State("a hold that is written down and not sent", hold_sent, "authorized", held_q=1000),
    State("a hold that is answered and not settled", hold_answered, "authorized", held_q=1000),
    State("a hold that waits for 3-D Secure", hold_pending, "authorized", held_q=1000,
          leave=authenticated),
    State("a capture that is due", hold_standing, "partially_captured", held_q=400, moved_q=600),
    State("a capture that is answered and not settled", capture_sent, "captured", moved_q=1000),
    State("a capture under a dead lease", capture_dead, "captured", moved_q=1000),
    State("a refund that is answered and not settled", refund_sent, "partially_refunded",
          moved_q=600),
    State("a refund that the gateway works on", refund_pending, "partially_refunded",
          moved_q=600, leave=refund_done),
    State("a charge that waits for its payer", charge_waiting, "captured", moved_q=1000,
          leave=paid),
    State("an operation that is parked with its flag", parked, "authorized", held_q=1000,
          leave=judged),
    State("a notification that is stored and not applied", notification_stored, "captured",
          moved_q=1000),
    State("a change that nobody was told of", untold, "authorized", held_q=1000),
    State("a reconciliation half done", reconciling, "captured", moved_q=1000, leave=reconciled),
    State("a cancellation that is answered and not settled", cancel_sent, "cancelled"),
]  # fmt: skip
