"""What only shows at a gateway that remembers: addresses, faults, late payments, slow returns."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from efi_testing.certificates import authority
from efi_testing.clock import Clock
from efi_testing.scripted_server import ca_file
from efi_testing.simulated import account
from omniman_payment_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    RateLimitedError,
)
from omniman_payment_core.values import DeclineCode, PaymentStatus, RefundStatus
from omniman_payment_efi import EfiBackend
from omniman_payment_simulators.pix import PixSimulator

S = PaymentStatus
KEY = "omp_pay-1_charge"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PixSimulator]:
    shops_ca = ca_file(tmp_path_factory.mktemp("shop"), "Shop")
    with PixSimulator(shops_ca=shops_ca) as running:
        yield running


@pytest.fixture
def simulator(running: PixSimulator) -> PixSimulator:
    running.control.reset()
    return running


@pytest.fixture(scope="module")
def clock() -> Clock:
    """The simulator's as well: it does not go back either."""
    return Clock()


@pytest.fixture
def backend(simulator: PixSimulator, clock: Clock) -> Iterator[EfiBackend]:
    backend = account(simulator, now=clock)
    yield backend
    backend.close()


def opened(backend: EfiBackend, order_ref: str = "O1", amount_q: int = 1000, **more: Any) -> str:
    result = backend.charge(amount_q, "BRL", order_ref, more)
    assert (result.success, result.status) == (True, S.PENDING)
    assert result.transaction_id is not None
    return result.transaction_id


def advance(simulator: PixSimulator, clock: Clock, seconds: int) -> None:
    simulator.control.advance(seconds)
    clock.advance(timedelta(seconds=seconds))


# -- faults --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop", "reset"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_charge_is_met_again_under_its_key(
    simulator: PixSimulator, backend: EfiBackend, kind: str, when: str
) -> None:
    simulator.control.fault(kind=kind, when=when, method="PUT")
    with pytest.raises(OutcomeUnknownError):
        backend.charge(1000, "BRL", "O1", {}, idempotency_key=KEY)
    result = backend.charge(1000, "BRL", "O1", {}, idempotency_key=KEY)
    assert result.transaction_id == backend.choose_transaction_id(KEY)
    simulator.control.pay(result.transaction_id)
    assert simulator.control.moved("O1") == 1000


def test_a_gateway_that_is_overwhelmed_says_when_to_come_again(
    simulator: PixSimulator, backend: EfiBackend
) -> None:
    simulator.control.fault(kind="rate_limit", when="before", method="PUT", retry_after=7)
    with pytest.raises(RateLimitedError) as caught:
        backend.charge(1000, "BRL", "O1", {}, idempotency_key=KEY)
    assert caught.value.retry_after == 7
    assert backend.charge(1000, "BRL", "O1", {}, idempotency_key=KEY).success


@pytest.mark.parametrize("how", [{"kind": "error", "status": 500}, {"kind": "html"}])
def test_an_error_page_leaves_a_change_unknown_and_a_read_harmless(
    simulator: PixSimulator, backend: EfiBackend, how: dict[str, Any]
) -> None:
    number = opened(backend)
    simulator.control.fault(**how, when="after", method="PATCH")
    with pytest.raises(OutcomeUnknownError):
        backend.cancel(number)
    simulator.control.fault(**how, when="before", method="GET")
    with pytest.raises(NotAttemptedError):
        backend.get_status(number)
    assert backend.get_status(number).status is S.CANCELLED


def test_tokens_that_the_gateway_forgot_are_replaced_without_a_word(
    simulator: PixSimulator, backend: EfiBackend
) -> None:
    number = opened(backend)
    issued = simulator.control.tokens_issued()
    simulator.control.expire_tokens()
    assert backend.get_status(number).success
    assert simulator.control.tokens_issued() == issued + 1


def test_eight_threads_that_charge_with_one_key_make_one_charge(
    simulator: PixSimulator, backend: EfiBackend, clock: Clock
) -> None:
    together = threading.Barrier(8)

    def charge(_: int) -> str | None:
        together.wait(20)
        return backend.charge(1000, "BRL", "O1", {}, idempotency_key=KEY).transaction_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(charge, range(8)))) == 1
    listed = backend.list_transactions(clock() - timedelta(minutes=5))
    assert len(listed) == 1
    assert simulator.control.tokens_issued() == 1


