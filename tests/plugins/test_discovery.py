"""What is installed is listed without importing it, and loaded only when it is named."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from omniman_payment_core import hookspecs
from omniman_payment_core.errors import (
    BackendConflictError,
    BackendLoadError,
    BackendNotFoundError,
)
from omniman_payment_core.plugins import Discovery, Installed, PaymentHooks

from .site import Site

REGISTER = """
from omniman_payment_core.contracts import BackendRegistration, Option, Feature
from omniman_payment_core.hookspecs import hookimpl
"""


def names_of(entries: tuple[Installed, ...]) -> list[str]:
    return [entry.name for entry in entries if entry.distribution.startswith("acme")]


def broken(site: Site, source: str, name: str = "acme") -> BackendLoadError:
    """What loading a backend with this source raises."""
    site.add(
        f"acme-{name}", "2.1", backends={name: f"{name}_broken"}, modules={f"{name}_broken": source}
    )
    with pytest.raises(BackendLoadError) as caught:
        Discovery().load_backend(name)
    return caught.value


def test_a_plugin_that_is_installed_and_not_named_is_never_imported(
    site: Site, discovery: Discovery, tmp_path: Path
) -> None:
    trace = tmp_path / "imported"
    trap = f"open({str(trace)!r}, 'w').close()\n"
    site.add("acme-trap", backends={"trap": "trap_plugin"}, modules={"trap_plugin": trap})
    site.add_backend("good")

    assert names_of(discovery.backends()) == ["good", "trap"]
    discovery.load_backend("good")
    assert not trace.exists()
    assert "trap_plugin" not in sys.modules

    with pytest.raises(BackendLoadError):
        discovery.load_backend("trap")
    assert trace.exists()


def test_listing_tells_distribution_version_and_module(site: Site, discovery: Discovery) -> None:
    site.add("acme-pay", "3.2", backends={"pay": "acme_pay.plugin:hooks"})

    assert discovery.find("pay") == Installed("pay", "acme_pay.plugin:hooks", "acme-pay", "3.2")


def test_the_list_is_read_once_until_it_is_forgotten(site: Site, discovery: Discovery) -> None:
    site.add_backend("first")
    before = discovery.backends()
    site.add_backend("second")
    assert discovery.backends() is before

    discovery.forget()
    assert names_of(discovery.backends()) == ["first", "second"]


def test_a_named_backend_is_loaded(site: Site, discovery: Discovery) -> None:
    site.add_backend("pay")
    assert discovery.load_backend("pay").name == "pay"


def test_an_entry_point_may_name_an_object_in_a_module(site: Site, discovery: Discovery) -> None:
    source = REGISTER + (
        "class Hooks:\n"
        "    @hookimpl\n"
        "    def register_backend(self):\n"
        "        return BackendRegistration('pay', dict)\n"
        "hooks = Hooks()\n"
    )
    site.add("acme-pay", backends={"pay": "pay_object:hooks"}, modules={"pay_object": source})
    assert discovery.load_backend("pay").name == "pay"


def test_the_first_page_of_the_guide_shows_a_plugin_that_works(
    site: Site, discovery: Discovery
) -> None:
    page = dedent((hookspecs.__doc__ or "").partition("::\n")[2].partition("An observer is")[0])
    source, _, entry_point = page.partition("# pyproject.toml")
    assert (
        '[project.entry-points."omniman_payment.backends"]\nacme = "acme_pay.plugin"' in entry_point
    )
    site.add("acme-pay", backends={"acme": "acme_guide"}, modules={"acme_guide": source})

    registration = discovery.load_backend("acme")
    assert [option.name for option in registration.options or ()] == ["api_key"]


def test_one_damaged_distribution_does_not_hide_the_others(
    site: Site, discovery: Discovery, caplog: pytest.LogCaptureFixture
) -> None:
    site.add_backend("pay")
    site.add("acme-damaged")
    damaged = site.folder / "acme_damaged-1.0.dist-info" / "entry_points.txt"
    damaged.write_bytes(b"[omniman_payment.backends]\n\xff = x\n")

    assert discovery.load_backend("pay").name == "pay"
    assert "a distribution's metadata cannot be read: UnicodeDecodeError" in caplog.text


# -- unknown names -------------------------------------------------------------------------


def test_an_unknown_name_lists_what_is_installed_and_the_nearest_spelling(
    site: Site, discovery: Discovery
) -> None:
    site.add_backend("zebrapay", version="4.0")
    with pytest.raises(BackendNotFoundError) as caught:
        discovery.load_backend("zebrapya")

    assert str(caught.value).startswith('no payment backend "zebrapya" is installed. Installed: ')
    assert '"zebrapay" (acme-zebrapay 4.0)' in str(caught.value)
    assert str(caught.value).endswith('. Did you mean "zebrapay"?')
    assert caught.value.name == "zebrapya"
    assert "zebrapay" in caught.value.known


@pytest.mark.parametrize("name", ["stripe", "efi", "mock"])
def test_a_known_gateway_that_is_not_installed_comes_with_its_pip_command(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, discovery: Discovery
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(BackendNotFoundError) as caught:
        discovery.load_backend(name)
    assert str(caught.value) == (
        f'no payment backend "{name}" is installed. Installed: none. '
        f"Install it: pip install omniman-payment-{name}"
    )


# -- conflicts -----------------------------------------------------------------------------


def test_one_name_from_two_distributions_is_never_chosen_between(
    site: Site, discovery: Discovery
) -> None:
    site.add_backend("pay", distribution="acme-pay", version="1.0")
    site.add("zeta-pay", "2.0", backends={"pay": "zeta_plugin"})
    with pytest.raises(BackendConflictError) as caught:
        discovery.load_backend("pay")
    assert str(caught.value) == (
        'payment backend "pay" is claimed by acme-pay 1.0 and zeta-pay 2.0; '
        "none of them is used: uninstall all but one"
    )
    assert caught.value.distributions == ("acme-pay 1.0", "zeta-pay 2.0")
    assert "pay_plugin" not in sys.modules


def test_one_name_twice_in_one_distribution_is_a_conflict(site: Site, discovery: Discovery) -> None:
    site.add(
        "acme-pay",
        entry_points="[omniman_payment.backends]\npay = one\npay = two\n",
    )
    with pytest.raises(BackendConflictError) as caught:
        discovery.find("pay")
    assert str(caught.value) == (
        'payment backend "pay" is declared 2 times by acme-pay 1.0; '
        "that distribution has to be mended or uninstalled"
    )


def test_one_distribution_seen_twice_is_no_conflict_and_the_first_one_counts(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, discovery: Discovery
) -> None:
    site.add_backend("pay", distribution="acme-pay", version="1.0")
    newer = Site(tmp_path / "newer")
    newer.add_backend("pay", distribution="Acme_Pay", version="2.0")
    monkeypatch.syspath_prepend(str(newer.folder))

    assert discovery.find("pay").version == "2.0"


def test_a_shadowed_copy_of_a_distribution_brings_no_backend(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, discovery: Discovery
) -> None:
    site.add_backend("pay", distribution="acme-pay", version="1.0")
    newer = Site(tmp_path / "newer")
    newer.add("acme-pay", "2.0")
    monkeypatch.syspath_prepend(str(newer.folder))

    assert not discovery.has("pay")


# -- broken plugins ------------------------------------------------------------------------


def test_an_import_that_fails_names_distribution_version_and_cause(site: Site) -> None:
    error = broken(site, "raise RuntimeError('no such luck')")
    assert str(error).startswith(
        'payment backend "acme" (acme-acme 2.1) cannot be loaded: RuntimeError: no such luck ('
    )
    assert str(error).endswith("acme_broken.py:1 in <module>)")
    assert isinstance(error.__cause__, RuntimeError)


def test_a_plugin_that_exits_while_it_is_imported_is_only_broken(site: Site) -> None:
    error = broken(site, "raise SystemExit(3)")
    assert "cannot be loaded: SystemExit: 3" in str(error)


def test_a_missing_dependency_is_told_apart_from_a_missing_module(site: Site) -> None:
    error = broken(site, "import acme_sdk_that_is_not_there")
    assert str(error) == (
        'payment backend "acme" (acme-acme 2.1) cannot be loaded: it needs the Python module '
        '"acme_sdk_that_is_not_there", which is not installed'
    )
    assert isinstance(error.__cause__, ModuleNotFoundError)


@pytest.mark.parametrize("module", ["nowhere_at_all", "nowhere_at_all.plugin", "no module at all!"])
def test_an_entry_point_to_a_module_that_does_not_exist(
    site: Site, discovery: Discovery, module: str
) -> None:
    site.add("acme-pay", backends={"pay": module})
    with pytest.raises(BackendLoadError) as caught:
        discovery.load_backend("pay")
    assert str(caught.value) == (
        f'payment backend "pay" (acme-pay 1.0) cannot be loaded: its module "{module}" does not '
        "exist; pip install --force-reinstall acme-pay"
    )


def test_an_entry_point_to_an_attribute_that_does_not_exist(
    site: Site, discovery: Discovery
) -> None:
    site.add("acme-pay", backends={"pay": "pay_empty:hooks"}, modules={"pay_empty": ""})
    with pytest.raises(BackendLoadError) as caught:
        discovery.load_backend("pay")
    assert str(caught.value) == (
        'payment backend "pay" (acme-pay 1.0) cannot be loaded: module "pay_empty" has no "hooks"'
    )


LABEL = 'payment backend "acme" (acme-acme 2.1) '


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("x = 1", "implements no hook of the payment core"),
        (
            "def register_backend(): ...",
            'implements no hook of the payment core; "register_backend" has no @hookimpl on it',
        ),
        (
            "@hookimpl\ndef register_backnd(): ...",
            'implements "register_backnd", which is no hook of the payment core. '
            'Did you mean "register_backend"?',
        ),
        (
            "@hookimpl\ndef payment_changed(change): ...",
            "registers nothing: it has no @hookimpl register_backend()",
        ),
        (
            "@hookimpl\ndef payment_changed(change): ...\n@hookimpl\ndef register_backend(): ...",
            'implements "payment_changed" beside "register_backend"; put it into a module of its '
            'own in the entry-point group "omniman_payment.hooks"',
        ),
        (
            "@hookimpl\nasync def register_backend(): ...",
            'implements "register_backend" with "async def"; write "def"',
        ),
        (
            "@hookimpl\ndef register_backend(): return {'name': 'acme'}",
            "registers a backend wrongly: register_backend() returned dict, "
            "not a BackendRegistration",
        ),
        (
            "@hookimpl\ndef register_backend(): return None",
            "registers a backend wrongly: register_backend() returned null, "
            "not a BackendRegistration",
        ),
        (
            "@hookimpl\ndef register_backend(): return BackendRegistration('other', dict)",
            'registers a backend wrongly: it registers the name "other"; '
            'the entry point calls it "acme"',
        ),
        (
            "@hookimpl\ndef register_backend():\n"
            "    return BackendRegistration('acme', dict, protocol_version=2)",
            "registers a backend wrongly: it was written for protocol 2 and this core speaks 1; "
            "upgrade the core: pip install --upgrade omniman-payment-core",
        ),
        (
            "@hookimpl\ndef register_backend():\n"
            "    return BackendRegistration('acme', dict, protocol_version=0)",
            "registers a backend wrongly: it was written for protocol 0 and this core speaks 1; "
            "upgrade the plugin",
        ),
        (
            "@hookimpl\ndef register_backend():\n"
            "    return BackendRegistration('acme', None, options=(Option('a'), Option('a')),\n"
            "        features={'partial_captur': Feature.yes()}, currencies=frozenset({'brl'}))",
            "registers a backend wrongly: 4 problems\n"
            "  - build is null, not callable\n"
            '  - option "a" is declared twice\n'
            '  - feature "partial_captur" is not known. Did you mean "partial_capture"? Known: '
            '"hold", "partial_capture", "multiple_captures", "partial_refund", '
            '"multiple_refunds", "refund_reads_back", "unpaid_expiry"\n'
            '  - currencies has no ISO 4217 code in upper case: "brl"',
        ),
        (
            "@hookimpl\ndef register_backend():\n"
            "    return BackendRegistration('acme', dict, key_window=24,\n"
            "        options=(Option('a', kind=set), 'b'))",
            "registers a backend wrongly: 3 problems\n"
            "  - key_window is not a timedelta of zero or more, nor None\n"
            '  - option "a" has an unknown kind; it can be str, int, bool, list, dict\n'
            "  - options holds str, not an Option",
        ),
    ],
)
def test_a_module_that_registers_wrongly_is_told_what_to_change(
    site: Site, source: str, text: str
) -> None:
    assert str(broken(site, REGISTER + source)) == LABEL + text


def test_a_hook_with_an_argument_too_many_is_refused(site: Site) -> None:
    error = broken(site, REGISTER + "@hookimpl\ndef register_backend(settings): ...")
    assert str(error).startswith(LABEL + "does not fit its hook: Plugin 'acme'")
    assert "settings" in str(error)


def test_a_registration_that_raises_is_told_with_its_cause(site: Site) -> None:
    error = broken(site, REGISTER + "@hookimpl\ndef register_backend(): return 1 / 0")
    assert str(error).startswith(
        LABEL + "failed in register_backend(): ZeroDivisionError: division by zero ("
    )
    assert isinstance(error.__cause__, ZeroDivisionError)


# -- observers -----------------------------------------------------------------------------

OBSERVER = """
from omniman_payment_core.hookspecs import hookimpl
@hookimpl
def payment_changed(change): ...
"""


def test_a_broken_observer_is_logged_and_counted_and_the_others_are_loaded(
    site: Site, discovery: Discovery, caplog: pytest.LogCaptureFixture
) -> None:
    site.add(
        "acme-observers",
        observers={"a_good": "observer_good", "b_bad": "observer_bad", "c_typo": "observer_typo"},
        modules={
            "observer_good": OBSERVER,
            "observer_bad": "import nowhere_to_be_found",
            "observer_typo": OBSERVER.replace("def payment_changed", "def payment_chnged"),
        },
    )
    hooks = PaymentHooks()
    with caplog.at_level(logging.ERROR):
        problems = discovery.load_observers(hooks)

    assert hooks.names == ("a_good",)
    assert hooks.failures == {("b_bad", "load"): 1, ("c_typo", "load"): 1}
    assert problems == [
        'observer "b_bad" (acme-observers 1.0) cannot be loaded: it needs the Python module '
        '"nowhere_to_be_found", which is not installed',
        'observer "c_typo" (acme-observers 1.0) implements "payment_chnged", which is no hook of '
        'the payment core. Did you mean "payment_changed"?',
    ]
    assert [record.getMessage() for record in caplog.records] == [
        f"payments go on without an observer: {problem}" for problem in problems
    ]


def test_an_observer_that_is_switched_off_is_not_even_imported(
    site: Site, discovery: Discovery, tmp_path: Path
) -> None:
    trace = tmp_path / "imported"
    source = f"open({str(trace)!r}, 'w').close()\n" + OBSERVER
    site.add("acme-observer", observers={"spy": "spy_observer"}, modules={"spy_observer": source})
    hooks = PaymentHooks(disabled=["spy"])

    assert discovery.load_observers(hooks) == []
    assert not trace.exists()
    assert hooks.names == ()


def test_an_observer_name_claimed_twice_is_not_loaded(site: Site, discovery: Discovery) -> None:
    for letter in "ab":
        site.add(
            f"acme-{letter}",
            observers={"audit": f"audit_{letter}"},
            modules={f"audit_{letter}": OBSERVER},
        )
    hooks = PaymentHooks()
    assert discovery.load_observers(hooks) == [
        'observer "audit" is claimed by acme-a 1.0 and acme-b 1.0; '
        "none of them is used: uninstall all but one"
    ]
    assert hooks.names == ()


def test_an_observer_may_not_register_a_backend(site: Site, discovery: Discovery) -> None:
    site.add(
        "acme-both",
        observers={"both": "both_plugin"},
        modules={"both_plugin": REGISTER + "@hookimpl\ndef register_backend(): ..."},
    )
    assert discovery.load_observers(PaymentHooks()) == [
        'observer "both" (acme-both 1.0) implements "register_backend", which belongs to a module '
        'in the entry-point group "omniman_payment.backends"'
    ]
