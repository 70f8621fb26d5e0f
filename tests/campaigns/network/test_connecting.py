"""Where no connection comes about nothing was attempted, and no request has left."""

from __future__ import annotations

import socket
import ssl
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from omniman_payment_core.errors import ConfigurationError, NotAttemptedError, PaymentError

from . import servers
from .exchanges import LONG, MARGIN, SHORT
from .servers import Greeting, Heard, listening, with_tls
from .sides import Side, connecting_within

NOT_VOUCHED_FOR: dict[str, Callable[[], ssl.SSLContext]] = {
    "expired": servers.expired,
    "not yet valid": servers.not_yet_valid,
    "of another host": servers.of_another_host,
    "of a stranger": servers.of_a_stranger,
    "signed by itself": servers.signed_by_itself,
}
NO_HANDSHAKE: dict[str, Greeting] = {
    "a plain answer": servers.plain_answer,
    "nonsense": servers.nonsense,
    "hangs up": servers.hangs_up,
    "resets": servers.resets,
}


@pytest.fixture(params=["stripe", "efi"])
def side(request: pytest.FixtureRequest) -> Side:
    found: Side = request.getfixturevalue(f"{request.param}_behind_proxy")
    return found


def call(side: Side, url: str, budget: float = LONG) -> type[Exception]:
    """What a call that would move money ends with, at an address; within its budget."""
    doing = side.operations["charge"]()
    with connecting_within(budget):
        backend = side.backend(budget, url)
        began = time.monotonic()
        try:
            with pytest.raises(PaymentError) as caught:
                doing.call(backend)
        finally:
            backend.close()
    assert time.monotonic() - began < budget + MARGIN
    assert doing.effect() == 0
    return caught.type


def refuses_for_good(side: Side) -> Any:
    """Efi's plugin tells a person that a certificate has to be put right; both send nothing."""
    return ConfigurationError if side.name == "efi" else NotAttemptedError


@pytest.mark.parametrize("context", NOT_VOUCHED_FOR.values(), ids=NOT_VOUCHED_FOR)
def test_a_server_that_nobody_vouches_for_is_told_nothing(
    side: Side, context: Callable[[], ssl.SSLContext]
) -> None:
    heard = Heard()
    with listening(with_tls(context(), heard), heard) as url:
        assert call(side, url) is refuses_for_good(side)
    assert heard.bytes == 0


@pytest.mark.parametrize("greet", NO_HANDSHAKE.values(), ids=NO_HANDSHAKE)
def test_a_server_that_does_not_speak_tls_is_told_nothing(side: Side, greet: Greeting) -> None:
    heard = Heard()
    with listening(greet, heard) as url:
        assert call(side, url) is NotAttemptedError


def test_a_server_of_an_old_protocol_is_told_nothing(side: Side) -> None:
    heard = Heard()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = servers.of_an_old_protocol()
    with listening(with_tls(context, heard), heard) as url:
        assert call(side, url) in (NotAttemptedError, refuses_for_good(side))
    assert heard.bytes == 0


def test_a_server_that_never_shakes_hands_is_given_up_in_time(side: Side) -> None:
    heard = Heard()
    with listening(servers.is_silent(heard), heard) as url:
        assert call(side, url, SHORT) is NotAttemptedError


@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"]
)
def test_our_certificate_is_not_accepted_and_that_is_told(
    efi_behind_proxy: Side, version: ssl.TLSVersion
) -> None:
    heard = Heard()
    context = servers.demanding(version, trustme.CA())
    with listening(with_tls(context, heard), heard) as url:
        assert call(efi_behind_proxy, url) is ConfigurationError
    assert heard.bytes == 0


def test_a_certificate_is_wanted_that_stripes_plugin_has_not(stripe_behind_proxy: Side) -> None:
    heard = Heard()
    context = servers.demanding(ssl.TLSVersion.TLSv1_2, servers.trusted())
    with listening(with_tls(context, heard), heard) as url:
        assert call(stripe_behind_proxy, url) is NotAttemptedError
    assert heard.bytes == 0


def test_a_refused_connection_is_not_attempted(side: Side) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert call(side, f"https://127.0.0.1:{closed.getsockname()[1]}") is NotAttemptedError


def test_a_name_that_leads_nowhere_is_not_attempted(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def unknown(host: Any, *args: Any, **how: Any) -> Any:
        if "invalid" in str(host):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *args, **how)

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert call(side, "https://gateway.invalid") is NotAttemptedError