# -- late and odd payments -----------------------------------------------------------------


def test_a_payment_that_was_on_its_way_counts_after_the_end(
    simulator: PixSimulator, backend: EfiBackend, clock: Clock
) -> None:
    number = opened(backend, expires_in_seconds=60)
    advance(simulator, clock, 300)
    assert backend.get_status(number).status is S.EXPIRED
    simulator.control.pay(number, in_flight=True)
    seen = backend.get_status(number)
    assert (seen.status, seen.captured_q) == (S.CAPTURED, 1000)


def test_a_payment_that_was_on_its_way_counts_after_a_withdrawal(
    simulator: PixSimulator, backend: EfiBackend
) -> None:
    number = opened(backend)
    assert backend.cancel(number).status is S.CANCELLED
    simulator.control.pay(number, in_flight=True)
    assert backend.get_status(number).captured_q == 1000
    assert backend.refund(number, 1000).success
    assert simulator.control.moved("O1") == 0


def test_a_charge_that_was_paid_cannot_be_withdrawn(
    simulator: PixSimulator, backend: EfiBackend
) -> None:
    number = opened(backend)
    simulator.control.pay(number)
    result = backend.cancel(number)
    assert (result.success, result.error_code) == (False, DeclineCode.ALREADY_CAPTURED)
    assert (result.status, result.captured_q) == (S.CAPTURED, 1000)


def test_a_charge_is_withdrawn_once_and_stays_so(backend: EfiBackend) -> None:
    number = opened(backend)
    for _ in range(2):
        result = backend.cancel(number)
        assert (result.success, result.status) == (True, S.CANCELLED)


@pytest.mark.parametrize(("amount_q", "status"), [(400, S.PARTIALLY_CAPTURED), (1500, S.CAPTURED)])
def test_what_was_paid_counts_and_not_what_was_asked(
    simulator: PixSimulator, backend: EfiBackend, amount_q: int, status: PaymentStatus
) -> None:
    number = opened(backend)
    simulator.control.pay(number, amount_q)
    seen = backend.get_status(number)
    assert (seen.status, seen.captured_q, seen.amount_q) == (status, amount_q, 1000)


# -- returns -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status", "moved"),
    [("DEVOLVIDO", RefundStatus.SUCCEEDED, 700), ("NAO_REALIZADO", RefundStatus.FAILED, 1000)],
)
def test_a_return_that_waits_is_settled_later(
    simulator: PixSimulator,
    backend: EfiBackend,
    word: str,
    status: RefundStatus,
    moved: int,
) -> None:
    number = opened(backend)
    simulator.control.pay(number)
    simulator.control.returns("wait")
    result = backend.refund(number, 300, idempotency_key=KEY)
    assert (result.success, result.status) == (True, S.PENDING)
    seen = backend.get_status(number)
    assert seen.metadata is not None
    (e2eid,) = seen.metadata["end_to_end_ids"]
    simulator.control.settle_return(e2eid, str(result.reference), word)
    seen = backend.get_status(number)
    assert seen.refunds is not None
    assert [(r.reference, r.status) for r in seen.refunds] == [(result.reference, status)]
    assert simulator.control.moved("O1") == moved
    again = backend.refund(number, 300, idempotency_key=KEY)
    assert again.success == (status is RefundStatus.SUCCEEDED)
    assert simulator.control.moved("O1") == moved


def test_a_return_that_the_gateway_cannot_carry_out_is_a_refusal(
    simulator: PixSimulator, backend: EfiBackend
) -> None:
    number = opened(backend)
    simulator.control.pay(number)
    simulator.control.returns("refuse")
    result = backend.refund(number, 300, idempotency_key=KEY)
    assert (result.success, result.error_code) == (False, DeclineCode.REFUND_REFUSED)
    assert simulator.control.moved("O1") == 1000


def test_another_amount_under_a_refunds_key_moves_nothing(
    simulator: PixSimulator, backend: EfiBackend
) -> None:
    number = opened(backend)
    simulator.control.pay(number)
    assert backend.refund(number, 300, idempotency_key=KEY).success
    with pytest.raises(InvalidRequestError, match="another amount"):
        backend.refund(number, 400, idempotency_key=KEY)
    assert simulator.control.moved("O1") == 700


