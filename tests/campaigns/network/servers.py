"""Servers with whom no TLS connection comes about, or who are none: each in its own way."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import trustme

from .sides import authority, server_context

PATIENCE = 20.0
Greeting = Callable[[socket.socket], None]
"""What a server does with a connection that it has accepted."""


class Heard:
    """What reached the server after a handshake: the bytes of requests."""

    def __init__(self) -> None:
        self.bytes = 0
        self.over = threading.Event()


def with_tls(context: ssl.SSLContext, heard: Heard) -> Greeting:
    """Shake hands, take down what is said, and hang up."""

    def greet(connection: socket.socket) -> None:
        with context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        ) as secured:
            try:
                secured.do_handshake()
            except ssl.SSLError:
                # To hang up on what was not read would take away the word that says why.
                while socket.socket.recv(secured, 65536):
                    pass
                return
            heard.bytes += len(secured.recv(65536))

    return greet


def plain_answer(connection: socket.socket) -> None:
    """Speaks HTTP where TLS is spoken."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def nonsense(connection: socket.socket) -> None:
    """Speaks nothing at all."""
    connection.recv(65536)
    connection.sendall(bytes(range(256)) * 4)


def hangs_up(connection: socket.socket) -> None:
    """Is gone before the handshake began."""


def resets(connection: socket.socket) -> None:
    """Breaks the connection in the middle of the handshake."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def is_silent(heard: Heard) -> Greeting:
    """Accepts, and never says a word."""

    def greet(connection: socket.socket) -> None:
        heard.over.wait(PATIENCE)

    return greet


@contextmanager
def listening(greet: Greeting, heard: Heard) -> Iterator[str]:
    """The server's address while it listens."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.settimeout(PATIENCE)
                greet(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        heard.over.set()
        over.set()
        with suppress(OSError):
            socket.create_connection(listener.getsockname(), 1).close()
        thread.join(PATIENCE)
        listener.close()


def expired() -> ssl.SSLContext:
    now = datetime.now(UTC)
    return server_context(not_before=now - timedelta(days=9), not_after=now - timedelta(days=1))


def not_yet_valid() -> ssl.SSLContext:
    now = datetime.now(UTC)
    return server_context(not_before=now + timedelta(days=1), not_after=now + timedelta(days=9))


def of_another_host() -> ssl.SSLContext:
    return server_context("elsewhere.invalid")


def of_a_stranger() -> ssl.SSLContext:
    return server_context(by=trustme.CA())


def signed_by_itself() -> ssl.SSLContext:
    """The authority's own certificate in place of one that an authority has signed."""
    stranger = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with stranger.private_key_pem.tempfile() as key, stranger.cert_pem.tempfile() as certificate:
        context.load_cert_chain(certificate, key)
    return context


def of_an_old_protocol() -> ssl.SSLContext:
    context = server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def demanding(version: ssl.TLSVersion, by: trustme.CA) -> ssl.SSLContext:
    """Wants a client's certificate of one authority, under one version of the protocol."""
    context = server_context()
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    by.configure_trust(context)
    return context


def trusted() -> trustme.CA:
    """What both plugins believe here."""
    return authority()
