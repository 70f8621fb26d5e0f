"""The HTTP side of the simulator: who asks, which faults happen, and what a key stands for."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from ..common.faults import Fault, Faults
from .endpoints import Endpoints
from .errors import ApiError
from .forms import decode
from .idempotency import Asked, Keys
from .state import API_VERSION, State

LONGEST_BODY = 256 * 1024
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
}


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
        encoded = request.query_string if request.method == "GET" else text
        fault = self._faults.take(request.method, request.path)
        if fault is not None and fault.when == "before":
            early = self._before(request, fault)
            if early is not None:
                self._remember(request, encoded, early.status, None)
                return early
        answer = await self._answer(request, encoded, fault)
        if fault is not None and fault.when == "after" and fault.kind in ("drop", "reset"):
            return _hang_up(request, fault)
        return answer

    # Faults

    def _before(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        if fault.kind == "delay":
            return None
        if fault.kind == "rate_limit":
            error = ApiError(
                429,
                "rate_limit_error",
                "Too many requests hit the API too quickly. We recommend an exponential backoff of "
                "your requests.",
                code="rate_limit",
                headers={"Retry-After": str(fault.retry_after)},
            )
            return self._response(error.status, _dump(error.body), self._new_id(), error.headers)
        if fault.kind == "error":
            return self._response(fault.status, _dump(_server_error()), self._new_id())
        return _hang_up(request, fault)

    # Answers

    async def _answer(
        self, request: web.Request, encoded: str, fault: Fault | None
    ) -> web.StreamResponse:
        state, request_id = self._state, self._new_id()
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        headers: dict[str, str] = {}
        begun = False
        try:
            form = decode(encoded)
            public = self._check_key(request.headers, form)
            endpoint, ids = self.endpoints.find(request.method, request.path)
            if public and not (endpoint.public and ("client_secret" in form or not ids)):
                raise _not_for_publishable_keys()
            form.pop("key", None)
            if key is not None:
                kept = self.keys.begin(key, Asked(request.path, form), state.now())
                if kept is not None:
                    headers = {"Idempotent-Replayed": "true", "Original-Request": kept.request_id}
                    self._remember(request, encoded, kept.status, kept.body)
                    return self._response(kept.status, kept.body, request_id, headers, key)
                begun = True
            # Whoever repeats a slow request meanwhile is told that its key is in use.
            await _delay(fault, "before")
            state.key, state.request_id = key, request_id
            status, body = 200, _dump(endpoint.answer(form, *ids))
            keep = True
        except ApiError as error:
            status, body, keep, headers = error.status, _dump(error.body), error.kept, error.headers
        if fault is not None and fault.kind == "error" and fault.when == "after":
            status, body, keep = fault.status, _dump(_server_error()), True
        await _delay(fault, "after")
        if key is not None and begun:
            if keep:
                self.keys.keep(key, status, body, state.now(), request_id)
            else:
                self.keys.forget(key)
        self._remember(request, encoded, status, body)
        return self._response(status, body, request_id, headers, key)

    def _check_key(self, headers: Mapping[str, str], form: dict[str, Any]) -> bool:
        """Whether it is the publishable key; raises for one that is nobody's."""
        scheme, _, key = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            key = str(form.get("key") or "")
        if key == self._api_key:
            return False
        if key == self._publishable_key:
            return True
        if not key:
            raise ApiError(
                401,
                "invalid_request_error",
                "You did not provide an API key. You need to provide your API key in the "
                "Authorization header, using Bearer auth.",
                kept=False,
            )
        raise ApiError(
            401, "invalid_request_error", f"Invalid API Key provided: {_masked(key)}", kept=False
        )

    def _response(
        self,
        status: int,
        body: bytes,
        request_id: str,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> web.Response:
        sent = {
            "Content-Type": "application/json",
            "Request-Id": request_id,
            "Stripe-Version": API_VERSION,
            "Stripe-Should-Retry": "true" if status in (409, 429) else "false",
            **_CORS,
            **(headers or {}),
        }
        if key is not None:
            sent["Idempotency-Key"] = key
        return web.Response(status=status, body=body, headers=sent)

    def _new_id(self) -> str:
        return self._state.new_id("req").replace("_3", "_")[:18]

    def _remember(
        self, request: web.Request, encoded: str, status: int, body: bytes | None
    ) -> None:
        self.requests.append(
            {
                "method": request.method,
                "path": request.path,
                "params": decode(encoded),
                "form": encoded,
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
