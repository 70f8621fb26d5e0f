"""A plugin can be pinned to its distribution and version; another one is not even imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omniman_payment_core.errors import BackendConflictError, BackendOptionsError
from omniman_payment_core.plugins import Discovery, PaymentHooks, PaymentRegistry
from omniman_payment_core.plugins.settings import read_settings
from tests.plugins.site import Site, forget_modules_of


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site(tmp_path / "site")
    monkeypatch.syspath_prepend(str(site.folder))
    site.add_backend("pay", distribution="acme-pay", version="1.2.3")
    yield site
    forget_modules_of(tmp_path)


def registry(**pins: Any) -> PaymentRegistry:
    accounts = {
        "pinned": {"plugin": "pay", **pins},
        "free": {"plugin": "pay"},
    }
    return PaymentRegistry(
        {"PAYMENT_BACKENDS": accounts}, hooks=PaymentHooks(), discovery=Discovery()
    )


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    "pins",
    [
        {"distribution": "acme-pay"},
        {"distribution": "Acme_Pay", "version": "1.2.3"},
        {"version": "1.2"},
        {"version": "1"},
    ],
)
def test_the_plugin_that_is_meant_is_loaded(pins: dict[str, str]) -> None:
    assert registry(**pins).account("pinned").version == "1.2.3"


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("pins", "meant"),
    [
        ({"distribution": "omniman-payment-pay"}, "omniman-payment-pay 1.2.3"),
        ({"version": "1.3"}, "acme-pay 1.3"),
        ({"version": "1.2.30"}, "acme-pay 1.2.30"),
        ({"version": "1.2.3.1"}, "acme-pay 1.2.3.1"),
        ({"distribution": "acme-pay", "version": "2"}, "acme-pay 2"),
    ],
)
def test_another_one_is_refused_by_name_before_it_is_imported(
    pins: dict[str, str], meant: str
) -> None:
    made = registry(**pins)
    with pytest.raises(BackendConflictError) as caught:
        made.account("pinned")
    assert str(caught.value) == (
        f'OMNIMAN["PAYMENT_BACKENDS"]["pinned"] takes plugin "pay" from {meant} only, and '
        "acme-pay 1.2.3 brings it"
    )
    assert "pay_plugin" not in sys.modules
    # Also where another account has loaded the plugin meanwhile.
    made.account("free")
    with pytest.raises(BackendConflictError):
        made.account("pinned")
    assert any("takes plugin" in problem for problem in made.check())


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"plugin": "pay", "distribution": ""}, '["distribution"] is empty'),
        ({"plugin": "pay", "distribution": 7}, '["distribution"] is int, not the distribution'),
        ({"plugin": "pay", "version": "~=1.2"}, '["version"] is "~=1.2", not the version'),
        ({"plugin": "pay", "version": 1.2}, '["version"] is float'),
        ({"class": "shop.Backend", "version": "1"}, '["version"] is for a plugin'),
    ],
)
def test_a_pin_that_is_none_is_told(entry: dict[str, Any], problem: str) -> None:
    with pytest.raises(BackendOptionsError) as caught:
        read_settings({"PAYMENT_BACKENDS": {"shop": entry}})
    assert problem in str(caught.value)
