"""What holds for every test of the repository: no network beyond loopback, patient Hypothesis."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

# Shared and slow machines would fail a rule for its time, which says nothing about the rule.
# In continuous integration Hypothesis takes its own profile, which also repeats exactly.
settings.register_profile("patient", deadline=None, print_blob=True)
if "CI" not in os.environ:
    settings.load_profile("patient")


def _is_local(family: int, address: Any) -> bool:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = str(address[0])
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """A test that reaches for the network fails at once, on a laptop and on a train alike."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def refuse_or_connect(self: socket.socket, address: Any) -> None:
        _check(self, address)
        connect(self, address)

    def refuse_or_connect_ex(self: socket.socket, address: Any) -> int:
        _check(self, address)
        return connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse_or_connect)
        patch.setattr(socket.socket, "connect_ex", refuse_or_connect_ex)
        yield


def _check(sock: socket.socket, address: Any) -> None:
    if not _is_local(sock.family, address):
        raise RuntimeError(f"a test tried to reach {address[0]}; tests stay on loopback")
