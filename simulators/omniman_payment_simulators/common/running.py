"""Runs an aiohttp application on loopback: on a thread of its own, or until it is interrupted."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

HOST = "127.0.0.1"


class OnThread:
    """An application on a thread and a free port, from ``with`` to the end of the block."""

    def __init__(self, make_app: Callable[[], web.Application], port: int = 0) -> None:
        self._make_app = make_app
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _serve(self) -> None:
        runner, self.port = await start(self._make_app(), self.port)
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            await runner.cleanup()


async def start(
    app: web.Application, port: int, tls: ssl.SSLContext | None = None
) -> tuple[web.AppRunner, int]:
    """Serve an application; what stops it, and its port (a free one for 0)."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    try:
        await runner.setup()
        await web.TCPSite(runner, HOST, port, backlog=256, ssl_context=tls).start()
    except BaseException:
        # Whatever the application has begun already ends with it.
        await runner.cleanup()
        raise
    return runner, int(runner.addresses[0][1])


async def stop(runner: web.AppRunner) -> None:
    """End an application and its connections; TLS would wait for clients to say goodbye."""
    server = runner.server
    for connection in server.connections if server is not None else ():
        if connection.transport is not None:
            connection.transport.abort()
    await runner.cleanup()


async def until_interrupted(
    app: web.Application, port: int, announce: Callable[[str], None]
) -> None:
    """Serve until the process is told to end; ``announce`` is called with the URL."""
    runner, port = await start(app, port)
    announce(f"http://{HOST}:{port}")
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
