"""The specification page's own tests run with nothing but their import lines changed."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_core import current_registry, get_payment_backend

pytest_plugins = ("pytester",)


# First as they stand, with the fixtures of this plugin.


def test_payment_authorize(mock_payment: Any, order: Any) -> None:
    result = mock_payment.authorize(
        amount_q=1000,
        currency="brl",
        order_ref=order.ref,
        payment_method={"type": "card"},
    )
    assert result.success
    assert result.status == "authorized"


def test_payment_capture(mock_payment: Any, order: Any) -> None:
    auth = mock_payment.authorize(
        amount_q=1000,
        currency="brl",
        order_ref=order.ref,
        payment_method={"type": "card"},
    )
    capture = mock_payment.capture(auth.transaction_id)
    assert capture.success
    assert capture.status == "captured"


# Then the page's whole block, with its own fixture.

BLOCK = """
import pytest
from omniman.contrib.payment.adapters.mock import MockPaymentBackend

@pytest.fixture
def mock_payment(mocker):
    backend = MockPaymentBackend()
    mocker.patch(
        "omniman.contrib.payment.get_payment_backend",
        return_value=backend,
    )
    return backend

def test_payment_authorize(mock_payment, order):
    result = mock_payment.authorize(
        amount_q=1000,
        currency="brl",
        order_ref=order.ref,
        payment_method={"type": "card"},
    )
    assert result.success
    assert result.status == "authorized"

def test_payment_capture(mock_payment, order):
    auth = mock_payment.authorize(
        amount_q=1000,
        currency="brl",
        order_ref=order.ref,
        payment_method={"type": "card"},
    )
    capture = mock_payment.capture(auth.transaction_id)
    assert capture.success
    assert capture.status == "captured"
"""
CONFTEST = """
from omniman_payment_mock import pytest_plugin

def pytest_configure(config):
    if not config.pluginmanager.is_registered(pytest_plugin):
        config.pluginmanager.register(pytest_plugin)
"""
PATHS = {
    "omniman.contrib.payment.adapters.mock": "omniman_payment_mock",
    "omniman.contrib.payment.get_payment_backend": "omniman_payment_core.get_payment_backend",
}


def test_the_pages_block_runs_with_its_dotted_paths_changed(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_mock", reason="the page's fixture uses pytest-mock's mocker")
    block = BLOCK
    for old, new in PATHS.items():
        assert old in block
        block = block.replace(old, new)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(block)
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_every_channel_gets_the_mock_while_the_fixture_is_used(
    mock_payment: Any, mock_channel: Any
) -> None:
    mock_channel.config["payment_backend"] = "an account that is not configured here"
    assert get_payment_backend(mock_channel) is mock_payment
    assert current_registry().account("mock").backend is mock_payment


def test_the_mock_is_gone_after_the_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omniman_payment_core.plugins._current", None)
    monkeypatch.setattr("omniman_payment_core.plugins._source", None)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(
        """
        import pytest
        from omniman_payment_core import ConfigurationError, current_registry

        def test_one(mock_payment):
            assert current_registry().account("mock").backend is mock_payment

        def test_two():
            with pytest.raises(ConfigurationError, match="not configured"):
                current_registry()
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_each_test_has_its_own_order_and_gateway(
    mock_payment: Any, mock_gateway: Any, order: Any, request: pytest.FixtureRequest
) -> None:
    assert order.channel.config["payment_backend"] == "mock"
    mock_payment.charge(order.total_q, order.currency, order.ref, {"type": "card"})
    assert mock_gateway.moved_q(order.ref) == order.total_q
    assert len(mock_gateway.transactions()) == 1
