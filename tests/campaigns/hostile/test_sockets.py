"""Bytes on real sockets: whatever they are, an answer below 500, no row, and the next is served."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer

from omniman_payment_django.webhooks.body import MAX_BODY
from tests.django_web.server import Server, read_all, running_server, status_of

from .mutating import mutate
from .senders import Delivery, Sender, encoded
from .storefront import Rows, Storefront, rows, storefront

IDLE = 300
MUTATED_REQUESTS = 300
JSON = b"Content-Type: application/json"
CHUNKED = b"Transfer-Encoding: chunked"
ADDRESS = b"/payments/webhooks/stripe/"


@pytest.fixture
def shop(sqlite_database: object) -> Iterator[Storefront]:
    with storefront() as shop:
        yield shop


@pytest.fixture
def server(shop: Storefront, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    # Who connects waits for the server, and not for the kernel to try again a second later.
    monkeypatch.setattr(ThreadedWSGIServer, "request_queue_size", 2 * IDLE)
    with running_server() as started:
        yield started


@pytest.fixture
def genuine(shop: Storefront) -> Delivery:
    stripe: Sender = shop.senders[0]
    return stripe.honest(encoded(stripe.example()))


@pytest.fixture
def _unharmed(shop: Storefront, server: Server, genuine: Delivery) -> Iterator[None]:
    """Afterwards nothing has changed, and a genuine notification is still taken."""
    before: Rows = rows()
    yield
    assert rows() == before
    answer = server.send(request(*signed(genuine), length(genuine.body)), genuine.body)
    assert status_of(answer) == 200


def request(
    *headers: bytes,
    line: bytes = b"POST " + ADDRESS + b" HTTP/1.1",
    host: bytes = b"Host: localhost",
) -> bytes:
    """A request's head."""
    return b"\r\n".join([line, host, b"Connection: close", *headers]) + b"\r\n\r\n"


