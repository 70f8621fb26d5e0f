"""The endpoint over real sockets: whatever the bytes are, an answer below 500 and no row."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

import pytest

from omniman_payment_django.models import WebhookDelivery
from omniman_payment_django.webhooks.body import MAX_BODY

from .server import Server, read_all, running_server, status_of
from .shop import Shop

PATH = b"/payments/webhooks/shop/"


@pytest.fixture
def server(shop: Shop) -> Iterator[Server]:
    with running_server() as started:
        yield started


def head(*headers: bytes, path: bytes = PATH) -> bytes:
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def signed(headers: Mapping[str, str]) -> list[bytes]:
    return [b"Content-Type: application/json"] + [
        f"{name}: {value}".encode() for name, value in headers.items()
    ]


def length(number: int) -> bytes:
    return b"Content-Length: %d" % number


def test_a_signed_notification_is_taken(shop: Shop, server: Server) -> None:
    headers, body = shop.gateway.webhook(shop.payment().transaction_id)
    answer = server.send(head(*signed(headers), length(len(body))), body)
    assert status_of(answer) == 200
    assert b"Set-Cookie" not in answer
    assert WebhookDelivery.objects.get().status == "matched"


def test_one_byte_at_a_time_is_taken_and_keeps_nobody_else_waiting(
    shop: Shop, server: Server
) -> None:
    headers, body = shop.gateway.webhook(shop.payment().transaction_id)
    other_headers, other_body = shop.gateway.webhook(None)
    answered = threading.Event()
    with server.connect() as slow:
        slow.sendall(head(*signed(headers), length(len(body))) + body[:10])
        quick = server.send(head(*signed(other_headers), length(len(other_body))), other_body)
        answered.set()
        assert status_of(quick) == 200
        for position in range(10, len(body)):
            slow.sendall(body[position : position + 1])
        assert status_of(read_all(slow)) == 200
    assert WebhookDelivery.objects.count() == 2


def test_a_declared_length_beyond_the_limit_is_refused_without_reading(server: Server) -> None:
    # Only the head is sent: a server that waited for the body would time out.
    with server.connect() as connection:
        connection.sendall(head(b"Content-Type: application/json", length(MAX_BODY + 1)))
        assert status_of(connection.recv(65536)) == 413


def test_more_than_was_declared_is_cut_off_and_does_not_verify(shop: Shop, server: Server) -> None:
    headers, body = shop.gateway.webhook(None)
    answer = server.send(head(*signed(headers), length(len(body) - 1)), body)
    assert status_of(answer) == 400
    assert WebhookDelivery.objects.count() == 0


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ([length(100)], b"{}", 400),
        ([], b"{}", 400),
        ([b"Transfer-Encoding: chunked"], b"2\r\n{}\r\n0\r\n\r\n", 411),
        ([b"Transfer-Encoding: chunked", length(2)], b"{}", 400),
        ([b"Transfer-Encoding: chunked"], b"FFFFFFFF\r\n" + b"x" * 100_000, 411),
        ([b"Content-Length: 1e1"], b"{}", 400),
        ([length(2), b"Webhook-Signature: v1,\xe9"], b"{}", 400),
        ([length(0)], b"", 400),
    ],
)
def test_what_is_no_whole_authentic_body_is_refused_and_leaves_no_row(
    server: Server, headers: list[bytes], body: bytes, status: int
) -> None:
    answer = server.send(head(b"Content-Type: application/json", *headers), body)
    assert status_of(answer) == status
    assert WebhookDelivery.objects.count() == 0


def test_a_sender_that_hangs_up_in_the_middle_stores_nothing(shop: Shop, server: Server) -> None:
    headers, body = shop.gateway.webhook(shop.payment().transaction_id)
    with server.connect() as connection:
        connection.sendall(head(*signed(headers), length(len(body))) + body[:20])
    assert status_of(server.send(head(*signed(headers), length(len(body))), body)) == 200
    assert WebhookDelivery.objects.count() == 1


def test_idle_connections_do_not_keep_others_out(shop: Shop, server: Server) -> None:
    idle = [server.connect() for _ in range(50)]
    try:
        headers, body = shop.gateway.webhook(None)
        assert status_of(server.send(head(*signed(headers), length(len(body))), body)) == 200
    finally:
        for connection in idle:
            connection.close()
