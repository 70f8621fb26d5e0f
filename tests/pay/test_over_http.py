"""The page over a real socket: headers, body, files and language as a browser gets them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.django_web.server import Server, running_server, status_of

from .shop import SECRET, Shop


@pytest.fixture
def server(shop: Shop) -> Iterator[Server]:
    with running_server() as started:
        yield started


def get(server: Server, path: str, method: str = "GET", language: str = "pt-BR") -> bytes:
    return server.send(
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Language: {language}\r\n"
        "Connection: close\r\n\r\n".encode()
    )


def test_a_browser_gets_the_page_its_files_and_its_status(shop: Shop, server: Server) -> None:
    payment = shop.waiting()
    head, _, body = get(server, shop.url(payment)).decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200")
    assert "Content-Security-Policy: default-src 'none'; " in head
    assert "Content-Language: pt-BR" in head
    assert "Set-Cookie" not in head
    assert body.count(SECRET) == 1
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', body)
    assert len(files) == 4
    for path in files:
        assert status_of(get(server, path)) == 200, path
    answer = get(server, f"{shop.url(payment)}status/").partition(b"\r\n\r\n")[2]
    assert json.loads(answer)["title"] == "Falta concluir o pagamento"
    (sync,) = shop.syncs(payment)
    assert sync.status == "pending"


def test_head_over_a_socket_has_the_headers_and_no_body(shop: Shop, server: Server) -> None:
    head, _, body = get(server, shop.url(shop.waiting()), "HEAD").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"Cache-Control: no-store" in head
    assert body == b""


def test_a_stranger_gets_the_same_answer_for_whatever_they_try(shop: Shop, server: Server) -> None:
    payment = shop.waiting()
    for path in ("/payments/pay/x/", f"/payments/pay/{payment.order_ref}/", "/payments/pay/a.b.c/"):
        answer = get(server, path, language="en")
        assert status_of(answer) == 404
        assert b"This address is not valid" in answer
        assert payment.order_ref.encode() not in answer