def length(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


def signed(delivery: Delivery) -> list[bytes]:
    headers = [f"{name}: {value}".encode("latin-1") for name, value in delivery.headers.items()]
    return [JSON, *headers]


LENGTHS = {
    "none": [],
    "negative": [b"Content-Length: -5"],
    "signed": [b"Content-Length: +2"],
    "hexadecimal": [b"Content-Length: 0x2"],
    "spaced": [b"Content-Length: 1 0"],
    "listed": [b"Content-Length: 2, 2"],
    "twice, differing": [b"Content-Length: 2", b"Content-Length: 200"],
    "empty": [b"Content-Length:"],
    "words": [b"Content-Length: all"],
    "other digits": ["Content-Length: ²".encode()],
    "underscored": [b"Content-Length: 1_0"],
    "enormous": [b"Content-Length: 999999999999999999999999"],
    "too long": [b"Content-Length: 3"],
    "chunked too": [CHUNKED, b"Content-Length: 2"],
    "chunked": [CHUNKED],
    "chunked, hidden": [b"Transfer-Encoding:  xchunked, identity"],
    "encoded": [b"Content-Encoding: gzip", b"Content-Length: 2"],
    "expecting": [b"Expect: 100-continue", b"Content-Length: 2"],
    "one more than the limit": [b"Content-Length: %d" % (MAX_BODY + 1)],
}


@pytest.mark.usefixtures("_unharmed")
@pytest.mark.parametrize("name", LENGTHS)
def test_a_length_of_any_kind_is_no_way_in(server: Server, name: str) -> None:
    answer = server.send(request(JSON, *LENGTHS[name]), b"{}")
    assert 400 <= status_of(_last(answer)) < 500


HEADS = {
    "no request at all": b"\r\n\r\n",
    "binary": bytes(range(256)) * 4,
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200 + b"\r\n\r\n",
    "an unknown method": request(line=b"BREW " + ADDRESS + b" HTTP/1.1"),
    "an unknown version": request(line=b"POST " + ADDRESS + b" HTTP/9.9"),
    "no version": b"POST " + ADDRESS + b"\r\n\r\n",
    "another site's address": request(line=b"POST http://evil.test" + ADDRESS + b" HTTP/1.1"),
    "a path out of the tree": request(line=b"POST /payments/webhooks/../../etc/ HTTP/1.1"),
    "an escaped path": request(line=b"POST /payments/webhooks/%2e%2e%2fstripe/ HTTP/1.1"),
    "a zero in the path": request(line=b"POST /payments/webhooks/%00/ HTTP/1.1"),
    "no UTF-8 in the path": request(line=b"POST /payments/webhooks/%ff%fe/ HTTP/1.1"),
    "raw bytes in the path": request(line=b"POST /payments/webhooks/\xff\xfe/ HTTP/1.1"),
    "a line break in the path": request(line=b"POST /payments/webhooks/a%0d%0ab/ HTTP/1.1"),
    "a huge path": request(line=b"POST /payments/webhooks/" + b"a" * 70_000 + b"/ HTTP/1.1"),
    "a huge query": request(line=b"POST " + ADDRESS + b"?" + b"a" * 60_000 + b" HTTP/1.1"),
    "a huge header": request(b"Stripe-Signature: " + b"t=1," * 16_000),
    "headers without end": request(*[b"X-%d: y" % number for number in range(500)]),
    "a header without a colon": request(b"Stripe-Signature"),
    "a header that goes on": request(b"Stripe-Signature: t=1\r\n ,v1=00"),
    "a signature twice": request(b"Stripe-Signature: t=1,v1=00", b"Stripe-Signature: t=2,v1=00"),
    "an underscored signature": request(b"Stripe_Signature: t=1,v1=00"),
    "a signature that is no ASCII": request(b"Stripe-Signature: t=1,v1=\xe9\xff"),
    "a zero in a header": request(b"Stripe-Signature: t=1\0,v1=00"),
    "a forged host": request(host=b"Host: evil.test"),
    "no host": request(host=b"X-No-Host: 1"),
    "a host that is none": request(host=b"Host: [::::"),
    "a forwarded client": request(b"X-Forwarded-For: 34.193.116.226", b"X-Real-IP: 127.0.0.1"),
    "a method in a header": request(b"X-HTTP-Method-Override: GET"),
    "a session": request(b"Cookie: sessionid=" + b"a" * 3000),
}


@pytest.mark.usefixtures("_unharmed")
@pytest.mark.parametrize("name", HEADS)
def test_a_head_of_any_kind_is_no_way_in(server: Server, name: str) -> None:
    answer = server.send(HEADS[name])
    # A server may also hang up on what is no request.
    assert answer == b"" or not answer.startswith(b"HTTP/") or 400 <= status_of(answer) < 500


@pytest.mark.usefixtures("_unharmed")
def test_64_kib_are_read_and_one_byte_more_is_refused(server: Server) -> None:
    most = b'"' + b"x" * (MAX_BODY - 2) + b'"'
    assert status_of(server.send(request(JSON, length(most)), most)) == 400
    more = most + b" "
    assert status_of(server.send(request(JSON, length(more)), more)) == 413


@pytest.mark.usefixtures("_unharmed")
def test_a_second_request_in_the_body_of_the_first_is_not_served(
    server: Server, genuine: Delivery
) -> None:
    hidden = request(*signed(genuine), length(genuine.body)) + genuine.body
    for headers in ([JSON, CHUNKED, b"Content-Length: 4"], [JSON, CHUNKED], [JSON]):
        answer = server.send(request(*headers), b"0\r\n\r\n" + hidden)
        assert answer.count(b"HTTP/1.1 ") <= 1
        assert 400 <= status_of(answer) < 500


@pytest.mark.usefixtures("_unharmed")
def test_who_says_nothing_more_keeps_nobody_out(server: Server, genuine: Delivery) -> None:
    idle = [server.connect() for _ in range(IDLE)]
    try:
        for connection in idle[: IDLE // 2]:
            connection.sendall(request(*signed(genuine), length(genuine.body))[:-2])
        forged = request(JSON, length(genuine.body))
        assert status_of(server.send(forged, genuine.body)) == 400
    finally:
        for connection in idle:
            connection.close()


def test_one_byte_at_a_time_is_taken(server: Server, genuine: Delivery) -> None:
    whole = request(*signed(genuine), length(genuine.body)) + genuine.body
    with server.connect() as connection:
        for position in range(len(whole)):
            connection.sendall(whole[position : position + 1])
        assert status_of(read_all(connection)) == 200


@pytest.mark.usefixtures("_unharmed")
@pytest.mark.parametrize("sent", [0, 1, 60])
def test_who_hangs_up_in_the_middle_is_not_believed(
    server: Server, genuine: Delivery, sent: int
) -> None:
    head = request(*signed(genuine), length(genuine.body))
    assert status_of(server.send(head, genuine.body[:sent])) == 400


@pytest.mark.usefixtures("_unharmed")
def test_requests_with_any_byte_changed_are_answered_below_500(
    server: Server, genuine: Delivery
) -> None:
    rng = random.Random(11)
    forged = genuine.with_header("stripe-signature", "t=1790000000,v1=" + "0" * 64)
    whole = request(*signed(forged), length(forged.body)) + forged.body
    for _ in range(MUTATED_REQUESTS):
        answer = server.send(mutate(whole, rng))
        if answer.startswith(b"HTTP/"):
            assert 400 <= status_of(answer) < 500


def _last(answer: bytes) -> bytes:
    """The answer proper, after a ``100 Continue``."""
    return answer[answer.rindex(b"HTTP/1.") :]
