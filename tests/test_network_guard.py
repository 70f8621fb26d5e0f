"""The guard of the root conftest: tests reach loopback and nothing else."""

from __future__ import annotations

import socket

import pytest


def test_a_test_that_reaches_for_the_network_is_stopped() -> None:
    # 192.0.2.0/24 is reserved for documentation: nobody answers there.
    with socket.socket() as client, pytest.raises(RuntimeError, match=r"tried to reach 192\.0\.2"):
        client.connect(("192.0.2.1", 80))
    with socket.socket() as client, pytest.raises(RuntimeError, match="stay on loopback"):
        client.connect_ex(("192.0.2.1", 80))


def test_a_server_on_loopback_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname(), timeout=5)
        accepted, _ = server.accept()
        with client, accepted:
            client.sendall(b"hello")
            assert accepted.recv(5) == b"hello"
