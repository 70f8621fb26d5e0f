"""An account's options: every mistake is told, where and what, and no value is quoted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from efi_testing.account import CLIENT_SECRET, PASSWORD, WEBHOOK_SECRET, options
from efi_testing.certificates import DAY, as_text, client, make_client, write
from efi_testing.objects import OTHER_KEY, PIX_KEY
from omniman_payment_core.errors import BackendOptionsError
from omniman_payment_core.plugins import PaymentHooks, PaymentRegistry
from omniman_payment_efi import EfiBackend
from omniman_payment_efi.config import EFI_ADDRESS, OPTIONS, advise, check_together, read_config
from omniman_payment_efi.plugin import register_backend

DOCUMENTED = "omniman.contrib.payment.adapters.efi.EfiBackend"


def registry_of(config: dict[str, Any]) -> PaymentRegistry:
    """The account as the specification page writes it."""
    settings = {"PAYMENT_BACKENDS": {"efi": {"class": DOCUMENTED, "config": config}}}
    registry = PaymentRegistry(settings, hooks=PaymentHooks())
    registry.register_backend(register_backend())
    return registry


def problems(config: dict[str, Any]) -> list[str]:
    """What is wrong with an account's options, without the place that each sentence names."""
    registry = registry_of(config)
    try:
        _ = registry.account("efi").backend
    except BackendOptionsError as error:
        found = error
    else:
        registry.account("efi").close()
        return []
    where = 'OMNIMAN["PAYMENT_BACKENDS"]["efi"]["config"]: '
    assert all(problem.startswith(where) for problem in found.problems)
    for value in config.values():
        assert not isinstance(value, str) or len(value) < 8 or value not in str(found)
    for secret in (CLIENT_SECRET, PASSWORD, *client().secret_texts()):
        assert secret not in str(found)
    return [problem.removeprefix(where) for problem in found.problems]


def wrong(**more: Any) -> str:
    (problem,) = problems(options(**more))
    return problem


# -- what is enough ------------------------------------------------------------------------


def test_the_settings_of_the_specification_page_are_accepted_with_a_key_to_receive_on(
    tmp_path: Path,
) -> None:
    config = {
        "client_id": "Client_Id_1",
        "client_secret": "Client_Secret_1",
        "certificate": write(tmp_path, "certificate.pem", client().pem),
        "sandbox": True,
        "pix_key": PIX_KEY,
    }
    assert problems(config) == []
    account = registry_of(config).account("efi")
    assert isinstance(account.backend, EfiBackend)
    assert account.plugin == "efi"
    assert account.livemode is False
    account.close()


def test_every_option_at_once_is_accepted(tmp_path: Path) -> None:
    config = options(
        certificate=as_text(client().p12(PASSWORD)),
        certificate_password=PASSWORD,
        sandbox=True,
        former_pix_keys=[OTHER_KEY],
        account_id="loja-1",
        expires_in_seconds=900,
        shown_to_payer="Loja, pedido {order_ref}",
        webhook_mode="hmac",
        webhook_secret=WEBHOOK_SECRET,
        webhook_sources=["34.193.116.226", "2001:db8::/32"],
        webhook_proxies=["10.0.0.0/8"],
        webhook_mtls_headers={"X-Client-Verify": "SUCCESS"},
        base_url="https://127.0.0.1:8443",
        ca_certificate=str(tmp_path / "ca.pem"),
        timeout_seconds=10,
    )
    assert set(config) == {option.name for option in OPTIONS}
    assert problems(config) == []


def test_nothing_at_all_names_all_that_is_missing() -> None:
    found = problems({})
    assert [problem.split('"')[1] for problem in found] == [
        "client_id",
        "client_secret",
        "certificate",
        "pix_key",
    ]
    assert all("is missing" in problem for problem in found)


# -- single options ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        PIX_KEY,
        PIX_KEY.upper(),
        "+5511999998888",
        "12345678909",
        "12345678000195",
        "12ABC34501DE35",
        "loja@exemplo.com.br",
    ],
)
def test_every_kind_of_pix_key_is_one(key: str) -> None:
    assert problems(options(pix_key=key)) == []


