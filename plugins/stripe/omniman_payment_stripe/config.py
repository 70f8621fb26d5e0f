"""An account's options: what they are, and every mistake in them that can be seen from here.

Imports no SDK: settings are checked before a gateway is needed. No sentence quotes a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from omniman_payment_core.contracts import Option

from .amounts import CURRENCIES

API_VERSION = "2026-10-28.endive"
"""The version of Stripe's API that this plugin was written and tested against."""

MIN_TIMEOUT, MAX_TIMEOUT = 5, 80

_SECRET = re.compile(r"(?:sk|rk)_(test|live)_[A-Za-z0-9_]{6,240}")
_PUBLISHABLE = re.compile(r"pk_(test|live)_[A-Za-z0-9_]{6,240}")
_ENDPOINT = re.compile(r"whsec_[A-Za-z0-9_+/=-]{18,240}")
_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{8,32}")
_VERSION = re.compile(r"20\d\d-\d\d-\d\d(?:\.[a-z]+)?")
_ACCOUNT_IN_KEY = re.compile(r"(?:sk|rk)_(?:test|live)_5(1[A-Za-z0-9]{15})")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Config:
    """The options of one account, ready for use. Secrets stay out of its repr."""

    api_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    publishable_key: str
    currency: str | None
    api_version: str
    base_url: str | None
    timeout: int
    return_url: str | None
    pay_within: timedelta
    multicapture: bool
    account_id: str | None

    @property
    def livemode(self) -> bool:
        """Whether real money moves: a key says so itself."""
        return "_live_" in self.api_key[:8]

    @property
    def fingerprint(self) -> str | None:
        """Which Stripe account this is, the same after its key was rolled.

        Keys carry the account's id since 2020; an older one needs ``account_id``, or the
        account is told apart by its name in the settings only.
        """
        if self.account_id is not None:
            return self.account_id.removeprefix("acct_")
        inside = _ACCOUNT_IN_KEY.match(self.api_key)
        return inside[1] if inside else None


def read_config(options: Mapping[str, Any]) -> Config:
    """The options as :data:`OPTIONS` has let them pass, or as somebody gave them by hand."""
    secrets = options.get("webhook_secret") or ()
    return Config(
        api_key=options["api_key"],
        webhook_secrets=(secrets,) if isinstance(secrets, str) else tuple(secrets),
        publishable_key=options.get("publishable_key") or "",
        currency=options.get("currency") or None,
        api_version=options.get("api_version") or API_VERSION,
        base_url=(options.get("base_url") or "").rstrip("/") or None,
        timeout=options.get("timeout_seconds") or 20,
        return_url=options.get("return_url") or None,
        pay_within=timedelta(hours=options.get("pay_within_hours") or 24),
        multicapture=bool(options.get("multicapture")),
        account_id=options.get("account_id") or None,
    )


def _check_key(value: str) -> str | None:
    if value.startswith("pk_"):
        return "is a publishable key; the secret key (sk_... or rk_...) belongs here"
    if value.startswith("whsec_"):
        return "is a webhook secret; the secret key (sk_... or rk_...) belongs here"
    if not _SECRET.fullmatch(value):
        return "is not a secret key: that begins with sk_test_, sk_live_, rk_test_ or rk_live_"
    return None


def _check_publishable(value: str) -> str | None:
    if value.startswith(("sk_", "rk_")):
        return (
            "is a secret key, which would be shown to every shopper; the publishable key "
            "(pk_...) belongs here. Roll the secret key if it was ever deployed like this"
        )
    if value and not _PUBLISHABLE.fullmatch(value):
        return "is not a publishable key: that begins with pk_test_ or pk_live_"
    return None


def _check_endpoint_secret(value: Any) -> str | None:
    secrets = [value] if isinstance(value, str) else value
    if not isinstance(secrets, (list, tuple)) or not 1 <= len(secrets) <= 5:
        return "must be a signing secret, or a list of up to five while one is being rolled"
    for secret in secrets:
        if not isinstance(secret, str) or not _ENDPOINT.fullmatch(secret):
            return (
                "is not a signing secret: that begins with whsec_ and is as long as Stripe made it"
            )
    return None


