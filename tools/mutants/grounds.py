"""Which modules are changed, and which tests have to notice."""

from __future__ import annotations

from dataclasses import dataclass

from .sources import Source

_CORE = "omniman_payment_core"
_DECISIONS = (
    "absorbing",
    "auditing",
    "cancelling",
    "capture",
    "comparing",
    "deciding",
    "draft",
    "late",
    "observing",
    "opening",
    "operations",
    "payloads",
    "refund_facts",
    "refunding",
    "schedule",
    "syncing",
    "terms",
    "verdict",
)
_WEBHOOKS = "hosts/django/omniman_payment_django/webhooks"


@dataclass(frozen=True)
class Ground:
    """Modules, and the fast tests of their rules."""

    name: str
    paths: tuple[str, ...]
    tests: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Parts of the names of tests that are too slow here, or need what is not there."""

    @property
    def sources(self) -> list[Source]:
        return [Source(path) for path in self.paths]


GROUNDS = (
    Ground(
        "core",
        (
            f"{_CORE}/ledger.py",
            *(f"{_CORE}/decisions/{name}.py" for name in _DECISIONS),
            f"{_CORE}/engine/breaker.py",
        ),
        ("tests/core", "tests/mutation/histories.py", "tests/mutation/schedules.py"),
        ("test_an_hour_without_a_gateway",),
    ),
    Ground(
        "django",
        tuple(f"{_WEBHOOKS}/{name}.py" for name in ("intake", "matching", "verifying")),
        (
            "tests/django_web/test_matching_rules.py",
            "tests/django_web/test_verifying.py",
            "tests/django_web/test_rejections.py",
            "tests/django_web/test_webhooks.py",
            "tests/django_web/test_webhook_command.py",
        ),
        # Both databases run the same rules; this one is the faster to set up.
        ("[postgresql", "postgresql]"),
    ),
)
