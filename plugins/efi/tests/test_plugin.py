"""The registration: found by its entry point, true to the backend, and light until it is used."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

from efi_testing.account import CLIENT_SECRET, options
from omniman_payment_core.contracts import FEATURES, abilities_of
from omniman_payment_core.plugins import PaymentHooks, PaymentRegistry
from omniman_payment_efi import EfiBackend
from omniman_payment_efi.config import OPTIONS
from omniman_payment_efi.plugin import register_backend

SECRET_OPTIONS = {"client_secret", "certificate", "certificate_password", "webhook_secret"}


def test_the_installed_distribution_offers_it() -> None:
    (point,) = entry_points(group="omniman_payment.backends", name="efi")
    assert point.load().register_backend() == register_backend()


def test_an_account_named_efi_needs_no_more_than_its_options() -> None:
    registry = PaymentRegistry(
        {"PAYMENT_BACKENDS": {"efi": {"config": options()}}}, hooks=PaymentHooks()
    )
    account = registry.account("efi")
    assert isinstance(account.backend, EfiBackend)
    assert CLIENT_SECRET not in repr(account)
    account.close()


def test_every_feature_is_declared_and_a_declined_one_says_why() -> None:
    features = register_backend().features
    assert set(features) <= set(FEATURES)
    declined = {name for name, feature in features.items() if not feature.supported}
    assert declined == {"hold", "partial_capture", "multiple_captures"}
    assert all("Pix holds nothing" in features[name].reason for name in declined)


def test_what_is_declared_of_refunds_the_class_can_do() -> None:
    registration = register_backend()
    assert registration.feature("refund_reads_back").supported
    assert "choose_refund_id" in abilities_of(EfiBackend).methods
    assert registration.currencies == {"BRL"}
    assert registration.absence_after is not None


def test_what_nobody_may_see_is_marked_and_everything_is_explained() -> None:
    assert {option.name for option in OPTIONS if option.secret} == SECRET_OPTIONS
    assert all(option.help for option in OPTIONS)


def test_listing_what_is_installed_loads_neither_the_sdk_nor_tls() -> None:
    code = (
        "import sys, omniman_payment_efi.plugin as plugin; plugin.register_backend(); "
        "print(sorted({'efipay', 'urllib3', 'cryptography', 'segno'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
