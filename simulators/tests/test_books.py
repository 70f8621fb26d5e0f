"""The simulator's own books add up, whatever shops, shoppers and banks do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from omniman_payment_simulators.stripe import StripeSimulator
from omniman_payment_simulators.stripe.control import ControlError
from simulators.tests.account import Account

CARDS = ("visa", "pendingRefund", "refundFail", "visa_chargeDeclined", "threeDSecure2Required")
AMOUNTS = st.integers(-10, 1500)


def machine(account: Account) -> type[RuleBasedStateMachine]:
    """Everybody at one account, which begins anew with every example."""

    class Everybody(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            account.control.reset()
            self.made: list[str] = []
            self.refunds: list[str] = []
            self.disputes: list[str] = []

        def _try(self, act: Callable[[], Any]) -> Any:
            """Whatever is refused must leave no trace; the invariants look for one."""
            try:
                return act()
            except (stripe.StripeError, ControlError):
                return None

        @rule(
            card=st.sampled_from(("", *CARDS)),
            method=st.sampled_from(("automatic", "manual")),
            many=st.booleans(),
        )
        def open(self, card: str, method: str, many: bool) -> None:
            options = {"card": {"request_multicapture": "if_available"}} if many else {}
            made = self._try(
                lambda: account.open(
                    card,
                    capture_method=method,
                    payment_method_options=options,
                    metadata={"order_ref": f"A-{len(self.made) % 2}"},
                )
            )
            if made is not None:
                self.made.append(made.id)

        @precondition(lambda self: self.made)
        @rule(data=st.data(), card=st.sampled_from(CARDS))
        def pay(self, data: st.DataObject, card: str) -> None:
            intent = data.draw(st.sampled_from(self.made))
            self._try(lambda: account.control.pay(intent, f"pm_card_{card}"))

        @precondition(lambda self: self.made)
        @rule(data=st.data(), success=st.booleans())
        def authenticate(self, data: st.DataObject, success: bool) -> None:
            intent = data.draw(st.sampled_from(self.made))
            self._try(lambda: account.control.authenticate(intent, success))

        @precondition(lambda self: self.made)
        @rule(data=st.data(), amount=AMOUNTS, final=st.booleans())
        def capture(self, data: st.DataObject, amount: int, final: bool) -> None:
            intent = data.draw(st.sampled_from(self.made))
            asked: Any = {"amount_to_capture": amount, "final_capture": final}
            self._try(lambda: account.intents.capture(intent, asked))

        @precondition(lambda self: self.made)
        @rule(data=st.data())
        def cancel(self, data: st.DataObject) -> None:
            intent = data.draw(st.sampled_from(self.made))
            self._try(lambda: account.intents.cancel(intent))

        @precondition(lambda self: self.made)
        @rule(data=st.data(), amount=AMOUNTS)
        def refund(self, data: st.DataObject, amount: int) -> None:
            intent = data.draw(st.sampled_from(self.made))
            asked: Any = {"payment_intent": intent, "amount": amount}
            made = self._try(lambda: account.refunds.create(asked))
            if made is not None:
                self.refunds.append(made.id)

        @precondition(lambda self: self.refunds)
        @rule(data=st.data(), status=st.sampled_from(("succeeded", "failed")))
        def settle(self, data: st.DataObject, status: str) -> None:
            refund = data.draw(st.sampled_from(self.refunds))
            self._try(lambda: account.control.settle_refund(refund, status))

        @precondition(lambda self: self.made)
        @rule(data=st.data(), amount=AMOUNTS)
        def dispute(self, data: st.DataObject, amount: int) -> None:
            intent = data.draw(st.sampled_from(self.made))
            made = self._try(lambda: account.control.dispute(intent, amount))
            if made is not None:
                self.disputes.append(made["id"])

        @precondition(lambda self: self.disputes)
        @rule(data=st.data(), verdict=st.sampled_from(("won", "lost")))
        def decide(self, data: st.DataObject, verdict: str) -> None:
            dispute = data.draw(st.sampled_from(self.disputes))
            self._try(lambda: account.control.close_dispute(dispute, verdict))

        @rule(days=st.sampled_from((1, 4, 8)))
        def time_passes(self, days: int) -> None:
            account.control.advance(days * 86_400)

        @invariant()
        def the_books_say_what_the_objects_say(self) -> None:
            books = account.control.ledger()
            intents = account.intents.list({"limit": 100}).data
            refunds = account.refunds.list({"limit": 100}).data
            assert all(m["amount"] > 0 for m in books["movements"])
            captured = sum(intent.amount_received for intent in intents)
            returned = sum(r.amount for r in refunds if r.status != "failed")
            disputed = sum(
                one.amount
                for one in account.sdk.v1.disputes.list({"limit": 100}).data
                if one.status not in ("won", "warning_needs_response", "warning_closed")
            )
            orders = books["orders"].values()
            assert sum(order["moved"] for order in orders) == captured - returned - disputed
            assert sum(order["held"] for order in orders) == sum(
                intent.amount_capturable for intent in intents
            )
            for order in orders:
                assert order["held"] >= 0
                assert 0 <= order["moved"] <= captured

    return Everybody


@pytest.mark.timeout(60)
def test_the_books_add_up_whatever_happens(stripe_simulator: StripeSimulator) -> None:
    run_state_machine_as_test(
        machine(Account(stripe_simulator)),
        settings=settings(
            max_examples=10,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
