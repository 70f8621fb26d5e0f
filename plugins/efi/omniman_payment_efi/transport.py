"""Calls Efi for one account: pooled TLS with our certificate, a token, deadlines, sorted errors.

Made for threads: the only state is the pool of connections and the token. Nothing is sent
twice, but for a request that was turned away because its token was no longer good.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import urlencode

import urllib3
from urllib3 import exceptions as broken

from omniman_payment_core.errors import (
    ConfigurationError,
    NotAttemptedError,
    OutcomeUnknownError,
)

from .certificates import CertificateError, client_context, problem_with, read_identity
from .config import Config
from .deadlines import DeadlineSocket, answer_within
from .endpoints import AUTHORIZE, PRODUCTION, SANDBOX, Endpoint
from .errors import problem_of, sorted_problem
from .tokens import Token, Tokens

CONNECT_TIMEOUT = 5
LARGEST_ANSWER = 8 * 1024 * 1024
CONNECTIONS = 32

# RFC 6750, section 2.1; and nothing else can stand in a header.
_TOKEN = re.compile(r"[!-~]{1,16384}")

_NEVER_SENT = (broken.NewConnectionError, broken.ConnectTimeoutError, broken.NameResolutionError)
_REFUSES_US = ("CERTIFICATE_REQUIRED", "UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_EXPIRED",
               "CERTIFICATE_REVOKED", "CERTIFICATE_UNKNOWN", "ACCESS_DENIED",
               "HANDSHAKE_FAILURE")  # fmt: skip


class _Connection(urllib3.connection.HTTPSConnection):
    """Fails in one way where it does not come about, its handshake included: nothing was sent."""

    def connect(self) -> None:
        try:
            super().connect()
        except broken.NewConnectionError:
            raise
        except (OSError, broken.HTTPError) as error:
            self.close()
            raise broken.NewConnectionError(self, "the connection did not come about") from error


class _Pool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Connection


class Transport:
    """One account's way to Efi.

    :param now: aware UTC; by it the certificate is valid and a ``Retry-After`` date is near.
    :param monotonic: seconds, by which a token grows old.
    """

    def __init__(
        self, config: Config, now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._config = config
        self._now = now
        self._base = config.base_url or (SANDBOX if config.sandbox else PRODUCTION)
        self._tokens = Tokens(self._fetch_token, monotonic)
        self._pool: urllib3.PoolManager | None = None
        self._opening = threading.Lock()

    def call(
        self,
        endpoint: Endpoint,
        path: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """One call; the object that Efi answered.

        :raises PaymentError: sorted by what to do next.
        :raises RefusedError: the gateway's final no.
        :raises TakenError: the name is used already.
        """
        url = endpoint.path(path or {}) + (f"?{urlencode(query)}" if query else "")
        token = self._tokens.current()
        status, answered, retry_after = self._send(endpoint, url, token, body, headers)
        if status == 401:
            # Turned away at the door: the token ended early, or was withdrawn.
            token = self._tokens.current(instead_of=token)
            status, answered, retry_after = self._send(endpoint, url, token, body, headers)
            if status == 401:
                self._credentials_refused(problem_of(status, answered).said)
        if 200 <= status < 300:
            if isinstance(answered, dict):
                return answered
            if status == 204:
                return {}
        raise sorted_problem(
            problem_of(status, answered, retry_after), changes=endpoint.changes, now=self._now()
        )

    def close(self) -> None:
        """Give back the connections; a later call opens new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.clear()

    # One request

    def _send(
        self,
        endpoint: Endpoint,
        url: str,
        token: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
    ) -> tuple[int, object, str]:
        try:
            return self._exchange(
                endpoint.method, url, {**(headers or {}), "Authorization": f"Bearer {token}"}, body
            )
        except _NEVER_SENT as error:
            self._not_connected(error)
        except broken.SSLError as error:
            self._tls_failed(error.args[0] if error.args else None, harmless=not endpoint.changes)
        except broken.HTTPError as error:
            # What only reads cannot have had an effect.
            lost = OutcomeUnknownError if endpoint.changes else NotAttemptedError
            raise lost(f"no answer from Efi: {type(error).__name__}") from None

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> tuple[int, object, str]:
        sent = {"Accept": "application/json", "User-Agent": "omniman-payment-efi", **headers}
        if body is not None:
            sent["Content-Type"] = "application/json"
        connections = self._connections()
        answer_within(self._config.timeout)
        response = connections.request(
            method,
            self._base + url,
            body=None if body is None else json.dumps(body).encode(),
            headers=sent,
            redirect=False,
            retries=False,
            preload_content=False,
        )
        data = response.read(LARGEST_ANSWER + 1, decode_content=True)
        whole = len(data) <= LARGEST_ANSWER
        if not whole:
            # What was not read to its end cannot be used for another request.
            response.close()
        response.release_conn()
        return (
            response.status,
            _object(data) if whole else None,
            response.headers.get("Retry-After", ""),
        )

    def _connections(self) -> urllib3.PoolManager:
        """Opened by the first call: a certificate that went bad stops payments, not the process."""
        with self._opening:
            if self._pool is None:
                self._pool = self._open()
            return self._pool

    def _open(self) -> urllib3.PoolManager:
        config = self._config
        try:
            identity = read_identity(config.certificate, config.certificate_password)
            problem = problem_with(identity, self._now())
            if problem is not None:
                raise CertificateError(problem)
            context = client_context(identity, config.ca_certificate)
            context.sslsocket_class = DeadlineSocket
        except CertificateError as error:
            raise ConfigurationError(f'option "{error.option}" {error}') from None
        pool = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            ssl_context=context,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=config.timeout),
        )
        pool.pool_classes_by_scheme = {"https": _Pool}
        return pool

    # The token

    def _fetch_token(self) -> Token:
        """A new one; whatever goes wrong here, the call that needs it was not attempted."""
        config = self._config
        basic = urllib3.make_headers(basic_auth=f"{config.client_id}:{config.client_secret}")
        body = {"grant_type": "client_credentials"}
        try:
            status, answered, retry_after = self._exchange(
                AUTHORIZE.method, AUTHORIZE.route, {"Authorization": basic["authorization"]}, body
            )
        except _NEVER_SENT as error:
            self._not_connected(error)
        except broken.SSLError as error:
            self._tls_failed(error.args[0] if error.args else None, harmless=True)
        except broken.HTTPError as error:
            raise NotAttemptedError(f"no token from Efi: {type(error).__name__}") from None
        if status == 200 and isinstance(answered, dict):
            text, seconds = answered.get("access_token"), answered.get("expires_in")
            if isinstance(text, str) and _TOKEN.fullmatch(text):
                return Token(text, seconds if type(seconds) is int else 3600)
        problem = problem_of(status, answered, retry_after)
        if status in (400, 401, 403):
            self._credentials_refused(problem.said)
        if status == 429:
            limited = sorted_problem(problem, changes=False, now=self._now())
            raise limited
        raise NotAttemptedError(f"no token from Efi: {problem.said}")

    def _credentials_refused(self, said: str) -> NoReturn:
        where = "the test environment" if self._config.sandbox else "production"
        raise ConfigurationError(
            f"{said}; client_id, client_secret and certificate have to belong to one application "
            f"of {where} (option sandbox is {self._config.sandbox})"
        )

    def _not_connected(self, error: Exception) -> NoReturn:
        """No connection came about, so nothing was sent: why, as far as a person can help it."""
        cause = error.__cause__
        if isinstance(cause, ssl.SSLError):
            self._tls_failed(cause, harmless=True)
        raise NotAttemptedError(f"no connection to Efi: {type(cause or error).__name__}") from None

    def _tls_failed(self, cause: object, *, harmless: bool) -> NoReturn:
        """A certificate that is not accepted, ours or theirs; or a connection that broke."""
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise ConfigurationError(
                f"the server at {self._base} has a certificate that is not vouched for "
                f"({cause.verify_message}); no request was sent"
            ) from None
        reason = getattr(cause, "reason", None) or ""
        if any(word in reason for word in _REFUSES_US):
            # Under TLS 1.3 this only shows when the answer is read; nobody has read the request.
            where = "the test environment" if self._config.sandbox else "production"
            raise ConfigurationError(
                f'Efi does not accept option "certificate" in {where} ({reason}); take the one '
                "that its panel gives for this application and environment"
            ) from None
        lost = NotAttemptedError if harmless else OutcomeUnknownError
        raise lost("no answer from Efi: the TLS connection broke") from None


def _object(data: bytes) -> object:
    """The JSON of an answer, or ``None``."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
