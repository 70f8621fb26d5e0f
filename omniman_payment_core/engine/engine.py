"""The engine: claim, decide, call, settle. Holds no thread and no socket of its own.

A host drives it: :meth:`Engine.claim` and :meth:`Engine.settle` touch the store,
:meth:`Engine.perform` touches the gateway and nothing else, so that calls can be made
from many threads while one of them talks to the database.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..decisions import (
    Answered,
    Directory,
    Moment,
    NotAttempted,
    Outcome,
    Refused,
    Rules,
    Terms,
    Unknown,
    check_binding,
    decide,
    resolve,
)
from ..records import (
    CallRecord,
    Case,
    Changes,
    ChannelView,
    Directive,
    DirectiveChange,
    DirectiveStatus,
    Flag,
    GatewayRequest,
    NewDirective,
    Topic,
)
from .breaker import Breaker, BreakerRules
from .calls import call_record, notice_of, terms_of
from .gateway import call_backend, outcome_of
from .logs import log_call
from .ports import Accounts, Clock, Settlement, Store, Written
from .telling import Teller

if TYPE_CHECKING:
    from ..plugins.hooks import PaymentHooks
    from ..plugins.registry import Account
    from ..secrets import Scrubber

log = logging.getLogger("omniman_payment")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take. A lease outlives two whole calls, so a live worker keeps it."""

    call_budget: timedelta = timedelta(seconds=30)
    lease: timedelta = timedelta(seconds=90)
    retell_after: timedelta = timedelta(minutes=1)
    breaker: BreakerRules | None = None
    """When an account whose gateway does not answer is left alone for a while; ``None``: never."""


@dataclass(frozen=True, slots=True)
class Work:
    """One gateway call that a claimed directive asks for, already written down."""

    directive: Directive
    request: GatewayRequest
    terms: Terms
    claimed_at: datetime
    claimed_monotonic: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What one claim took: how many directives, and the calls that some of them need."""

    taken: int
    works: list[Work]


@dataclass(frozen=True, slots=True)
class Answer:
    """A call's outcome, to be settled; it may be the only copy of "charged"."""

    work: Work
    outcome: Outcome
    call: CallRecord
    late: bool = False
    """The call was written off before: this one brings facts, and decides nothing."""
    made: bool = True
    """Off for a call that was never made: the audit of calls does not show it."""


