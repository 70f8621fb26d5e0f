"""What a shop's page loads and calls: the stand-in for Stripe.js, from any origin."""

from __future__ import annotations

import re
from importlib.resources import files

from aiohttp import web

SCRIPT = "/js/stripe.js"
_ASKED_BY_THE_PAGE = re.compile(r"/_simulator/payment_intents/\w+/authenticate")
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
}


def add_to(app: web.Application) -> None:
    """Serve the script, and let a page of another origin answer the simulated bank."""
    app.router.add_get(SCRIPT, _script)
    app.router.add_route("OPTIONS", "/_simulator/payment_intents/{id}/authenticate", _preflight)
    app.on_response_prepare.append(_allow_every_origin)


async def _script(_: web.Request) -> web.Response:
    text = files(__package__).joinpath("static/stripe.js").read_text("utf-8")
    return web.Response(text=text, content_type="text/javascript", charset="utf-8")


async def _preflight(_: web.Request) -> web.Response:
    return web.Response(status=204)


async def _allow_every_origin(request: web.Request, response: web.StreamResponse) -> None:
    if request.path == SCRIPT or _ASKED_BY_THE_PAGE.fullmatch(request.path):
        response.headers.update(_CORS)
