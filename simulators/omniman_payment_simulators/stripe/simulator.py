"""The simulator as a whole: an aiohttp application, or the same on a thread for a test."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from ..common.clock import Clock
from ..common.deliveries import Deliveries, Endpoint
from ..common.faults import Faults
from ..common.running import OnThread
from . import browser
from .control import StripeControl
from .far_side import FarSide
from .http import LONGEST_BODY, Api
from .signing import signed_headers
from .state import State

API_KEY = "sk_test_simulator"
PUBLISHABLE_KEY = "pk_test_simulator"
WEBHOOK_SECRET = "whsec_simulator0123456789"
"""Known to everybody: it protects nothing here."""


def make_app(
    api_key: str = API_KEY,
    publishable_key: str = PUBLISHABLE_KEY,
    webhook_secret: str = WEBHOOK_SECRET,
    webhook_url: str = "",
) -> web.Application:
    """One simulated account with empty books."""
    clock, faults = Clock(), Faults()
    deliveries = Deliveries(signed_headers)

    def tell(event: dict[str, Any]) -> None:
        told = [each for each in state.listeners.values() if each.wants(event["type"])]
        endpoints = [Endpoint(each.url, each.secret) for each in told]
        deliveries.send(json.dumps(event, indent=2).encode(), endpoints)

    state = State(clock, tell)
    api = Api(state, faults, api_key, publishable_key)
    far_side = FarSide(state, clock, faults, deliveries, api, webhook_secret)
    app = web.Application(client_max_size=LONGEST_BODY)
    far_side.add_to(app)
    browser.add_to(app)
    app.router.add_route("*", "/v1/{path:.*}", api.handle)

    async def begin(_: web.Application) -> None:
        if webhook_url:
            far_side.listen(webhook_url)

    async def end(_: web.Application) -> None:
        await deliveries.close()

    app.on_startup.append(begin)
    app.on_cleanup.append(end)
    return app


class StripeSimulator:
    """Stripe on a free port of this machine, for the length of a ``with`` block."""

    def __init__(
        self,
        api_key: str = API_KEY,
        publishable_key: str = PUBLISHABLE_KEY,
        webhook_secret: str = WEBHOOK_SECRET,
        *,
        port: int = 0,
    ) -> None:
        self.api_key = api_key
        self.publishable_key = publishable_key
        self.webhook_secret = webhook_secret
        self._server = OnThread(
            lambda: make_app(api_key, publishable_key, webhook_secret), port=port
        )

    @property
    def url(self) -> str:
        """The base address for an SDK."""
        return self._server.url

    @property
    def control(self) -> StripeControl:
        """The far side."""
        return StripeControl(self.url)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.__exit__(kind, error, trace)