@pytest.mark.parametrize(
    "key",
    [
        "123.456.789-09",
        "12.345.678/0001-95",
        "11999998888x",
        "+0511999998888",
        "loja@exemplo.com.br/..",
        "loja@exemplo .br",
        PIX_KEY[:-1],
        PIX_KEY + "\n",
        "x" * 65 + "@exemplo.br",
        "a@" + "b" * 76,
        "minha chave de teste",
    ],
)
def test_what_is_no_pix_key_is_told(key: str) -> None:
    assert wrong(pix_key=key).startswith('option "pix_key" is not a Pix key')
    assert wrong(former_pix_keys=[key]).startswith('option "former_pix_keys" is not a Pix key')


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"client_id": ""}, 'option "client_id" is empty'),
        ({"client_secret": 7}, 'option "client_secret" must be str'),
        ({"certificate": ""}, 'option "certificate" is empty'),
        ({"sandbox": "false"}, 'option "sandbox" must be bool'),
        ({"former_pix_keys": [7]}, 'option "former_pix_keys" must be a list of Pix keys'),
        ({"former_pix_keys": 7}, 'option "former_pix_keys" must be list'),
        *(
            ({"expires_in_seconds": n}, 'option "expires_in_seconds" has to be from 60 to')
            for n in (0, -1, 59, 30 * 86_400 + 1)
        ),
        ({"expires_in_seconds": 3600.0}, 'option "expires_in_seconds" must be int'),
        *(
            ({"timeout_seconds": n}, 'option "timeout_seconds" has to be from 5 to 60')
            for n in (0, 4, 61)
        ),
        ({"timeout_seconds": True}, 'option "timeout_seconds" must be int'),
        *(
            ({"shown_to_payer": text}, 'option "shown_to_payer" has a placeholder other than')
            for text in ("{order}", "{", "{}", "{order_ref.x}", "{order_ref[0]}", "}")
        ),
        ({"shown_to_payer": "x" * 101}, 'option "shown_to_payer" is longer than'),
        ({"webhook_mode": "planted-mode"}, "option \"webhook_mode\" must be one of 'mtls', 'hmac'"),
        *(
            (
                {"webhook_mode": "hmac", "webhook_secret": s},
                'option "webhook_secret" needs at least',
            )
            for s in (
                "short",
                "x" * 31,
                "has a space in it, and is long enough",
                "x" * 129,
                "with/slash/and&more",
                "ç" * 20,
            )
        ),
        *(
            ({"webhook_mode": "hmac", "webhook_secret": s}, 'option "webhook_secret" must be one')
            for s in ([], [WEBHOOK_SECRET] * 6)
        ),
        ({"webhook_secret": [7]}, 'option "webhook_secret" needs at least'),
        *(
            ({name: value}, f'option "{name}" has something that is no address')
            for name in ("webhook_sources", "webhook_proxies")
            for value in (["planted.example"], ["10.0.0.1/8"], ["10.0.0.0/33"], [None], [[]])
        ),
        *(
            ({"webhook_mtls_headers": value}, 'option "webhook_mtls_headers" must be a dict')
            for value in ({}, {"X Y": "a"}, {"x": ""}, {"x": 1}, {"a\r\nb": "c"})
        ),
        *(
            (
                {"base_url": value, "ca_certificate": "x"},
                'option "base_url" is not an https address without a query',
            )
            for value in (
                "http://127.0.0.1:1",
                "127.0.0.1",
                "https://",
                "https://a.test/?x=1",
                "https://a.test/#x",
                "https://[::1",
                "https://a.test:planted",
                "https://a.test:99999",
                "https://planted:password@a.test",
                "ftp://a.test",
            )
        ),
    ],
)
def test_a_mistake_is_named(more: dict[str, Any], said: str) -> None:
    assert wrong(**more).startswith(said)


def test_a_misspelt_option_is_named_with_its_neighbour() -> None:
    assert wrong(webhook_secrets=[WEBHOOK_SECRET]).startswith(
        'unknown option "webhook_secrets". Did you mean "webhook_secret"?'
    )


def test_every_mistake_is_told_at_once() -> None:
    assert len(problems(options(pix_key="x", timeout_seconds=1, shown_to_payer="{"))) == 3


# -- options side by side ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"webhook_mode": "hmac"}, 'option "webhook_secret" is missing'),
        ({"webhook_mode": "mtls"}, 'option "webhook_proxies" is missing'),
        (
            {"sandbox": False, "base_url": "https://planted.test"},
            'option "base_url" sends the credentials of production to another address',
        ),
        ({"ca_certificate": "planted.pem"}, 'option "ca_certificate" is only for option'),
    ],
)
def test_what_does_not_go_together_is_told(more: dict[str, Any], said: str) -> None:
    assert wrong(**more).startswith(said)


