"""What a worker process does: the host's own command, with limits short enough to be broken."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from functools import partial

from omniman_payment_core.decisions import Rules
from omniman_payment_core.engine import BreakerRules, Engine, Limits

from .mutants import MUTANTS
from .project import ACCOUNT

LEASE = timedelta(seconds=2.2)
CALL_BUDGET = timedelta(seconds=1.0)
LIMITS = Limits(
    call_budget=CALL_BUDGET,
    lease=LEASE,
    retell_after=timedelta(seconds=1),
    breaker=BreakerRules(first_rest=timedelta(seconds=0.2), longest_rest=timedelta(seconds=1)),
)
RULES = Rules(
    max_attempts=60,
    backoff_base=timedelta(seconds=0.05),
    backoff_cap=timedelta(seconds=0.5),
    wait_poll=timedelta(seconds=2),
    send_slack=LEASE,
    first_check=timedelta(seconds=6),
)
"""Patience is shorter than a shop's, and the order of things the same."""
SLOTS = 4


def engine(mutant: str | None = None) -> Engine:
    """As ``runtime.get_engine`` makes it, but for the limits."""
    from omniman_payment_django.runtime import SystemClock, get_registry, get_store, new_id

    registry = get_registry()
    made = Engine(
        get_store(),
        registry,
        registry.hooks,
        registry.scrubber,
        clock=SystemClock(),
        new_id=new_id,
        rng=random.Random(),
        owner=str(os.getpid()),
        rules=RULES,
        limits=LIMITS,
    )
    if mutant is not None:
        MUTANTS[mutant](made)
    return made


def warm_up() -> None:
    """Do everything once before the first fork, and close every connection again.

    What a library imports, compiles and remembers at its first call, each worker would otherwise
    do anew in the few milliseconds that it lives.
    """
    from django.core.management import call_command
    from django.db import connections

    from omniman_payment_django.runtime import get_registry

    from .shop import STORIES, sell

    for number in range(len(STORIES)):
        sell(number)
    call_command("process_directives", "--once", verbosity=0)
    connections.close_all()
    get_registry().account(ACCOUNT).backend.close()


def work(mutant: str | None = None) -> None:
    """``manage.py process_directives --watch`` until somebody ends the process."""
    from django.core.management import call_command

    from omniman_payment_django.management.commands import process_directives

    vars(process_directives)["get_engine"] = partial(engine, mutant)
    call_command("process_directives", "--watch", "--workers", str(SLOTS), verbosity=0)
