"""The SDK's client for one account: its own connections, deadlines, and nothing sent twice.

The only module that sets up the SDK. The engine repeats calls, so the SDK must not.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import requests
import stripe
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)

from .config import Config
from .connections import SureAdapter

CONNECT_TIMEOUT = 5

# Sends the shop's platform and timings to Stripe, and writes an identifying file into the home
# folder of whoever runs the worker. The SDK has no switch for it that is not global.
stripe.enable_telemetry = False


_calls = threading.local()


class _NotOurCalls(logging.Filter):
    """Keeps out of the log what the SDK would tell of our calls: whole requests and answers."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not getattr(_calls, "ours", False)


_QUIET = _NotOurCalls()


@contextmanager
def unlogged() -> Iterator[None]:
    """The SDK writes nothing of this thread's calls; the engine has a line for each of them.

    Its own would show payers and what lets somebody else finish a payment. What the shop itself
    does with the SDK is logged as before.
    """
    # Each time, because a shop may have made its logging anew; it is added once.
    logging.getLogger("stripe").addFilter(_QUIET)
    _calls.ours = True
    try:
        yield
    finally:
        _calls.ours = False


class NeverSentError(stripe.APIConnectionError):
    """No connection came about: Stripe certainly knows nothing of the request."""


class _Session(requests.Session):
    """Connections that lead where we asked for, and nowhere else."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        # Stripe redirects no call. Whoever does would get the request's body a second time, and
        # an answer from there would count as Stripe's.
        return None


class Transport(stripe.RequestsClient):
    """The SDK's transport; also says when a request never left, and closes for all threads."""

    def __init__(self, timeout: int) -> None:
        super().__init__(timeout=(CONNECT_TIMEOUT, timeout))
        self._open: list[requests.Session] = []
        self._opening = threading.Lock()

    def request(  # type: ignore[override]  # the SDK's own RequestsClient differs in the same way
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request over this thread's connection."""
        if getattr(self._thread_local, "session", None) is None:
            self._thread_local.session = self._new_session()
        return super().request(method, url, headers, post_data)

    def close(self) -> None:
        """Close the connections of every thread; a later request opens new ones."""
        with self._opening:
            sessions, self._open = self._open, []
        self._thread_local = threading.local()
        for session in sessions:
            session.close()

    def _new_session(self) -> requests.Session:
        session = _Session()
        # Otherwise an entry for the host in somebody's .netrc takes the place of the API key.
        session.auth = _keep_authorization
        for scheme in ("https://", "http://"):
            session.mount(scheme, SureAdapter(pool_connections=1, pool_maxsize=1, max_retries=0))
        with self._opening:
            self._open.append(session)
        return session

    def _handle_request_error(self, e: Exception) -> NoReturn:
        if _never_sent(e):
            raise NeverSentError(  # type: ignore[no-untyped-call]
                f"no connection to Stripe: {type(e).__name__}"
            ) from e
        super()._handle_request_error(e)


def make_client(config: Config) -> tuple[stripe.StripeClient, Transport]:
    """A client for the account, and what its connections are closed with."""
    transport = Transport(config.timeout)
    client = stripe.StripeClient(
        config.api_key,
        stripe_version=config.api_version,
        max_network_retries=0,
        base_addresses={"api": config.base_url} if config.base_url else None,
        http_client=transport,
    )
    return client, transport


def _keep_authorization(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _never_sent(error: Exception) -> bool:
    """Whether the connection itself failed. Anything later may have reached Stripe."""
    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)):
        return True
    if not isinstance(error, requests.exceptions.ConnectionError):
        return False
    reason: object = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(
        reason, (NewConnectionError, ConnectTimeoutError, NameResolutionError, ProxyError)
    )
