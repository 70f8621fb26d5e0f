"""Sends notifications to the endpoints that asked for them, again and again until one is taken."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import aiohttp

RETRIES = 8
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0
TIMEOUT = aiohttp.ClientTimeout(total=20)

Sign = Callable[[str, bytes], Mapping[str, str]]
"""From an endpoint's secret and the body to the headers; asked anew for every attempt."""

Join = Callable[[list[bytes]], bytes]
"""Makes one body of several."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who wants to be told."""

    url: str
    secret: str = field(repr=False)


@dataclass(slots=True)
class _Delivery:
    endpoint: Endpoint
    body: bytes
    attempts: int = 0


class Deliveries:
    """One background task for each notification and endpoint, from the application's loop.

    ``tls`` is for endpoints of https: with whom they talk, and whom we trust.
    """

    def __init__(self, sign: Sign, tls: Callable[[], ssl.SSLContext] | None = None) -> None:
        self._sign = sign
        self._tls = tls
        self._waiting: list[_Delivery] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.paused = False
        self.answers: list[int] = []

    def send(self, body: bytes, endpoints: Iterable[Endpoint]) -> None:
        """Tell these endpoints, now or when deliveries go on."""
        for endpoint in endpoints:
            delivery = _Delivery(endpoint, body)
            if self.paused:
                self._waiting.append(delivery)
            else:
                self._begin(delivery)

    def pause(self) -> None:
        """Keep what is sent from now on."""
        self.paused = True

    def clear(self) -> None:
        """Tell nobody any more."""
        self._waiting.clear()
        self.paused = False
        for task in self._tasks:
            task.cancel()

    def resume(self, join: Join | None = None) -> None:
        """Send what was kept, in its order; joined, if so wished, into one for each endpoint."""
        self.paused = False
        waiting, self._waiting = self._waiting, []
        if join is not None:
            bodies: dict[Endpoint, list[bytes]] = {}
            for delivery in waiting:
                bodies.setdefault(delivery.endpoint, []).append(delivery.body)
            waiting = [_Delivery(endpoint, join(kept)) for endpoint, kept in bodies.items()]
        for delivery in waiting:
            self._begin(delivery)

    async def flush(self, patience: float) -> bool:
        """Wait until nothing is on its way; says whether that came about in time."""
        while self._tasks and patience > 0:
            done, _ = await asyncio.wait(set(self._tasks), timeout=min(patience, 0.05))
            patience -= 0 if done else 0.05
        return not self._tasks

    async def close(self) -> None:
        """Give up what is on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _begin(self, delivery: _Delivery) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delivery: _Delivery) -> None:
        while not await self._attempt(delivery):
            delivery.attempts += 1
            if delivery.attempts > RETRIES:
                return
            await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2**delivery.attempts))

    async def _attempt(self, delivery: _Delivery) -> bool:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._tls() if self._tls is not None else True)
            self._session = aiohttp.ClientSession(timeout=TIMEOUT, connector=connector)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            **self._sign(delivery.endpoint.secret, delivery.body),
        }
        try:
            async with self._session.post(
                delivery.endpoint.url, data=delivery.body, headers=headers, allow_redirects=False
            ) as answer:
                self.answers.append(answer.status)
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False