class Engine:
    """Runs directives from a store against the configured accounts."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        hooks: PaymentHooks,
        scrubber: Scrubber,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        rng: random.Random,
        owner: str,
        rules: Rules | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.store = store
        self.accounts = accounts
        self.hooks = hooks
        self.scrubber = scrubber
        self.clock = clock
        self.owner = owner
        self.rules = rules or Rules()
        self.limits = limits or Limits()
        self._new_id = new_id
        self._rng = rng
        self._teller = Teller(store, hooks, clock)
        self._breaker = Breaker(self.limits.breaker) if self.limits.breaker else None
        self._terms: dict[str, tuple[Account, Terms]] = {}
        self._directory = Directory(self._terms_for_channel, self._terms_for_account)

    # -- claim and decide ------------------------------------------------------------------

    def claim(self, limit: int) -> Batch:
        """Take due directives; settle those that need no call, return the calls of the others."""
        started_at, started = self.clock.now(), self.clock.monotonic()
        written = self.store.claim(
            owner=self.owner,
            limit=limit,
            lease=self.limits.lease,
            decide=self._decide,
            tell=self._teller.tells_changes,
        )
        self._teller.claimed(written)
        self._teller.committed(written)
        works = [
            self._work(entry, request, started_at, started)
            for entry in written
            if (request := entry.changes.request) is not None
        ]
        return Batch(len(written), works)

    def _decide(self, case: Case, now: datetime) -> Changes:
        try:
            return decide(case, self._directory, self._moment(now), self.rules)
        except Exception as error:
            return self._broken(case, error)

    # -- call ------------------------------------------------------------------------------

    def perform(self, work: Work) -> Answer:
        """Make the call. Never raises, never touches the store."""
        request, started = work.request, self.clock.monotonic()
        if self._too_late(work):
            return self._unmade(work, "the lease was too old to send under")
        rest = self._rest_of(request.account)
        if rest is not None:
            message = f"account {request.account} rests: its gateway does not answer"
            return self._unmade(work, message, rest)
        outcome = self._call(request)
        self._learn(request.account, outcome)
        duration = max(0, round((self.clock.monotonic() - started) * 1_000_000))
        call = call_record(request, outcome, duration, self.clock.now())
        log_call(call)
        return Answer(work, outcome, call)

    def release(self, work: Work) -> Answer:
        """The answer of a call that was never made: the directive goes back at once."""
        return self._unmade(work, "given back unsent")

    def _unmade(self, work: Work, why: str, rest: timedelta = timedelta()) -> Answer:
        outcome = NotAttempted(why, rest, counted=False)
        call = call_record(work.request, outcome, 0, self.clock.now())
        return Answer(work, outcome, call, made=False)

    def overdue(self, work: Work) -> Answer:
        """The answer of a call that did not return within its budget."""
        budget = self.limits.call_budget
        outcome = Unknown(f"no answer within {budget.total_seconds():.0f} s", plugin_fault=True)
        duration = round(budget.total_seconds() * 1_000_000)
        call = call_record(work.request, outcome, duration, self.clock.now())
        log_call(call)
        return Answer(work, outcome, call)

    def _too_late(self, work: Work) -> bool:
        """The last look before the socket: a worker that slept must not send any more."""
        allowed = self.limits.lease - self.limits.call_budget
        wall = self.clock.now() - work.claimed_at
        slept = timedelta(seconds=self.clock.monotonic() - work.claimed_monotonic)
        return max(wall, slept) > allowed

    def _rest_of(self, account: str) -> timedelta | None:
        if self._breaker is None:
            return None
        return self._breaker.rest_of(account, self.clock.monotonic())

    def _learn(self, account: str, outcome: Outcome) -> None:
        if self._breaker is not None and self._breaker.learn(
            account, outcome, self.clock.monotonic()
        ):
            log.error("account %s rests: its gateway has not answered for a while", account)

    def _call(self, request: GatewayRequest) -> Outcome:
        def perform() -> object:
            account = self.accounts.account(request.account)
            now = (account.fingerprint, account.livemode)
            check_binding(account.name, now, (request.fingerprint, request.livemode))
            abilities = account.abilities
            if not self.hooks.observes("around_gateway_call"):
                return call_backend(account.backend, abilities, request)
            return self.hooks.around_gateway_call(
                notice_of(request),
                lambda: call_backend(account.backend, abilities, request),
            )

        return outcome_of(request, perform, self.scrubber.text)

    # -- settle ----------------------------------------------------------------------------

    def settle(self, answers: Sequence[Answer]) -> list[Work]:
        """Write down what came back, all in one transaction; return the calls that follow.

        Raises what the store raises; the answers are then unsettled and must be kept.
        """
        if not answers:
            return []
        delays = [self._wished_delay(answer) for answer in answers]
        written = self.store.settle(
            [self._settlement(a, d) for a, d in zip(answers, delays, strict=True)],
            tell=self._teller.tells_changes,
        )
        self._teller.committed(written)
        # The lease is as old as the claim, however many calls are made under it.
        return [
            self._work(entry, request, answer.work.claimed_at, answer.work.claimed_monotonic)
            for entry, answer in zip(written, answers, strict=True)
            if (request := entry.changes.request) is not None
        ]

    def _settlement(self, answer: Answer, delay: timedelta | None) -> Settlement:
        work = answer.work

        def changes(case: Case, now: datetime, fenced: bool) -> Changes:
            try:
                changes = resolve(
                    case,
                    work.request,
                    answer.outcome,
                    answer.call if answer.made else None,
                    work.terms,
                    self._directory,
                    self._moment(now, delay),
                    self.rules,
                    fenced=fenced and not answer.late,
                )
            except Exception as error:
                return replace(self._broken(case, error), call=answer.call)
            return _run_again_if_woken(changes, case, work, now)

        return Settlement(
            work.directive.id, work.directive.order_ref, work.directive.fence, changes
        )

    def _wished_delay(self, answer: Answer) -> timedelta | None:
        """A policy plugin's retry delay, asked for outside any transaction."""
        if isinstance(answer.outcome, (Answered, Refused)):
            return None
        directive = answer.work.directive
        return self._teller.wished_delay(directive, answer.call)

    # -- housekeeping ----------------------------------------------------------------------

    def enqueue(self, directives: Sequence[NewDirective]) -> list[int]:
        """Add directives and tell observers."""
        ids = self.store.enqueue(directives)
        for directive in directives:
            self._teller.enqueued(directive)
        return ids

    def maintain(self, limit: int = 500) -> int:
        """Wake payments whose check is due and tell what was committed but not told."""
        armed = self.store.arm_checks(limit)
        if self._teller.tells_changes:
            self._teller.changed(self.store.untold(self.limits.retell_after, limit))
        return armed

    def run_until_idle(self, batch: int = 50) -> int:
        """Claim, call and settle one after the other until nothing is due; says how many calls."""
        calls = 0
        while True:
            claimed = self.claim(batch)
            if not claimed.taken and not self.store.arm_checks(batch):
                return calls
            works = claimed.works
            while works:
                calls += len(works)
                works = self.settle([self.perform(work) for work in works])

    # -- inside ----------------------------------------------------------------------------

    def _moment(self, now: datetime, retry_in: timedelta | None = None) -> Moment:
        return Moment(now, self._new_id, self._rng.random(), retry_in, self.owner)

    def _terms_for_channel(self, channel: ChannelView) -> Terms:
        return self._terms_of(self.accounts.account_for(channel))

    def _terms_for_account(self, name: str) -> Terms:
        return self._terms_of(self.accounts.account(name))

    def _terms_of(self, account: Account) -> Terms:
        known = self._terms.get(account.name)
        if known is not None and known[0] is account:
            return known[1]
        terms = terms_of(account)
        self._terms[account.name] = (account, terms)
        return terms

    def _work(
        self, entry: Written, request: GatewayRequest, claimed_at: datetime, claimed: float
    ) -> Work:
        terms = self._terms_for_account(request.account)
        return Work(entry.case.directive, request, terms, claimed_at, claimed)

    def _broken(self, case: Case, error: Exception) -> Changes:
        """A bug of ours: this directive is parked with it, and the others go on."""
        log.exception("directive %s could not be decided", case.directive.id)
        message = self.scrubber.text(f"{type(error).__name__}: {error}")
        return Changes(
            directive=DirectiveChange(
                DirectiveStatus.PARKED, case.directive.attempts, last_error=message
            ),
            flags=(
                Flag(
                    "engine_bug",
                    f"engine_bug:directive-{case.directive.id}",
                    case.directive.order_ref,
                    message,
                    directive_id=case.directive.id,
                ),
            ),
        )


def _run_again_if_woken(changes: Changes, case: Case, work: Work, now: datetime) -> Changes:
    """A sync that was asked for again while it ran may have read too early: it runs once more."""
    change = changes.directive
    if (
        change is None
        or case.directive.topic != Topic.SYNC
        or case.directive.wakes == work.directive.wakes
        or change.status != DirectiveStatus.COMPLETED
    ):
        return changes
    again = replace(change, status=DirectiveStatus.PENDING, available_at=now)
    return replace(changes, directive=again)