def test_a_refund_of_all_can_be_repeated_when_nothing_is_left(
    simulator: PixSimulator, backend: EfiBackend
) -> None:
    number = opened(backend)
    simulator.control.pay(number)
    for _ in range(2):
        assert backend.refund(number, idempotency_key=KEY).success
    assert simulator.control.moved("O1") == 0


# -- accounts ------------------------------------------------------------------------------


def test_two_accounts_never_meet(
    simulator: PixSimulator, backend: EfiBackend, clock: Clock
) -> None:
    other_key = "aaaaaaaa-54af-4172-a516-a7d1a12b75cc"
    simulator.control.add_account("Client_Id_other", "Client_Secret_other", other_key)
    other = account(
        simulator,
        client_id="Client_Id_other",
        client_secret="Client_Secret_other",
        pix_key=other_key,
        now=clock,
    )
    opened(backend, "O1")
    second = opened(other, "O2")
    since = clock() - timedelta(minutes=5)
    assert [r.transaction_id for r in other.list_transactions(since)] == [second]
    with pytest.raises(InvalidRequestError):
        backend.get_status(second)
    other.close()


def test_credentials_that_are_nobodys_pause_the_account(simulator: PixSimulator) -> None:
    backend = account(simulator, client_secret="Client_Secret_planted")
    with pytest.raises(ConfigurationError) as caught:
        backend.charge(1000, "BRL", "O1", {})
    assert "planted" not in str(caught.value)
    backend.close()


# -- notifications -------------------------------------------------------------------------


@dataclass
class Shop:
    """Where notifications arrive: what the endpoint of a shop would hand to the backend."""

    url: str = ""
    arrived: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    one_more: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int) -> None:
        with self.one_more:
            assert self.one_more.wait_for(lambda: len(self.arrived) >= count, 20)


@contextmanager
def shop(simulator: PixSimulator, *, mutual: bool) -> Iterator[Shop]:
    """An https endpoint; ``mutual``: only for who shows the gateway's client certificate."""
    shop = Shop()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            headers[":query"] = self.path.partition("?")[2]
            headers[":peer"] = self.client_address[0]
            if mutual:
                headers["x-ssl-client-verify"] = "SUCCESS"
            with shop.one_more:
                shop.arrived.append((headers, body))
                shop.one_more.notify_all()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Tests are quiet."""

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Who comes without a certificate is turned away."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority("Shop").issue_cert("127.0.0.1").configure_cert(context)
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(str(simulator.webhook_ca_certificate))
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    shop.url = f"https://127.0.0.1:{server.server_address[1]}/payments/webhooks/efi/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


MODES: dict[str, dict[str, Any]] = {
    "hmac": {"webhook_mode": "hmac"},
    "mtls": {"webhook_mode": "mtls", "webhook_proxies": ["127.0.0.1"]},
}


@pytest.mark.parametrize("mode", MODES)
def test_a_registered_address_gets_notifications_that_are_believed(
    simulator: PixSimulator, clock: Clock, mode: str
) -> None:
    backend = account(simulator, now=clock, **MODES[mode])
    with shop(simulator, mutual=mode == "mtls") as endpoint:
        registered = backend.register_webhook(endpoint.url)
        assert registered.url.startswith(endpoint.url)
        tried = len(endpoint.arrived)
        for headers, body in endpoint.arrived:
            assert list(backend.parse_webhook(headers, body)) == []
        number = opened(backend)
        simulator.control.pay(number)
        endpoint.wait_for(tried + 1)
        headers, body = endpoint.arrived[-1]
        assert [event.transaction_id for event in backend.parse_webhook(headers, body)] == [number]
        told = [event.event_id for event in backend.parse_webhook(headers, body)]
        since = clock() - timedelta(minutes=5)
        assert [event.event_id for event in backend.poll_events(since)] == told
        backend.remove_webhook()
        assert backend.registered_webhook() is None
    backend.close()


def test_an_address_that_lets_anybody_in_is_not_registered_for_certificates(
    simulator: PixSimulator,
) -> None:
    backend = account(simulator, **MODES["mtls"])
    with (
        shop(simulator, mutual=False) as endpoint,
        pytest.raises(ConfigurationError, match="not registered"),
    ):
        backend.register_webhook(endpoint.url)
    assert backend.registered_webhook() is None
    backend.close()
