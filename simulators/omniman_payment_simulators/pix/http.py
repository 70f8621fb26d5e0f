"""Requests over mutual TLS: the token, the call, and whatever faults were ordered on the way."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import inspect
import json
import secrets
import socket
from typing import Any

from aiohttp import web

from ..common.faults import Fault, Faults
from .endpoints import Endpoints
from .errors import ApiError, efi, invalid_client, malformed, problem, unauthorized
from .records import Account
from .state import State

LONGEST_BODY = 1024 * 1024
TOKEN_LIVES = 3600
TOKEN = "/oauth/token"
SCOPES = "cob.write cob.read pix.write pix.read webhook.write webhook.read payloadlocation.read"
_PAGE = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body>nginx</body></html>"

Json = dict[str, Any]


class Api:
    """Answers one request after the other, and remembers them."""

    def __init__(self, state: State, faults: Faults, endpoints: Endpoints) -> None:
        self._state = state
        self._faults = faults
        self._endpoints = endpoints
        self.requests: list[Json] = []

    def clear(self) -> None:
        self.requests.clear()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request, from whoever has shown a client certificate."""
        text = (await request.read()).decode("utf-8", "replace")
        fault = self._faults.take(request.method, request.path)
        if fault is not None and fault.when == "before":
            if fault.kind != "delay":
                return self._broken(request, text, fault)
            await asyncio.sleep(fault.seconds)
        headers: dict[str, str] = {}
        try:
            status, body = await self._carried_out(request, text)
        except ApiError as error:
            status, body, headers = error.status, error.body, error.headers
        if fault is not None and fault.when == "after":
            if fault.kind != "delay":
                return self._broken(request, text, fault)
            await asyncio.sleep(fault.seconds)
        return self._answer(request, text, status, body, headers)

    async def _carried_out(self, request: web.Request, text: str) -> tuple[int, Json | None]:
        if request.path == TOKEN:
            return self._token(request, text)
        account = self._account(request)
        call, places = self._endpoints.find(request.method, request.path)
        body = _body(text) if request.method in ("PUT", "POST", "PATCH") else {}
        query = {name: str(value) for name, value in request.query.items()}
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = call(account, query, body, headers, *places)
        status, shown = await answer if inspect.isawaitable(answer) else answer
        return int(status), shown

    # Tokens

    def _token(self, request: web.Request, text: str) -> tuple[int, Json]:
        if request.method != "POST":
            raise efi(405, "metodo_nao_permitido", "Método não permitido para este recurso")
        client, secret = _basic(request.headers.get("Authorization", ""))
        account = self._state.accounts.get(client)
        expected = account.client_secret if account is not None else secrets.token_hex(8)
        if not hmac.compare_digest(secret.encode(), expected.encode()) or account is None:
            raise invalid_client()
        if _body(text).get("grant_type") != "client_credentials":
            raise ApiError(
                400,
                {"error": "unsupported_grant_type", "error_description": "client_credentials"},
            )
        token = secrets.token_urlsafe(24)
        self._state.tokens[token] = (client, self._state.now() + TOKEN_LIVES)
        self._state.issued += 1
        return 200, {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIVES,
            "scope": SCOPES,
        }

    def _account(self, request: web.Request) -> Account:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        client, ends_at = self._state.tokens.get(token, ("", 0.0))
        account = self._state.accounts.get(client)
        if scheme.lower() != "bearer" or account is None or self._state.now() >= ends_at:
            raise unauthorized()
        return account

    # Answers

    def _answer(
        self,
        request: web.Request,
        text: str,
        status: int,
        body: Json | None,
        headers: dict[str, str] | None = None,
    ) -> web.Response:
        self._remember(request, text, status, body)
        if body is None:
            return web.Response(status=status)
        return web.json_response(
            body, status=status, headers=headers, content_type=content_type_of(body)
        )

    def _broken(self, request: web.Request, text: str, fault: Fault) -> web.StreamResponse:
        """What came instead of an answer."""
        match fault.kind:
            case "rate_limit":
                body = efi(429, "limite_de_requisicoes", "Limite de requisições atingido").body
                headers = {"Retry-After": str(fault.retry_after)}
                return self._answer(request, text, 429, body, headers)
            case "error":
                return self._answer(request, text, fault.status, _failure(fault.status))
            case "html":
                self._remember(request, text, fault.status, None)
                return web.Response(status=fault.status, body=_PAGE, content_type="text/html")
        self._remember(request, text, 499, None)
        transport = request.transport
        if transport is not None:
            if fault.kind == "reset":
                sock = transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            transport.abort()
        return web.Response(status=499)

    def _remember(self, request: web.Request, text: str, status: int, body: Json | None) -> None:
        if request.path == TOKEN:
            # Neither credentials nor tokens are shown to anybody.
            body = None if body is None else {k: v for k, v in body.items() if k != "access_token"}
        try:
            sent: Any = json.loads(text) if text else None
        except (ValueError, RecursionError):
            sent = text
        self.requests.append(
            {
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "headers": {
                    name: value
                    for name, value in request.headers.items()
                    if name.lower() not in ("authorization", "cookie")
                },
                "body": sent,
                "status": status,
                "response": body,
                "content_type": "" if body is None else content_type_of(body),
            }
        )


def content_type_of(body: Json) -> str:
    """RFC 7807 has one of its own."""
    return "application/problem+json" if "title" in body else "application/json"


def _failure(status: int) -> Json:
    """What is answered by a side that fails: the application, or what stands before it."""
    if status == 503:
        text = "Serviço não está disponível no momento."
        return problem(503, "ServicoIndisponivel", "Serviço Indisponível", text).body
    return efi(status, "erro_aplicacao", "Ocorreu um erro na aplicação").body


def _body(text: str) -> Json:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise malformed(("type", "", "não é um JSON")) from None
    if not isinstance(read, dict):
        raise malformed(("type", "", "deve ser um objeto"))
    return read


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client, secret
