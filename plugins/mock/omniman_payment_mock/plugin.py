"""The mock as a plugin of the payment core: data about the backend, nothing heavy.

The backend itself is imported when an account is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from omniman_payment_core.contracts import BackendRegistration, Feature, Option
from omniman_payment_core.hookspecs import hookimpl

DEFAULT_KEY_WINDOW = timedelta(hours=24)


def _build(config: Mapping[str, Any]) -> Any:
    from .backend import MockPaymentBackend

    return MockPaymentBackend(config)


def _check_secret(value: Any) -> str | None:
    from .webhooks import key_of

    secrets = [value] if isinstance(value, str) else value
    if not isinstance(secrets, list | tuple) or not secrets:
        return "must be a secret or a list of them"
    for secret in secrets:
        if not isinstance(secret, str):
            return "must hold texts only"
        try:
            key_of(secret)
        except ValueError as problem:
            return str(problem)
    return None


def _check_script(value: Any) -> str | None:
    from .script import find_problems

    if not isinstance(value, Mapping):
        return "must be a mapping"
    return "; ".join(find_problems(value)) or None


def _check_not_negative(value: Any) -> str | None:
    return None if value >= 0 else "must not be negative"


def _check_positive(value: Any) -> str | None:
    return None if value > 0 else "must be above zero"


def make_registration(
    *,
    name: str = "mock",
    key_window: timedelta | None = DEFAULT_KEY_WINDOW,
    absence_after: timedelta | None = timedelta(0),
    features: Mapping[str, Feature] | None = None,
) -> BackendRegistration:
    """The mock's registration, or one like it for a test that needs other promises.

    ``absence_after`` is zero because the mock's gateway is never behind: what it does not
    know has not happened. Scripts with ``late`` faults break that; allow for their delay.
    """
    return BackendRegistration(
        name=name,
        build=_build,
        options=(
            Option(
                "gateway",
                help="name of a gateway shared by every account of this process that names it; "
                "left out, the backend has one of its own",
            ),
            Option(
                "state_file",
                help="path of an SQLite file for the gateway's books, shared between processes",
            ),
            Option(
                "script",
                kind=dict,
                check=_check_script,
                help="what shall happen to every payment; see omniman_payment_mock.script",
            ),
            Option(
                "webhook_secret",
                kind=list,
                secret=True,
                check=_check_secret,
                help="the secrets that notifications may be signed with, newest first; "
                "the gateway signs with the first",
            ),
            Option(
                "latency_ms",
                kind=int,
                default=0,
                check=_check_not_negative,
                help="how long every call takes",
            ),
            Option(
                "key_window_hours",
                kind=int,
                default=24,
                check=_check_positive,
                help="how long the gateway remembers an idempotency key",
            ),
        ),
        features=features or {},
        key_window=key_window,
        absence_after=absence_after,
        check=_check_together,
    )


def _check_together(config: Mapping[str, Any]) -> Sequence[str]:
    hours = config.get("key_window_hours")
    if hours is not None and timedelta(hours=hours) < DEFAULT_KEY_WINDOW:
        return (
            "option 'key_window_hours' must be at least 24: the plugin promises the core that "
            "keys are remembered for a day",
        )
    return ()


@hookimpl
def register_backend() -> BackendRegistration:
    """Register the mock under the name ``mock``."""
    return make_registration()
