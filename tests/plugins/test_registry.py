"""Accounts are built from settings when they are needed; a channel chooses among them."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from omniman_payment_core import plugins
from omniman_payment_core.contracts import BackendRegistration, Option
from omniman_payment_core.errors import (
    BackendLoadError,
    BackendNotFoundError,
    BackendOptionsError,
    ConfigurationError,
    PaymentError,
)
from omniman_payment_core.hookspecs import hookimpl
from omniman_payment_core.plugins import (
    Account,
    PaymentHooks,
    PaymentRegistry,
    configure,
    current_registry,
    get_payment_backend,
)

from .site import Site

PLANTED = "sk_live_planted_8f3a"


@dataclass
class Channel:
    code: str = "web"
    config: Any = field(default_factory=dict)


class Page:
    """A backend written to the specification page alone."""

    closed = 0

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config

    def authorize(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: Any,
        metadata: Any = None,
    ) -> None: ...

    def capture(self, transaction_id: str, amount_q: Any = None) -> None: ...

    def charge(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: Any,
        metadata: Any = None,
    ) -> None: ...

    def refund(self, transaction_id: str, amount_q: Any = None, reason: Any = None) -> None: ...

    def get_status(self, transaction_id: str) -> None: ...


class Closing(Page):
    def close(self) -> None:
        self.closed += 1


def short(value: str) -> str | None:
    return None if len(value) < 40 else "is longer than 40 characters"


OPTIONS = (
    Option("api_key", required=True, secret=True, help="from the dashboard"),
    Option("webhook_secret", kind=list, secret=True),
    Option("mode", default="test", choices=("test", "live")),
    Option("retries", kind=int, default=2),
    Option("sandbox", kind=bool),
    Option("label", check=short),
)


def registry_of(
    settings: dict[str, Any],
    *registrations: BackendRegistration,
    hooks: PaymentHooks | None = None,
) -> PaymentRegistry:
    registry = PaymentRegistry(
        settings, hooks=hooks or PaymentHooks(), discovery=plugins.Discovery()
    )
    for registration in registrations:
        registry.register_backend(registration)
    return registry


def accounts_of(plugin: str, **configs: dict[str, Any]) -> dict[str, Any]:
    return {
        "PAYMENT_BACKENDS": {
            name: {"plugin": plugin, "config": config} for name, config in configs.items()
        }
    }


def acme(**changes: Any) -> BackendRegistration:
    return BackendRegistration(**{"name": "acme", "build": Page, "options": OPTIONS, **changes})


def refusal(registry: PaymentRegistry, name: str = "shop") -> BackendOptionsError:
    with pytest.raises(BackendOptionsError) as caught:
        registry.account(name)
    return caught.value


# -- building ------------------------------------------------------------------------------


def test_an_account_has_its_plugin_version_and_backend(site: Site) -> None:
    site.add_backend("pay", version="2.5", options="(Option('key'),)")
    registry = registry_of(accounts_of("pay", shop={"key": "value"}))
    account = registry.account("shop")

    assert (account.name, account.plugin, account.version) == ("shop", "pay", "2.5")
    assert account.backend.config == {"key": "value"}
    assert account.registration.name == "pay"
    assert "capture" in account.abilities
    assert "cancel" not in account.abilities
    assert registry.account("shop") is account


def test_nothing_is_imported_before_an_account_is_asked_for(site: Site) -> None:
    site.add_backend("pay")
    registry = registry_of(accounts_of("pay", shop={}))
    assert registry.names() == ("shop",)
    assert "pay_plugin" not in sys.modules
    assert registry.account("shop").backend is not None
    assert "pay_plugin" in sys.modules


def test_the_backend_is_built_once_by_many_threads() -> None:
    built: list[int] = []
    everybody = threading.Barrier(8)

    def build(config: Any) -> Page:
        built.append(1)
        return Page(config)

    registry = registry_of(accounts_of("acme", shop={"api_key": "k"}), acme(build=build))
    backends: list[Any] = []

    def ask() -> None:
        everybody.wait(5)
        backends.append(registry.account("shop").backend)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert built == [1]
    assert len({id(backend) for backend in backends}) == 1
    assert len(backends) == 8


def test_two_accounts_of_one_plugin_have_their_own_instances_and_options() -> None:
    registry = registry_of(
        accounts_of("acme", one={"api_key": "first"}, two={"api_key": "second", "retries": 5}),
        acme(),
    )
    one, two = registry.account("one"), registry.account("two")
    assert one.backend is not two.backend
    assert one.backend.config == {"api_key": "first", "mode": "test", "retries": 2}
    assert two.backend.config == {"api_key": "second", "mode": "test", "retries": 5}
    assert one.fingerprint != two.fingerprint


def test_a_backend_gets_copies_that_it_may_change() -> None:
    secrets = ["a-secret"]
    settings = accounts_of("acme", shop={"api_key": "k", "webhook_secret": secrets})
    registry = registry_of(settings, acme())
    registry.account("shop").backend.config["webhook_secret"].append("mine")
    registry.close()
    assert registry.account("shop").backend.config["webhook_secret"] == ["a-secret"]
    assert secrets == ["a-secret"]


def test_a_single_secret_is_a_list_of_one() -> None:
    registry = registry_of(
        accounts_of("acme", shop={"api_key": "k", "webhook_secret": "whsec"}), acme()
    )
    assert registry.account("shop").backend.config["webhook_secret"] == ["whsec"]


def test_fingerprint_and_livemode_come_from_the_backend() -> None:
    class Live(Page):
        account_fingerprint = "acct_123"
        livemode = True

    registry = registry_of(accounts_of("acme", shop={"api_key": "k"}), acme(build=Live))
    assert registry.account("shop").fingerprint == "acct_123"
    assert registry.account("shop").livemode is True


def test_without_them_the_fingerprint_is_stable_and_the_mode_is_test() -> None:
    def account() -> Account:
        return registry_of(accounts_of("acme", shop={"api_key": "k"}), acme()).account("shop")

    assert account().fingerprint == account().fingerprint
    assert len(account().fingerprint) == 16
    assert account().livemode is False


def test_a_backend_may_lack_what_its_gateway_cannot_do() -> None:
    odd = type("Odd", (Page,), {"authorize": None, "capture": None, "refund": None})
    registry = registry_of(accounts_of("acme", shop={"api_key": "k"}), acme(build=odd))
    abilities = registry.account("shop").abilities
    assert "charge" in abilities
    assert "get_status" in abilities
    assert "authorize" not in abilities


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        (
            {"account_fingerprint": ""},
            "has an account_fingerprint that is no text of 1 to 64 characters",
        ),
        (
            {"account_fingerprint": 5},
            "has an account_fingerprint that is no text of 1 to 64 characters",
        ),
        ({"livemode": "yes"}, "has a livemode that is neither True nor False"),
        (
            {"authorize": None, "charge": None},
            "built Odd, which has no authorize() and no charge()",
        ),
        ({"capture": None}, "built Odd, which has no capture() for what its authorize() holds"),
    ],
)
def test_a_backend_that_cannot_be_used_is_refused(attributes: dict[str, Any], text: str) -> None:
    odd = type("Odd", (Page,), attributes)
    registry = registry_of(accounts_of("acme", shop={"api_key": "k"}), acme(build=odd))
    with pytest.raises(BackendLoadError) as caught:
        _ = registry.account("shop").backend
    assert str(caught.value) == f'account "shop" of acme {text}'


def test_closing_gives_back_what_was_built_and_nothing_else() -> None:
    registry = registry_of(
        accounts_of("acme", one={"api_key": "k"}, two={"api_key": "k"}), acme(build=Closing)
    )
    backend = registry.account("one").backend
    registry.account("two")
    registry.close()
    registry.close()
    assert backend.closed == 1
    assert registry.account("one").backend is not backend


def test_a_backend_that_fails_to_close_does_not_keep_the_others_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stuck(Page):
        def close(self) -> None:
            raise OSError(f"stuck with {self.config['api_key']}")

    registry = registry_of(accounts_of("acme", one={"api_key": PLANTED}), acme(build=Stuck))
    last = Closing({})
    registry.use("two", last)
    for name in registry.names():
        _ = registry.account(name).backend
    with caplog.at_level(logging.ERROR):
        registry.close()
    assert last.closed == 1
    assert 'account "one" did not close: OSError: stuck with [secret] (' in caplog.text


# -- options -------------------------------------------------------------------------------


def test_every_wrong_option_is_named_at_once_and_no_value() -> None:
    registry = registry_of(
        accounts_of(
            "acme",
            shop={
                "apikey": PLANTED,
                "webhook_secret": 5,
                "mode": "production",
                "retries": True,
                "sandbox": "False",
                "label": PLANTED * 3,
            },
        ),
        acme(),
    )
    error = refusal(registry)
    place = 'OMNIMAN["PAYMENT_BACKENDS"]["shop"]["config"]'
    problems = [
        'unknown option "apikey". Did you mean "api_key"? Known: "api_key", "webhook_secret", '
        '"mode", "retries", "sandbox", "label"',
        'option "api_key" is missing (from the dashboard)',
        'option "webhook_secret" must be list, not int',
        "option \"mode\" must be one of 'test', 'live'",
        'option "retries" must be int, not bool',
        'option "sandbox" must be bool, not str',
        'option "label" is longer than 40 characters',
    ]
    assert error.problems == tuple(f"{place}: {problem}" for problem in problems)
    assert str(error) == "\n".join(
        [f"{place} is wrong for acme: 7 problems", *(f"  - {problem}" for problem in problems)]
    )


@pytest.mark.parametrize(
    ("value", "problem"), [("", "is empty"), (None, "is missing")], ids=["empty", "null"]
)
def test_an_unset_environment_variable_is_found(value: Any, problem: str) -> None:
    registry = registry_of(accounts_of("acme", shop={"api_key": value}), acme())
    assert str(refusal(registry)) == (
        'OMNIMAN["PAYMENT_BACKENDS"]["shop"]["config"] is wrong for acme: '
        f'option "api_key" {problem} (from the dashboard)'
    )


def test_options_are_checked_together_when_each_is_right() -> None:
    def check(config: Any) -> list[str]:
        return [f"api_key {config['api_key']} is not for mode {config['mode']}"]

    registry = registry_of(accounts_of("acme", shop={"api_key": PLANTED}), acme(check=check))
    assert refusal(registry).problems == (
        'OMNIMAN["PAYMENT_BACKENDS"]["shop"]["config"]: api_key [secret] is not for mode test',
    )


def test_advice_is_told_with_its_place_of_accounts_that_work_and_shows_no_secret() -> None:
    def advise(config: Any) -> list[str]:
        return [f"the certificate of {config['api_key']} ends on 2026-12-24"]

    plugin = acme(advise=advise)
    registry = registry_of(accounts_of("acme", shop={"api_key": PLANTED}, broken={}), plugin)
    assert registry.advice() == [
        'OMNIMAN["PAYMENT_BACKENDS"]["shop"]["config"]: the certificate of [secret] ends on '
        "2026-12-24",
    ]


def test_an_account_whose_plugin_has_no_advice_has_none() -> None:
    registry = registry_of(accounts_of("acme", shop={"api_key": PLANTED}), acme())
    assert registry.advice() == []


def test_a_check_that_raises_is_a_problem_without_its_text() -> None:
    def fail(value: Any) -> str | None:
        raise ValueError(value)

    options = (Option("api_key", secret=True, check=fail),)
    registry = registry_of(accounts_of("acme", shop={"api_key": PLANTED}), acme(options=options))
    assert "could not be checked: ValueError" in str(refusal(registry))

    registry = registry_of(accounts_of("acme", shop={"api_key": PLANTED}), acme(check=fail))
    assert "the options could not be checked together: ValueError" in str(refusal(registry))


# -- channels ------------------------------------------------------------------------------

SETTINGS = {
    **accounts_of("acme", one={"api_key": "k"}, two={"api_key": "k"}),
    "DEFAULT_PAYMENT_BACKEND": "two",
}


class Selects:
    @hookimpl
    def select_backend(self, channel: Any) -> str | None:
        return "one" if channel.code == "kiosk" else None


def test_a_channel_names_its_account_else_a_plugin_does_else_the_default() -> None:
    hooks = PaymentHooks()
    hooks.register(Selects(), "selects")
    registry = registry_of(SETTINGS, acme(), hooks=hooks)

    assert registry.account_for(Channel(config={"payment_backend": "one"})).name == "one"
    assert registry.account_for(Channel("kiosk")).name == "one"
    assert registry.account_for(Channel("kiosk", {"payment_backend": "two"})).name == "two"
    assert registry.account_for(Channel()).name == "two"
    assert registry.get_payment_backend(Channel()) is registry.account("two").backend


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            {"payment_backend": ""},
            'channel "web": config["payment_backend"] is empty; name one of the accounts '
            '"one", "two"',
        ),
        (
            {"payment_backend": 5},
            'channel "web": config["payment_backend"] is int; name one of the accounts '
            '"one", "two"',
        ),
        (
            {"payment_backend": "shop.payments.Backend"},
            'channel "web": config["payment_backend"]: "shop.payments.Backend" is a path to code, '
            'which only OMNIMAN["PAYMENT_BACKENDS"] can name; accounts: "one", "two"',
        ),
        (None, 'channel "web": config is null, not a dict'),
    ],
)
def test_a_channel_that_names_no_account_is_told_so(config: Any, text: str) -> None:
    registry = registry_of(SETTINGS, acme())
    with pytest.raises(ConfigurationError) as caught:
        registry.account_for(Channel(config=config))
    assert str(caught.value) == text


def test_an_unknown_account_lists_accounts_plugins_and_the_nearest_spelling(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    registry = PaymentRegistry(SETTINGS, hooks=PaymentHooks(), discovery=plugins.Discovery())
    registry.register_backend(acme())
    with pytest.raises(BackendNotFoundError) as caught:
        registry.account_for(Channel(config={"payment_backend": "tow"}))
    assert str(caught.value) == (
        'channel "web": config["payment_backend"]: there is no account "tow" in '
        'OMNIMAN["PAYMENT_BACKENDS"] and no plugin of that name. Accounts: "one", "two". '
        'Installed plugins: "acme". Did you mean "two"?'
    )
    with pytest.raises(BackendNotFoundError) as caught:
        registry.account_for(Channel(config={"payment_backend": "stripe"}))
    assert str(caught.value).endswith(
        'Installed plugins: "acme". Install it: pip install omniman-payment-stripe'
    )


def test_a_channel_without_a_choice_and_without_a_default_is_told_so() -> None:
    registry = registry_of(accounts_of("acme", one={"api_key": "k"}), acme())
    with pytest.raises(BackendNotFoundError) as caught:
        registry.account_for(Channel())
    assert str(caught.value) == (
        'channel "web": config has no "payment_backend" and there is no '
        'OMNIMAN["DEFAULT_PAYMENT_BACKEND"]; accounts: "one"'
    )


def test_an_installed_plugin_that_needs_no_option_works_without_settings(site: Site) -> None:
    site.add_backend("easy")
    registry = PaymentRegistry({}, hooks=PaymentHooks(), discovery=plugins.Discovery())
    account = registry.account_for(Channel(config={"payment_backend": "easy"}))
    assert (account.name, account.plugin) == ("easy", "easy")


def test_a_channel_cannot_leave_the_declared_accounts_for_an_installed_plugin(site: Site) -> None:
    site.add_backend("pay")
    settings = {"PAYMENT_BACKENDS": {"real": {"class": f"{__name__}.Page"}}}
    registry = PaymentRegistry(settings, hooks=PaymentHooks(), discovery=plugins.Discovery())
    with pytest.raises(BackendNotFoundError) as caught:
        registry.account_for(Channel("web", {"payment_backend": "pay"}))
    assert str(caught.value) == (
        'channel "web": config["payment_backend"]: there is no account "pay" in '
        'OMNIMAN["PAYMENT_BACKENDS"]. Accounts: "real". The plugin of that name is installed; '
        "declare an account for it in the settings to allow it."
    )
    assert "pay_plugin" not in sys.modules
    by_default = PaymentRegistry(
        {**settings, "DEFAULT_PAYMENT_BACKEND": "pay"},
        hooks=PaymentHooks(),
        discovery=plugins.Discovery(),
    )
    assert by_default.account("pay").plugin == "pay"


def test_an_installed_plugin_that_needs_options_says_which(site: Site) -> None:
    site.add_backend("hard", options="(Option('api_key', required=True),)")
    registry = PaymentRegistry({}, hooks=PaymentHooks(), discovery=plugins.Discovery())
    assert str(refusal(registry, "hard")) == (
        'OMNIMAN["PAYMENT_BACKENDS"]["hard"]["config"] is wrong for hard: '
        'option "api_key" is missing'
    )


# -- classes by dotted path ----------------------------------------------------------------

CLASSES = """
from datetime import timedelta
from tests.plugins.test_registry import Page

