"""The endpoint of gateways: one verdict for whatever cannot be verified, 2xx once it is stored.

No session, no cookie, no CSRF token: a gateway has none of them. Nothing that a request says
is believed; a verified one wakes the payment's ``payment.sync``.
"""

from __future__ import annotations

import logging

import django.db
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables

from . import intake
from .body import BodyRefusedError, read_body
from .rejections import rejections

_ACCEPTED = 200
_RETRY_AFTER_SECONDS = "30"


@csrf_exempt
@transaction.non_atomic_requests
@sensitive_variables()
def webhook(request: HttpRequest, account: str, rest: str = "") -> HttpResponse:
    """Take one notification for ``account``; ``rest`` is what the gateway appended."""
    if request.method != "POST":
        return _answer(405, Allow="POST")
    if not _is_json(request.META.get("CONTENT_TYPE", "")):
        return _answer(415)
    try:
        receiver = intake.receiver_of(account)
    except intake.NotReadyError:
        return _answer(503, **{"Retry-After": _RETRY_AFTER_SECONDS})
    if receiver is None:
        rejections.count("(unknown)", "no such account, or one without webhooks")
        return _answer(404)
    try:
        body = read_body(request)
    except BodyRefusedError as refused:
        rejections.count(receiver.name, refused.reason)
        return _answer(refused.status)
    events = intake.verify(receiver, _headers_of(request), body)
    if events is None:
        return _answer(400)
    try:
        intake.accept(receiver, events, body, pushed=True)
    except intake.FullError:
        cause = "too much comes that concerns no payment"
        rejections.count(receiver.name, cause, level=logging.ERROR)
        return _answer(503, **{"Retry-After": _RETRY_AFTER_SECONDS})
    except django.db.Error as error:
        cause = f"it could not be stored ({type(error).__name__})"
        rejections.count(receiver.name, cause, level=logging.ERROR)
        return _answer(503, **{"Retry-After": _RETRY_AFTER_SECONDS})
    return _answer(_ACCEPTED)


def _answer(status: int, **headers: str) -> HttpResponse:
    """An answer without a body: it tells a stranger nothing."""
    response = HttpResponse(status=status, headers=headers, content_type="text/plain")
    # Django would write a line for every answer from 400 up: a flood of them, for a forger.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _is_json(content_type: str) -> bool:
    """JSON, or nothing said; a body that claims to be a form is not a notification."""
    essence = content_type.partition(";")[0].strip().lower()
    return essence in ("", "application/json") or (
        essence.startswith("application/") and essence.endswith("+json")
    )


def _headers_of(request: HttpRequest) -> dict[str, str]:
    """The HTTP headers in lower case, and two names that no header can have.

    ``:query`` is the raw query string, where some gateways put their token, and ``:peer``
    the address the connection came from, as the server saw it.
    """
    meta = request.META
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in meta.items()
        if name.startswith("HTTP_") and isinstance(value, str)
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if meta.get(name):
            headers[name.replace("_", "-").lower()] = str(meta[name])
    headers[":query"] = meta.get("QUERY_STRING", "")
    headers[":peer"] = meta.get("REMOTE_ADDR", "")
    return headers
