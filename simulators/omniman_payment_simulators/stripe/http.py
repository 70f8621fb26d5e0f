"""The HTTP side of the simulator: who asks, which faults happen, and what a key stands for."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import socket
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from ..common.faults import Fault, Faults
from .endpoints import Endpoint, Endpoints
from .errors import ApiError
from .forms import Form, decode
from .idempotency import Asked, Keys
from .state import API_VERSION, State

LONGEST_BODY = 256 * 1024
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
}


class Incoming:
    """One request as it came in."""

    def __init__(self, request: web.Request, encoded: str, number: str) -> None:
        self.request = request
        self.encoded = encoded
        self.id = number
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        self.key: str | None = key


class Api:
    """Answers requests under ``/v1``, one after the other, and remembers them."""

    def __init__(self, state: State, faults: Faults, api_key: str, publishable_key: str) -> None:
        self._state = state
        self._faults = faults
        self._api_key = api_key
        self._publishable_key = publishable_key
        self.clear()

    def clear(self) -> None:
        """Forget every key and every request."""
        self.keys = Keys()
        self.endpoints = Endpoints(self._state)
        self.requests: list[dict[str, Any]] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request, with whatever fault it meets."""
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=_CORS)
        text = (await request.read()).decode("utf-8", "replace")
        encoded = request.query_string if request.method in ("GET", "DELETE") else text
        asked = Incoming(request, encoded, self._new_id())
        fault = self._faults.take(request.method, request.path)
        if fault is not None and fault.when == "before":
            early = self._before(asked, fault)
            if early is not None:
                return early
        return await self._answer(asked, fault)

    # Faults

    def _before(self, asked: Incoming, fault: Fault) -> web.StreamResponse | None:
        if fault.kind == "delay":
            return None
        if fault.kind in ("drop", "reset"):
            self._remember(asked, 499, None)
            return _hang_up(asked.request, fault)
        if fault.kind == "error":
            return self._response(asked, fault.status, _dump(_server_error()))
        error = ApiError(
            429,
            "rate_limit_error",
            "Too many requests hit the API too quickly. We recommend an exponential backoff of "
            "your requests.",
            code="rate_limit",
            headers={"Retry-After": str(fault.retry_after)},
        )
        return self._response(asked, error.status, _dump(error.body), error.headers)

    # Answers

    async def _answer(self, asked: Incoming, fault: Fault | None) -> web.StreamResponse:
        """Carry it out. A key is in use until the answer is on its way, whatever that takes."""
        now = self._state.now()
        begun = False
        try:
            form = decode(asked.encoded)
            endpoint, ids = self._find(asked.request, form)
            if asked.key is not None:
                kept = self.keys.begin(asked.key, Asked(asked.request.path, form), now)
                if kept is not None:
                    replayed = {
                        "Idempotent-Replayed": "true",
                        "Original-Request": kept.request_id,
                    }
                    return self._response(asked, kept.status, kept.body, replayed)
                begun = True
            # Whoever repeats a slow request meanwhile is told that its key is in use.
            await _delay(fault, "before")
            self._state.key, self._state.request_id = asked.key, asked.id
            status, body, keep, headers = 200, _dump(endpoint.answer(form, *ids)), True, {}
        except ApiError as error:
            status, body, keep, headers = error.status, _dump(error.body), error.kept, error.headers
        except BaseException:
            if asked.key is not None and begun:
                self.keys.forget(asked.key)
            raise
        after = fault if fault is not None and fault.when == "after" else None
        if after is not None and after.kind == "error":
            status, body, keep = after.status, _dump(_server_error()), True
        try:
            await _delay(after, "after")
        finally:
            if asked.key is not None and begun:
                if keep:
                    self.keys.keep(asked.key, status, body, now, asked.id)
                else:
                    self.keys.forget(asked.key)
        answer = self._response(asked, status, body, headers)
        if after is not None and after.kind in ("drop", "reset"):
            _hang_up(asked.request, after)
        return answer

    def _find(self, request: web.Request, form: Form) -> tuple[Endpoint, tuple[str, ...]]:
        public = self._check_key(request.headers, form)
        endpoint, ids = self.endpoints.find(request.method, request.path)
        if public and not (endpoint.public and ("client_secret" in form or not ids)):
            raise _not_for_publishable_keys()
        form.pop("key", None)
        return endpoint, ids

    def _check_key(self, headers: Mapping[str, str], form: Form) -> bool:
        """Whether it is the publishable key; raises for one that is nobody's."""
        key = _key_in(headers.get("Authorization", "")) or str(form.get("key") or "")
        if hmac.compare_digest(key.encode(), self._api_key.encode()):
            return False
        if hmac.compare_digest(key.encode(), self._publishable_key.encode()):
            return True
        raise _unauthorized(key)

    def _response(
        self,
        asked: Incoming,
        status: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
    ) -> web.Response:
        self._remember(asked, status, body)
        sent = {
            "Content-Type": "application/json",
            "Request-Id": asked.id,
            "Stripe-Version": asked.request.headers.get("Stripe-Version", API_VERSION),
            "Stripe-Should-Retry": "true" if status in (409, 429) else "false",
            **_CORS,
            **(headers or {}),
        }
        if asked.key is not None:
            sent["Idempotency-Key"] = asked.key
        return web.Response(status=status, body=body, headers=sent)

    def _new_id(self) -> str:
        return self._state.new_id("req").replace("_3", "_")[:18]

    def _remember(self, asked: Incoming, status: int, body: bytes | None) -> None:
        request = asked.request
        self.requests.append(
            {
                "method": request.method,
                "path": request.path,
                "params": decode(asked.encoded),
                "form": asked.encoded,
                "idempotency_key": request.headers.get("Idempotency-Key"),
                "stripe_version": request.headers.get("Stripe-Version"),
                "status": status,
                "response": None if body is None else json.loads(body),
            }
        )


async def _delay(fault: Fault | None, when: str) -> None:
    if fault is not None and fault.kind == "delay" and fault.when == when:
        await asyncio.sleep(fault.seconds)


def _hang_up(request: web.Request, fault: Fault) -> web.StreamResponse:
    """End the connection without an answer; a reset is seen by the other side as an error."""
    transport = request.transport
    if transport is not None:
        if fault.kind == "reset":
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        transport.abort()
    return web.Response(status=499)


def _not_for_publishable_keys() -> ApiError:
    return ApiError(
        401,
        "invalid_request_error",
        "This API call cannot be made with a publishable API key. Please use a secret API key. You "
        "can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.",
        code="secret_key_required",
        kept=False,
    )


def _key_in(header: str) -> str:
    """The key of a Bearer header, or the user of a Basic one, as ``curl -u sk_...:`` sends it."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _unauthorized(key: str) -> ApiError:
    message = f"Invalid API Key provided: {_masked(key)}"
    if not key:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
            "https://stripe.com/docs/api#authentication for details, or we can help at "
            "https://support.stripe.com/."
        )
    return ApiError(
        401,
        "invalid_request_error",
        message,
        kept=False,
        headers={"WWW-Authenticate": 'Basic realm="Stripe"'},
    )


def _server_error() -> dict[str, Any]:
    return {
        "error": {
            "type": "api_error",
            "message": "Sorry! There was an error while talking to one of our backends.",
        }
    }


def _masked(key: str) -> str:
    return key[:8] + "*" * max(0, len(key) - 12) + key[-4:] if len(key) > 12 else "*" * len(key)


def _dump(value: Any) -> bytes:
    # Stripe's own answers are indented as well.
    return json.dumps(value, indent=2).encode()
