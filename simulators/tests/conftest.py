"""Every test has a simulator of its own, from the fixture that the distribution offers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from omniman_payment_simulators.stripe import StripeSimulator
from simulators.tests.account import Account, Receiver, receiver


@pytest.fixture(scope="session", autouse=True)
def _no_telemetry() -> Iterator[None]:
    """The SDK would write a file into the home folder of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe, "enable_telemetry", False)
        yield


@pytest.fixture
def account(stripe_simulator: StripeSimulator) -> Account:
    return Account(stripe_simulator)


@pytest.fixture
def hook(account: Account) -> Iterator[Receiver]:
    """A webhook endpoint that the simulator knows, with the account's secret."""
    with receiver() as mine:
        account.control.add_webhook_endpoint(mine.url, account.simulator.webhook_secret)
        yield mine
