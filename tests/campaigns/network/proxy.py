"""A proxy on loopback that spoils one exchange: at the handshake, in the request or in the answer.

It ends TLS itself, so that it knows where messages begin and end. In front of that stands a
second listener which sees bytes only; it spoils handshakes.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import threading
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

TOXICS = (
    "latency", "bandwidth", "slow_close", "timeout", "slicer", "limit_data", "reset_peer",
)  # fmt: skip
POSITIONS = ("connect", "request", "answer")
PATIENCE = 20.0
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Spoiling:
    """What happens to the first exchange that fits."""

    toxic: str
    position: str
    request: str = ""
    """How the request begins that is meant, where others may come before it."""
    share: float = 0.5
    """Where in a message it begins: in the middle, unless somebody rolls the dice."""


class ToxicProxy:
    """Stands before one server; :meth:`spoil` arms it, :meth:`heal` lets go what it holds."""

    def __init__(
        self, upstream: tuple[str, int], ours: ssl.SSLContext, theirs: ssl.SSLContext | None
    ) -> None:
        self._upstream = upstream
        self._ours, self._theirs = ours, theirs
        self._loop = asyncio.new_event_loop()
        self._spoiling: Spoiling | None = None
        self._over = asyncio.Event()
        self._done = threading.Event()
        self._inner_port = 0
        self._writers: list[Writer] = []
        self.port = 0
        self.struck = 0

    @property
    def url(self) -> str:
        return f"https://{_HOST}:{self.port}"

    def spoil(self, spoiling: Spoiling) -> None:
        """The next exchange that fits meets this."""
        self._done.clear()
        self.struck = 0
        self._loop.call_soon_threadsafe(self._arm, spoiling)

    def heal(self) -> None:
        """Everything that was held goes its way; returns when it has arrived."""
        assert self.struck == 1, "nothing was spoiled"
        self._loop.call_soon_threadsafe(self._over.set)
        assert self._done.wait(PATIENCE), "the spoiled exchange never ended"

    def _arm(self, spoiling: Spoiling) -> None:
        self._over = asyncio.Event()
        self._spoiling = spoiling

    def _strikes(self, position: str, head: bytes = b"") -> Spoiling | None:
        spoiling = self._spoiling
        if spoiling is None or spoiling.position != position:
            return None
        if head and not head.startswith(spoiling.request.encode()):
            return None
        self._spoiling = None
        self.struck += 1
        return spoiling

    # Bytes: the front

    async def _front(self, reader: Reader, writer: Writer) -> None:
        self._writers.append(writer)
        spoiling = self._strikes("connect")
        try:
            back_reader, back_writer = await asyncio.open_connection(_HOST, self._inner_port)
            self._writers.append(back_writer)
            up = asyncio.ensure_future(_pump(reader, back_writer))
            try:
                if spoiling is None:
                    await _pump(back_reader, writer)
                else:
                    await self._spoil_handshake(spoiling, back_reader, writer)
            finally:
                up.cancel()
                _close(back_writer)
        except OSError:
            pass
        finally:
            _close(writer)
            if spoiling is not None:
                self._done.set()

    async def _spoil_handshake(self, spoiling: Spoiling, reader: Reader, writer: Writer) -> None:
        first = await reader.read(65536)
        cut = max(1, int(len(first) * spoiling.share)) if spoiling.toxic != "latency" else 0
        if not await self._pass_on(spoiling.toxic, first, cut, writer, gentle_close=False):
            return
        self._done.set()
        await _pump(reader, writer)

    # Messages: behind the front

    async def _inner(self, reader: Reader, writer: Writer) -> None:
        self._writers.append(writer)
        server: tuple[Reader, Writer] | None = None
        try:
            while (head := await _head(reader)) is not None:
                if server is None or server[0].at_eof():
                    server = await asyncio.open_connection(*self._upstream, ssl=self._theirs)
                    self._writers.append(server[1])
                if not await self._exchange(head, reader, writer, *server):
                    return
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            _close(writer)
            if server is not None:
                _close(server[1])

    async def _exchange(
        self, head: bytes, reader: Reader, writer: Writer, from_server: Reader, to_server: Writer
    ) -> bool:
        """One request and its answer; says whether the connection serves on."""
        asking = self._strikes("request", head)
        answering = self._strikes("answer", head) if asking is None else None
        try:
            if asking is not None:
                whole = head + await _body(head, reader)
                cut = max(1, int(len(whole) * asking.share))
                if not await self._pass_on(asking.toxic, whole, cut, to_server, writer):
                    return False
            else:
                to_server.write(head + await _body(head, reader))
            answer = await _head(from_server)
            if answer is None:
                return False
            answer += await _body(answer, from_server)
            if answering is None:
                writer.write(answer)
                await writer.drain()
                return True
            cut = int(len(answer) * answering.share)
            return await self._pass_on(answering.toxic, answer, cut, writer, gentle_close=True)
        finally:
            if asking is not None or answering is not None:
                self._done.set()

    async def _pass_on(
        self,
        toxic: str,
        data: bytes,
        cut: int,
        writer: Writer,
        client: Writer | None = None,
        *,
        gentle_close: bool = False,
    ) -> bool:
        """Send ``data`` on as the toxic has it; says whether all of it went, and nothing broke.

        ``client`` is whose connection breaks when that is not the one which is written to.
        """
        match toxic:
            case "latency":
                writer.write(data[:cut])
                await self._over.wait()
                writer.write(data[cut:])
            case "bandwidth":
                writer.write(data[:cut])
                position = cut
                while position < len(data) and not self._over.is_set():
                    writer.write(data[position : position + 1])
                    position += 1
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._over.wait(), 0.02)
                writer.write(data[position:])
            case "slicer":
                for position in range(0, len(data), 16):
                    writer.write(data[position : position + 16])
                    await asyncio.sleep(0)
            case "slow_close":
                writer.write(data if gentle_close else data[:cut])
                await asyncio.sleep(0.02)
                return False
            case "timeout":
                writer.write(data[:cut])
                await self._over.wait()
                return False
            case "limit_data":
                writer.write(data[:cut])
                await _flush(writer)
                return False
            case "reset_peer":
                writer.write(data[:cut])
                await _flush(writer)
                _reset(client or writer)
                return False
        await _flush(writer)
        return True

    # Running

    @contextmanager
    def running(self) -> Iterator[ToxicProxy]:
        ready = threading.Event()
        stop = asyncio.Event()

        async def serve() -> None:
            inner = await asyncio.start_server(self._inner, _HOST, 0, ssl=self._ours)
            front = await asyncio.start_server(self._front, _HOST, 0)
            self._inner_port = inner.sockets[0].getsockname()[1]
            self.port = front.sockets[0].getsockname()[1]
            ready.set()
            await stop.wait()
            for server in (front, inner):
                server.close()
            mine = asyncio.current_task()
            left = [task for task in asyncio.all_tasks() if task is not mine]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for writer in self._writers:
                writer.transport.abort()
            # Once round the loop for TLS, once more for the socket below it.
            for _ in range(3):
                await asyncio.sleep(0.001)

        def run() -> None:
            self._loop.set_exception_handler(_quiet)
            self._loop.run_until_complete(serve())
            self._loop.close()

        thread = threading.Thread(target=run, daemon=True, name="toxic-proxy")
        thread.start()
        assert ready.wait(PATIENCE)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(stop.set)
            thread.join(PATIENCE)


def _quiet(loop: Any, context: dict[str, Any]) -> None:
    """Broken connections are what this is for."""


async def _pump(reader: Reader, writer: Writer) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    _close(writer)


async def _flush(writer: Writer) -> None:
    with suppress(OSError):
        await writer.drain()
    # What was written must be on its way before the connection goes.
    await asyncio.sleep(0.005)


def _close(writer: Writer) -> None:
    with suppress(OSError, RuntimeError):
        writer.close()


def _reset(writer: Writer) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _head(reader: Reader) -> bytes | None:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, OSError):
        return None


async def _body(head: bytes, reader: Reader) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return await reader.readexactly(int(value))
    return b""
