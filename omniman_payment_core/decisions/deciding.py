"""The two entrances of the pure core: what to do with a directive, and what an answer changes."""

from __future__ import annotations

from collections.abc import Callable

from ..channels import ChannelConfigError
from ..errors import ConfigurationError
from ..records import (
    SCHEMA_VERSION,
    CallRecord,
    Case,
    Changes,
    ChannelView,
    GatewayRequest,
    OperationState,
    Payment,
    Topic,
)
from .absorbing import absorb
from .cancelling import decide_cancel
from .capture import decide_capture
from .draft import Draft
from .late import watch_for_late_money
from .opening import decide_opening
from .payloads import PayloadError, check_object
from .refunding import decide_refund
from .syncing import decide_sync
from .terms import Moment, Outcome, Rules, Terms, check_binding
from .verdict import decide_verdict


class Directory:
    """Where decisions get an account's terms; both may raise ``ConfigurationError``."""

    def __init__(
        self,
        for_channel: Callable[[ChannelView], Terms],
        for_account: Callable[[str], Terms],
    ) -> None:
        self.for_channel = for_channel
        self.for_account = for_account

    def for_payment(self, payment: Payment) -> Terms:
        """The terms of the account a payment is bound to, and of no other under its name."""
        terms = self.for_account(payment.account)
        now, begun_with = (
            (terms.fingerprint, terms.livemode),
            (payment.fingerprint, payment.livemode),
        )
        check_binding(terms.account, now, begun_with)
        return terms


def decide(case: Case, directory: Directory, moment: Moment, rules: Rules) -> Changes:
    """What to do with a directive that was just claimed: a settled answer, or a call."""
    draft = Draft(case, moment, rules)
    if draft.attempts >= rules.max_attempts:
        _give_up(draft)
    else:
        _next_step(draft, directory)
    return draft.changes()


def resolve(
    case: Case,
    request: GatewayRequest,
    outcome: Outcome,
    call: CallRecord | None,
    terms: Terms,
    directory: Directory,
    moment: Moment,
    rules: Rules,
    *,
    fenced: bool,
) -> Changes:
    """What an answer changes, read by the ``terms`` under which the call was made.

    With the fence lost, the answer's facts count and its decisions do not.
    """
    draft = Draft(case, moment, rules, fenced=fenced)
    draft.call = call
    draft.polled = "poll_events" in terms.abilities
    before = draft.find_payment(request.payment_id)
    absorb(draft, terms, request, outcome)
    if fenced and not draft.ended:
        _next_step(draft, directory)
    watch_for_late_money(draft, before)
    return draft.changes()


def _next_step(draft: Draft, directory: Directory) -> None:
    directive, order = draft.directive, draft.order
    if directive.schema_version > SCHEMA_VERSION:
        draft.wait(
            f"payload version {directive.schema_version} needs a newer worker", waiting=False
        )
        return
    if order is None:
        draft.fail("order_missing", f"order {directive.order_ref} does not exist")
        return
    try:
        check_object(directive.payload)
        match directive.topic:
            case Topic.HOLD | Topic.CHARGE:
                decide_opening(
                    draft, lambda: directory.for_channel(order.channel), directory.for_payment
                )
            case Topic.CONFIRM:
                decide_capture(draft, directory.for_payment)
            case Topic.REFUND:
                decide_refund(draft, directory.for_payment)
            case Topic.CANCEL:
                decide_cancel(draft, directory.for_payment)
            case Topic.SYNC:
                decide_sync(draft, directory.for_payment)
            case Topic.VERDICT:
                decide_verdict(draft)
            case _:
                known = ", ".join(Topic)
                draft.fail("wrong_topic", f'topic "{directive.topic}" is none of {known}')
    except PayloadError as error:
        draft.fail(error.code, str(error))
    except ChannelConfigError as error:
        draft.fail("channel_config", str(error))
    except ConfigurationError as error:
        account = draft.payment.account if draft.payment else order.channel.code
        draft.flag("account_unusable", str(error), subject=account)
        draft.wait(str(error), until=draft.now + draft.rules.config_retry, waiting=False)


def _give_up(draft: Draft) -> None:
    """Enough: park it, and whatever of its own is under way, where a person sees both.

    What was never sent is parked as well, or what follows it would wait for ever.
    """
    identity = draft.directive.identity
    for payment in draft.payments():
        draft.choose(payment)
        for operation in list(draft.operations()):
            if operation.unsettled and operation.cause == identity:
                draft.settle_operation(operation, OperationState.PARKED)
    draft.park(
        "attempts_exhausted",
        f"{draft.directive.topic} of order {draft.directive.order_ref} ended "
        f"{draft.attempts} times without an answer: {draft.directive.last_error}",
    )
