"""The documented settings are read as written, and every mistake is named at once."""

from __future__ import annotations

from typing import Any

import pytest

from omniman_payment_core.errors import BackendOptionsError
from omniman_payment_core.plugins import AccountSettings, read_settings
from omniman_payment_core.secrets import Secret

ADAPTERS = "omniman.contrib.payment.adapters"


def problems_of(settings: Any) -> list[str]:
    with pytest.raises(BackendOptionsError) as caught:
        read_settings(settings)
    for problem in caught.value.problems:
        assert problem in str(caught.value)
    return list(caught.value.problems)


def test_the_documented_block_is_read_verbatim() -> None:
    settings = read_settings(
        {
            "PAYMENT_BACKENDS": {
                "stripe": {
                    "class": f"{ADAPTERS}.stripe.StripeBackend",
                    "config": {
                        "api_key": "sk_test_1",
                        "webhook_secret": "whsec_1",
                        "currency": "brl",
                    },
                },
                "efi": {"class": f"{ADAPTERS}.efi.EfiBackend", "config": {"sandbox": True}},
                "test": {"class": f"{ADAPTERS}.mock.MockPaymentBackend"},
            },
            "DEFAULT_PAYMENT_BACKEND": "stripe",
        }
    )
    assert settings.default == "stripe"
    assert {name: account.plugin for name, account in settings.accounts.items()} == {
        "stripe": "stripe",
        "efi": "efi",
        "test": "mock",
    }
    assert settings.accounts["stripe"].config == {
        "api_key": Secret("sk_test_1"),
        "webhook_secret": Secret("whsec_1"),
        "currency": Secret("brl"),
    }


def test_an_account_without_class_and_plugin_is_of_the_plugin_with_its_name() -> None:
    settings = read_settings({"PAYMENT_BACKENDS": {"mock": {}, "second": {"plugin": "mock"}}})
    assert settings.accounts["mock"] == AccountSettings("mock", "mock")
    assert settings.accounts["second"] == AccountSettings("second", "mock")


def test_another_dotted_path_is_a_class_of_the_project() -> None:
    settings = read_settings({"PAYMENT_BACKENDS": {"own": {"class": "shop.payments.Own"}}})
    assert settings.accounts["own"] == AccountSettings("own", None, "shop.payments.Own")


def test_no_settings_are_settings_too() -> None:
    settings = read_settings({})
    assert settings.accounts == {}
    assert settings.default is None
    assert settings.hooks_disabled == frozenset()


def test_the_keys_of_others_in_the_same_dict_are_left_alone() -> None:
    assert read_settings({"STOCK": 1, "PAYMENT_BASE_URL": "x", 5: 6}).accounts == {}


def test_later_changes_of_the_dict_change_nothing() -> None:
    config = {"keys": ["first"]}
    settings = read_settings({"PAYMENT_BACKENDS": {"mock": {"config": config}}})
    config["keys"].append("second")
    assert settings.accounts["mock"].config["keys"].reveal() == ["first"]


def test_a_config_never_shows_in_a_repr() -> None:
    settings = read_settings({"PAYMENT_BACKENDS": {"mock": {"config": {"key": "planted-one"}}}})
    assert "planted-one" not in repr(settings)
    assert "planted-one" not in repr(settings.accounts["mock"].config)


def test_every_problem_is_reported_at_once_with_its_place() -> None:
    assert problems_of(
        {
            "PAYMENT_BACKEND": {},
            "PAYMENT_BACKENDS": {
                "a": {"clas": "x.Y", "config": {}},
                "b": {"class": "stripe"},
                "c": {"class": "x.Y", "plugin": "stripe"},
                "d": {"plugin": "", "config": "planted-one"},
                "e": "planted-two",
                "no spaces": {},
                "f": {"config": {1: "planted-three"}},
                "g": {"plugin": 5},
            },
            "DEFAULT_PAYMENT_BACKEND": 5,
            "PAYMENT_HOOKS_DISABLED": "audit",
        }
    ) == [
        'OMNIMAN["PAYMENT_BACKEND"] is not known. Did you mean "PAYMENT_BACKENDS"?',
        'OMNIMAN["PAYMENT_BACKENDS"]["a"] has an unknown key "clas". Did you mean "class"? '
        'Known: "class", "plugin", "config", "distribution", "version"',
        'OMNIMAN["PAYMENT_BACKENDS"]["b"]["class"] is not a dotted path such as '
        '"shop.payments.MyBackend"; for an installed plugin write "plugin" instead',
        'OMNIMAN["PAYMENT_BACKENDS"]["c"] has both "class" and "plugin"; one of them decides',
        'OMNIMAN["PAYMENT_BACKENDS"]["d"]["plugin"] is empty, not a plugin\'s name',
        'OMNIMAN["PAYMENT_BACKENDS"]["d"]["config"] is str, not a dict',
        'OMNIMAN["PAYMENT_BACKENDS"]["e"] is str, not a dict',
        'OMNIMAN["PAYMENT_BACKENDS"] has "no spaces" as an account\'s name; '
        "it can have letters, digits, - and _, at most 64",
        'OMNIMAN["PAYMENT_BACKENDS"]["f"]["config"] has a key that is not a text',
        'OMNIMAN["PAYMENT_BACKENDS"]["g"]["plugin"] is int, not a plugin\'s name',
        'OMNIMAN["DEFAULT_PAYMENT_BACKEND"] is int, not an account\'s name',
        'OMNIMAN["PAYMENT_HOOKS_DISABLED"] is not a list of observer names',
    ]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (None, "OMNIMAN is null, not a dict"),
        ({"PAYMENT_BACKENDS": ["stripe"]}, 'OMNIMAN["PAYMENT_BACKENDS"] is list, not a dict'),
        (
            {"DEFAULT_PAYMENT_BACKEND": ""},
            'OMNIMAN["DEFAULT_PAYMENT_BACKEND"] is empty, not an account\'s name',
        ),
        (
            {"PAYMENT_BACKENDS": {5: {}}},
            'OMNIMAN["PAYMENT_BACKENDS"] has int as an account\'s name; '
            "it can have letters, digits, - and _, at most 64",
        ),
    ],
)
def test_a_single_problem_stands_on_one_line(settings: Any, problem: str) -> None:
    with pytest.raises(BackendOptionsError) as caught:
        read_settings(settings)
    assert str(caught.value) == f"payment settings are wrong: {problem}"
    assert caught.value.problems == (problem,)