@pytest.mark.parametrize(
    "more",
    [
        {"webhook_mode": "hmac", "webhook_secret": WEBHOOK_SECRET},
        {"webhook_mode": "hmac", "webhook_secret": [WEBHOOK_SECRET, "x" * 32]},
        {"webhook_mode": "mtls", "webhook_proxies": "127.0.0.1"},
        {"webhook_mode": "mtls", "webhook_proxies": ("127.0.0.1", "::1")},
        {"sandbox": False},
        {"base_url": "https://127.0.0.1:8443/"},
    ],
)
def test_what_goes_together_is_accepted(more: dict[str, Any]) -> None:
    assert problems(options(**more)) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"certificate": "planted-none.pem"}, "names a file that does not exist"),
        ({"certificate": as_text(b"planted" * 60)}, "cannot be read: it is neither"),
        ({"certificate": as_text(client().p12(PASSWORD))}, "cannot be read: it is neither"),
        (
            {
                "certificate": as_text(client().p12(PASSWORD)),
                "certificate_password": "wrong-planted",
            },
            "cannot be read: it is neither",
        ),
        ({"certificate": as_text(client().key_pem * 2)}, "holds no certificate"),
        ({"certificate": as_text(client().chain_pem)}, "holds no private key"),
        (
            {"certificate": as_text(make_client(begins=-2 * DAY, ends=-DAY).pem)},
            "expired on",
        ),
        (
            {"certificate": as_text(make_client(begins=DAY, ends=2 * DAY).pem)},
            "is not valid before",
        ),
        ({"certificate": "planted\0path"}, ""),
    ],
)
def test_a_certificate_that_cannot_serve_is_told(more: dict[str, Any], said: str) -> None:
    assert wrong(**more).startswith(f'option "certificate" {said}')


# -- advice --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "advised"), [(1, True), (29, True), (31, False), (365, False), (-0.5, False)]
)
def test_a_certificate_that_ends_soon_is_told_in_time(days: float, advised: bool) -> None:
    pem = make_client(begins=-3 * DAY, ends=days * DAY).pem
    said = advise(options(certificate=as_text(pem)))
    assert bool(said) == advised
    if advised:
        ends = datetime.now(UTC) + days * DAY
        assert said[0].startswith(f'option "certificate" expires on {ends:%Y-%m-%d}')


def test_the_host_gets_this_advice_from_the_account() -> None:
    pem = make_client(ends=5 * DAY).pem
    account = registry_of(options(certificate=as_text(pem))).account("efi")
    (said,) = account.advice()
    assert 'option "certificate" expires on' in said


def test_notifications_from_anywhere_are_advised_against() -> None:
    config = options(webhook_mode="hmac", webhook_secret=[WEBHOOK_SECRET], webhook_sources=[])
    (said,) = advise(config)
    assert said.startswith('option "webhook_sources" is empty')
    assert WEBHOOK_SECRET not in said


def test_of_a_certificate_that_cannot_be_read_there_is_no_advice() -> None:
    assert advise(options(certificate="nowhere.pem")) == ()


def test_the_clock_of_these_looks_can_be_set() -> None:
    later = datetime.now(UTC) + timedelta(days=350)
    assert advise(options(), now=lambda: later)
    much_later = datetime.now(UTC) + timedelta(days=400)
    (problem,) = check_together(options(), now=lambda: much_later)
    assert problem.startswith('option "certificate" expired on')


# -- what comes out ------------------------------------------------------------------------


def test_no_secret_shows_in_what_is_printed() -> None:
    config = read_config(
        options(
            certificate=client().pem.decode(),
            certificate_password=PASSWORD,
            webhook_secret=[WEBHOOK_SECRET],
        )
    )
    shown = repr(config)
    for secret in (CLIENT_SECRET, PASSWORD, WEBHOOK_SECRET, *client().secret_texts()):
        assert secret not in shown


def test_what_is_left_out_has_a_sensible_value() -> None:
    config = read_config(options())
    assert (config.sandbox, config.livemode) == (True, False)
    assert (config.timeout, config.expires_in) == (20, timedelta(hours=1))
    assert config.shown_to_payer == "Pedido {order_ref}"
    assert [str(network) for network in config.webhook_sources] == [f"{EFI_ADDRESS}/32"]
    assert (config.webhook_mode, config.webhook_secrets, config.webhook_proxies) == (None, (), ())


def test_only_a_plain_false_is_production() -> None:
    assert read_config(options(sandbox=False)).livemode is True
    for value in (True, None, 0, "", "false", "no"):
        assert read_config(options(sandbox=value)).livemode is False


def test_new_credentials_are_the_same_account_if_its_owner_says_so() -> None:
    one, other = read_config(options()), read_config(options(client_id="Client_Id_two"))
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint == read_config(options(client_secret="new", sandbox=True)).fingerprint
    assert "Client" not in one.fingerprint
    named = [read_config(options(client_id=n, account_id="loja")) for n in ("a", "b")]
    assert {config.fingerprint for config in named} == {"loja"}


def test_an_address_is_a_network_of_one_and_no_slash_ends_the_base() -> None:
    config = read_config(
        options(base_url="https://a.test/", webhook_sources="10.1.2.3", webhook_proxies=["::1"])
    )
    assert config.base_url == "https://a.test"
    assert [str(n) for n in (*config.webhook_sources, *config.webhook_proxies)] == [
        "10.1.2.3/32",
        "::1/128",
    ]