def _check_currency(value: str) -> str | None:
    return None if value.upper() in CURRENCIES else "is not a currency that Stripe takes"


def _check_version(value: str) -> str | None:
    return None if _VERSION.fullmatch(value) else f"is not an API version such as {API_VERSION}"


def _check_url(value: str) -> str | None:
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
        return "has to be an http or https URL without a user name"
    if parts.scheme == "http" and host not in _LOOPBACK:
        return "has to be https: only this machine itself may be reached without encryption"
    return None


def _check_timeout(value: int) -> str | None:
    if MIN_TIMEOUT <= value <= MAX_TIMEOUT:
        return None
    return f"has to be from {MIN_TIMEOUT} to {MAX_TIMEOUT}"


def _check_hours(value: int) -> str | None:
    return None if 1 <= value <= 24 * 30 else "has to be from 1 to 720"


def _check_account(value: str) -> str | None:
    return None if _ACCOUNT.fullmatch(value) else "is not an account id: that begins with acct_"


OPTIONS: tuple[Option, ...] = (
    Option(
        "api_key",
        required=True,
        secret=True,
        check=_check_key,
        help="the secret key, or a restricted key that may write PaymentIntents and refunds and "
        "read charges and disputes",
    ),
    Option(
        "webhook_secret",
        kind=list,
        secret=True,
        check=_check_endpoint_secret,
        help="the endpoint's signing secret; several, newest first, while one is being rolled",
    ),
    Option(
        "publishable_key",
        check=_check_publishable,
        help="the key that the pay page gives to Stripe.js; needed where shoppers enter cards "
        "or authenticate",
    ),
    Option(
        "mode",
        choices=("test", "live"),
        help="says which keys are meant, so that the wrong ones are refused at the start",
    ),
    Option(
        "currency",
        check=_check_currency,
        help="the currency of calls that name none; the engine always names one",
    ),
    Option(
        "account_id",
        check=_check_account,
        help="acct_...: binds payments to this Stripe account however often its key is rolled; "
        "only needed for keys from before 2020",
    ),
    Option(
        "return_url",
        check=_check_url,
        help="where a shopper comes back to after a redirect; left out, only payment methods "
        "that never redirect are offered",
    ),
    Option(
        "pay_within_hours",
        kind=int,
        default=24,
        check=_check_hours,
        help="how long a payment waits for its shopper before it expires and is withdrawn",
    ),
    Option(
        "multicapture",
        kind=bool,
        default=False,
        help="ask for holds that can be captured in parts, where the card allows it",
    ),
    Option(
        "api_version",
        default=API_VERSION,
        check=_check_version,
        help="Stripe's API version, for those who have a reason",
    ),
    Option(
        "base_url",
        check=_check_url,
        help="another address than Stripe's own: a simulator or a proxy",
    ),
    Option(
        "timeout_seconds",
        kind=int,
        default=20,
        check=_check_timeout,
        help="how long to wait for Stripe's answer; afterwards the outcome counts as unknown",
    ),
)


def check_together(options: Mapping[str, Any]) -> Sequence[str]:
    """What only shows when options are seen side by side; each problem as a sentence."""
    problems = []
    key, publishable = options.get("api_key") or "", options.get("publishable_key") or ""
    live = key[3:8] == "live_"
    mode = options.get("mode")
    if mode is not None and _SECRET.fullmatch(key) and live != (mode == "live"):
        problems.append(
            f'option "mode" is {mode} and option "api_key" is a {"live" if live else "test"} '
            "key: one of them is meant for another environment"
        )
    if publishable and (publishable[3:8] == "live_") != live:
        problems.append(
            'option "publishable_key" and option "api_key" are not from the same mode: one is a '
            "live key, the other a test key"
        )
    if live and not options.get("webhook_secret"):
        problems.append(
            'option "webhook_secret" is missing: with a live key the endpoint\'s signing secret '
            "(whsec_...) is needed, or no notification can be believed"
        )
    if live and options.get("base_url"):
        problems.append(
            'option "base_url" sends a live key to another address than Stripe\'s; leave one of '
            "them out"
        )
    return problems