class Day(Page):
    key_window = timedelta(hours=6)

class Bare(Page):
    def __init__(self): self.config = None

class Optional(Page):
    def __init__(self, config=None): self.config = config

not_a_class = 5
"""


def class_registry(site: Site, name: str, **config: Any) -> PaymentRegistry:
    (site.folder / "shop_payments.py").write_text(
        CLASSES.replace("from tests.plugins.test_registry", f"from {__name__}")
    )
    return registry_of(
        {"PAYMENT_BACKENDS": {"own": {"class": f"shop_payments.{name}", "config": config}}}
    )


def test_a_class_of_the_project_is_built_with_its_config(site: Site) -> None:
    account = class_registry(site, "Page", key="v").account("own")
    assert account.backend.config == {"key": "v"}
    assert (account.plugin, account.version) == ("shop_payments.Page", "")
    assert account.registration.key_window == timedelta(hours=24)
    assert account.registration.absence_after is None
    assert account.registration.options is None


def test_a_class_may_say_how_long_keys_are_remembered(site: Site) -> None:
    account = class_registry(site, "Day").account("own")
    assert account.registration.key_window == timedelta(hours=6)


def test_a_class_that_takes_no_config_is_built_without_one(site: Site) -> None:
    assert class_registry(site, "Bare").account("own").backend.config is None
    assert class_registry(site, "Optional").account("own").backend.config == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("not_a_class", "is int, not a class"),
        ("Nothing", 'cannot be loaded: module "shop_payments" has no "Nothing"'),
        ("sub.Nothing", 'cannot be loaded: its module "shop_payments.sub" does not exist'),
    ],
)
def test_a_wrong_path_is_told_with_its_setting(site: Site, name: str, text: str) -> None:
    with pytest.raises(BackendLoadError) as caught:
        class_registry(site, name).account("own")
    place = f'OMNIMAN["PAYMENT_BACKENDS"]["own"]["class"] "shop_payments.{name}"'
    assert str(caught.value).startswith(f"{place} {text}")


# -- inline plugins and tests --------------------------------------------------------------


def test_a_ready_backend_takes_the_place_of_an_account() -> None:
    registry = registry_of(SETTINGS, acme())
    backend = Page({})
    account = registry.use("two", backend)
    assert registry.get_payment_backend(Channel()) is backend
    assert account.registration.key_window == timedelta(hours=24)
    declared = registry.use("two", backend, acme(key_window=timedelta(hours=2)))
    assert declared.registration.key_window == timedelta(hours=2)
    assert declared.plugin == "acme"


def test_an_inline_plugin_is_registered_once_and_rightly() -> None:
    registry = registry_of({}, acme(options=()))
    assert registry.account("acme").backend.config == {}
    with pytest.raises(BackendLoadError) as caught:
        registry.register_backend(acme())
    assert str(caught.value) == 'plugin "acme" is registered already'
    with pytest.raises(BackendLoadError) as caught:
        registry.register_backend(acme(name="other", build=5))
    assert str(caught.value) == ("the registration of an inline plugin: build is int, not callable")


# -- check ---------------------------------------------------------------------------------


def test_check_returns_every_problem_and_loads_only_what_is_configured(site: Site) -> None:
    site.add_backend("unused")
    settings = {
        "PAYMENT_BACKENDS": {
            "fine": {"plugin": "acme", "config": {"api_key": "k"}},
            "keyless": {"plugin": "acme", "config": {"retries": "2"}},
            "typo": {"plugin": "unusedd"},
        },
        "DEFAULT_PAYMENT_BACKEND": "fien",
        "PAYMENT_HOOKS_DISABLED": ["audti"],
    }
    site.add("acme-audit", observers={"audit": "audit_plugin"})
    registry = PaymentRegistry(settings, hooks=PaymentHooks(), discovery=plugins.Discovery())
    registry.register_backend(acme())
    problems = registry.check()

    keyless = 'OMNIMAN["PAYMENT_BACKENDS"]["keyless"]["config"]: option '
    assert problems[:2] == [
        f'{keyless}"api_key" is missing (from the dashboard)',
        f'{keyless}"retries" must be int, not str',
    ]
    assert problems[2].startswith(
        'OMNIMAN["PAYMENT_BACKENDS"]["typo"]: no payment backend "unusedd" is installed.'
    )
    assert problems[2].endswith('Did you mean "unused"?')
    assert problems[3].startswith(
        'OMNIMAN["DEFAULT_PAYMENT_BACKEND"]: there is no account "fien" in '
    )
    assert problems[3].endswith('Did you mean "fine"?')
    assert problems[4].startswith(
        'OMNIMAN["PAYMENT_HOOKS_DISABLED"] names "audti", and no such observer is installed. '
        'Did you mean "audit"?'
    )
    assert len(problems) == 5
    assert "unused_plugin" not in sys.modules


def test_check_finds_nothing_where_all_is_well() -> None:
    assert registry_of(SETTINGS, acme()).check() == []


def test_a_registry_of_its_own_loads_the_observers_and_reports_broken_ones(site: Site) -> None:
    site.add(
        "acme-observers",
        observers={"zz_bad": "zz_bad_observer", "zz_off": "zz_off_observer"},
        modules={"zz_bad_observer": "", "zz_off_observer": "raise RuntimeError"},
    )
    registry = PaymentRegistry(
        {"PAYMENT_HOOKS_DISABLED": ["zz_off"]}, discovery=plugins.Discovery()
    )
    assert registry.check() == [
        'observer "zz_bad" (acme-observers 1.0) implements no hook of the payment core'
    ]


# -- the process's registry ----------------------------------------------------------------


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(plugins, "_current", None)
    monkeypatch.setattr(plugins, "_source", None)
    yield
    if plugins._current is not None:
        plugins._current.close()


@pytest.mark.usefixtures("unconfigured")
def test_before_it_is_configured_the_registry_says_how_to() -> None:
    for ask in (current_registry, lambda: get_payment_backend(Channel())):
        with pytest.raises(ConfigurationError) as caught:
            ask()
        assert str(caught.value) == (
            "payments are not configured: call "
            "omniman_payment_core.plugins.configure(settings.OMNIMAN) once at start "
            "(a host such as the Django app does it for you)"
        )


@pytest.mark.usefixtures("unconfigured")
def test_a_host_only_says_where_the_settings_are_and_they_are_read_when_asked_for() -> None:
    settings = {"PAYMENT_BACKENDS": {"one": {"class": "x.Y"}}}
    read: list[object] = []

    def source() -> dict[str, Any]:
        read.append(1)
        return settings

    plugins.configure_by(source)
    assert read == []
    with ThreadPoolExecutor(8) as threads:
        found = {id(r) for r in threads.map(lambda _: current_registry(), range(32))}
    assert (len(found), len(read)) == (1, 1)
    settings["PAYMENT_BACKENDS"] = {"two": {"class": "x.Y"}}
    assert current_registry().names() == ("one",)
    plugins.forget()
    assert current_registry().names() == ("two",)


@pytest.mark.usefixtures("unconfigured")
def test_configuring_again_closes_what_was_before() -> None:
    first = configure({"DEFAULT_PAYMENT_BACKEND": "shop"})
    backend = Closing({})
    first.use("shop", backend)
    assert get_payment_backend(Channel()) is backend
    second = configure({})
    assert current_registry() is second
    assert backend.closed == 1


# -- secrets -------------------------------------------------------------------------------


class Leaks(Page):
    def __init__(self, config: dict[str, Any]) -> None:
        raise ValueError(f"cannot use {config}")


class LeaksOnPurpose(Page):
    def __init__(self, config: dict[str, Any]) -> None:
        try:
            raise KeyError(config["api_key"])
        except KeyError as error:
            raise ConfigurationError(f"bad key {config['api_key']}") from error


def check_leaks(config: Any) -> list[str]:
    return [f"{config} is bad"]


@pytest.mark.parametrize(
    "registration",
    [
        acme(build=Leaks),
        acme(build=LeaksOnPurpose),
        acme(check=check_leaks),
        acme(options=None, build=Leaks),
        acme(options=(Option("other"),)),
        acme(options=(Option("api_key", kind=int),)),
        acme(options=(Option("api_key", secret=True, check=lambda value: f"bad {value}"),)),
    ],
)
def test_no_secret_is_in_any_error_repr_or_traceback_with_all_its_locals(
    registration: BackendRegistration,
) -> None:
    registry = registry_of(accounts_of("acme", shop={"api_key": PLANTED}), registration)
    with pytest.raises(PaymentError) as caught:
        _ = registry.account("shop").backend
    error = caught.value
    shown = [
        str(error),
        repr(error),
        repr(vars(error)),
        repr(registry),
        repr(registry.settings),
        repr(registry.scrubber),
        *traceback.TracebackException.from_exception(error, capture_locals=True).format(),
        *registry.check(),
    ]
    assert PLANTED not in "\n".join(shown)
    assert error.__cause__ is None
    assert error.__context__ is None


def test_the_scrubber_knows_the_secrets_of_all_accounts_and_spares_other_options() -> None:
    registry = registry_of(
        accounts_of(
            "acme",
            one={"api_key": "planted-one", "label": "ordinary-label"},
            two={"api_key": "planted-two", "webhook_secret": ["planted-three", "planted-four"]},
        ),
        acme(),
    )
    text = "planted-one planted-two planted-three planted-four ordinary-label"
    assert "planted" not in registry.scrubber.text(text)
    registry.account("one")
    assert registry.scrubber.text(text) == "[secret] [secret] [secret] [secret] ordinary-label"
    assert "planted" not in repr(registry.account("one"))
