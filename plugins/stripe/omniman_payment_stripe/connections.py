"""Connections that say whether a request can have left, and answers that have to end in time.

Below the SDK and ``requests``, because neither tells: a handshake that failed looks there like
an answer that was lost, and a timeout is for each piece of an answer, however many there are.
"""

from __future__ import annotations

import http.client
import io
import time
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError


class _Within(io.RawIOBase):
    """What can be read from a socket until its time is over."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        # Its own way of reading keeps the socket open for as long as somebody reads.
        self._raw = sock.makefile("rb", buffering=0)
        seconds = sock.gettimeout()
        self._ends_at = None if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._ends_at is not None:
            left = self._ends_at - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer has not ended in its time")
            self._sock.settimeout(left)
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimelyAnswer(http.client.HTTPResponse):
    """Has to be read to its end in the time that was meant for one piece of it."""

    def __init__(self, sock: Any, *args: Any, **how: Any) -> None:
        super().__init__(sock, *args, **how)
        whole, self.fp = self.fp, io.BufferedReader(_Within(sock))
        whole.close()


if TYPE_CHECKING:
    _AnyConnection = HTTPConnection
else:
    _AnyConnection = object


class _Sure(_AnyConnection):
    """Fails in one way where it does not come about, TLS and all: then nothing was sent."""

    response_class = _TimelyAnswer

    def connect(self) -> None:
        try:
            super().connect()
        except NewConnectionError:
            raise
        except (OSError, HTTPError) as error:
            self.close()
            raise NewConnectionError(self, f"no connection: {type(error).__name__}") from error


class _PlainConnection(_Sure, HTTPConnection):
    pass


class _SecureConnection(_Sure, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class SureAdapter(HTTPAdapter):
    """An adapter of ``requests`` whose connections are these."""

    def init_poolmanager(self, *args: Any, **how: Any) -> None:
        super().init_poolmanager(*args, **how)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: Any, **how: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **how)
        manager.pool_classes_by_scheme = _POOLS
        return manager
