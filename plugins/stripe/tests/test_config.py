"""An account's options: every mistake is told, where and what, and no value is quoted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core.errors import BackendOptionsError
from omniman_payment_core.plugins import PaymentHooks, PaymentRegistry
from omniman_payment_stripe.config import API_VERSION, read_config
from omniman_payment_stripe.plugin import register_backend

KEY = "sk_test_51AbCdEfGhIjKlMnOpqrstuvwxyz"
LIVE = "sk_live_51AbCdEfGhIjKlMnOpqrstuvwxyz"
SIGNING = "whsec_0123456789abcdef01"


def problems(**config: Any) -> list[str]:
    """What is wrong with an account's options, without the place that each sentence names."""
    registry = PaymentRegistry(
        {"PAYMENT_BACKENDS": {"cards": {"plugin": "stripe", "config": config}}},
        hooks=PaymentHooks(),
    )
    registry.register_backend(register_backend())
    found: BackendOptionsError | None = None
    try:
        _ = registry.account("cards").backend
    except BackendOptionsError as error:
        found = error
    if found is None:
        return []
    where = 'OMNIMAN["PAYMENT_BACKENDS"]["cards"]["config"]: '
    assert all(problem.startswith(where) for problem in found.problems)
    for value in config.values():
        assert not isinstance(value, str) or len(value) < 8 or value not in str(found)
    return [problem.removeprefix(where) for problem in found.problems]


def test_a_secret_key_is_enough() -> None:
    assert problems(api_key=KEY) == []


def test_the_settings_of_the_specification_page_are_accepted() -> None:
    assert problems(api_key=KEY, webhook_secret=SIGNING, currency="brl") == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, 'option "api_key" is missing'),
        (
            {"api_key": "pk_test_51AbCdEfGhIjKlMnOp"},
            'option "api_key" is a publishable key; the secret key (sk_... or rk_...) belongs here',
        ),
        (
            {"api_key": SIGNING},
            'option "api_key" is a webhook secret; the secret key (sk_... or rk_...) belongs here',
        ),
        ({"api_key": "test"}, 'option "api_key" is not a secret key'),
        ({"api_key": KEY + "\n"}, 'option "api_key" is not a secret key'),
        (
            {"api_key": KEY, "publishable_key": LIVE},
            'option "publishable_key" is a secret key, which would be shown to every shopper',
        ),
        (
            {"api_key": KEY, "publishable_key": "pk_live_51AbCdEfGhIj"},
            'option "publishable_key" and option "api_key" are not from the same mode',
        ),
        (
            {"api_key": LIVE, "webhook_secret": SIGNING, "mode": "test"},
            'option "mode" is test and option "api_key" is a live key',
        ),
        (
            {"api_key": KEY, "mode": "live"},
            'option "mode" is live and option "api_key" is a test key',
        ),
        ({"api_key": LIVE}, 'option "webhook_secret" is missing: with a live key'),
        (
            {"api_key": LIVE, "webhook_secret": SIGNING, "base_url": "https://stripe.example"},
            'option "base_url" sends a live key to another address',
        ),
        (
            {"api_key": KEY, "webhook_secret": "sk_test_51AbCdEfGh"},
            'option "webhook_secret" is not a signing secret: that begins with whsec_',
        ),
        (
            {"api_key": KEY, "webhook_secret": SIGNING[:-1]},
            'option "webhook_secret" is not a signing secret: that begins with whsec_',
        ),
        (
            {"api_key": KEY, "webhook_secret": [SIGNING] * 6},
            'option "webhook_secret" must be a signing secret, or a list of up to five',
        ),
        ({"api_key": KEY, "currency": "zzz"}, 'option "currency" is not a currency'),
        ({"api_key": KEY, "api_version": "latest"}, 'option "api_version" is not an API version'),
        (
            {"api_key": KEY, "base_url": "http://stripe.example"},
            'option "base_url" has to be https',
        ),
        ({"api_key": KEY, "base_url": "stripe"}, 'option "base_url" has to be an http or https'),
        ({"api_key": KEY, "timeout_seconds": 1}, 'option "timeout_seconds" has to be from 5 to 80'),
        ({"api_key": KEY, "pay_within_hours": 0}, 'option "pay_within_hours" has to be from 1'),
        ({"api_key": KEY, "account_id": "1AbC"}, 'option "account_id" is not an account id'),
    ],
)
def test_a_mistake_is_named(config: dict[str, Any], said: str) -> None:
    (problem,) = problems(**config)
    assert problem.startswith(said)


def test_a_misspelt_option_is_named_with_its_neighbour() -> None:
    (problem,) = problems(api_key=KEY, webhook_secrets=SIGNING)
    assert problem.startswith('unknown option "webhook_secrets". Did you mean "webhook_secret"?')


def test_every_mistake_is_told_at_once() -> None:
    assert len(problems(api_key="pk_test_51AbCdEf", currency="zzz", timeout_seconds=1)) == 3


@pytest.mark.parametrize(
    ("key", "account_id", "fingerprint"),
    [
        (KEY, None, "1AbCdEfGhIjKlMnO"),
        ("sk_test_51AbCdEfGhIjKlMnOrolled0000", None, "1AbCdEfGhIjKlMnO"),
        ("rk_live_51AbCdEfGhIjKlMnOrestricted", None, "1AbCdEfGhIjKlMnO"),
        (KEY, "acct_1AbCdEfGhIjKlMnO", "1AbCdEfGhIjKlMnO"),
        ("sk_test_4eC39HqLyjWDarjtT1zdp7dc", None, None),
        ("sk_test_4eC39HqLyjWDarjtT1zdp7dc", "acct_1032D82eZvKYlo2C", "1032D82eZvKYlo2C"),
    ],
)
def test_a_rolled_key_is_the_same_account(
    key: str, account_id: str | None, fingerprint: str | None
) -> None:
    config = read_config({"api_key": key, "account_id": account_id})
    assert config.fingerprint == fingerprint
    assert config.livemode == ("_live_" in key)


def test_no_secret_shows_in_what_is_printed() -> None:
    config = read_config({"api_key": KEY, "webhook_secret": [SIGNING]})
    assert KEY not in repr(config)
    assert SIGNING not in repr(config)


def test_what_is_left_out_has_a_sensible_value() -> None:
    config = read_config({"api_key": KEY})
    assert config.api_version == API_VERSION
    assert config.timeout == 20
    assert config.pay_within == timedelta(hours=24)
    assert config.base_url is None
    assert config.webhook_secrets == ()
