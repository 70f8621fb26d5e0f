"""The page and its status endpoint. Nothing but a ``payment.sync`` is ever caused from here.

No session and no cookie: the signed address is the whole permission.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import pgettext
from django.views.decorators.debug import sensitive_variables

from . import states
from .address import order_ref_of
from .amounts import amount_text
from .headers import protect
from .options import PayPage, pay_page
from .presenters import Presentation, presentation_of
from .situation import Situation, situation_of
from .waking import wake

_TEMPLATES = "omniman_payment_django/pay"
# A page that asks often has the gateway asked as often as any page that was open for a minute.
_ELSEWHERE_SYNC = timedelta(seconds=15)

View = Callable[[HttpRequest, str, PayPage, str, datetime], HttpResponse]


def _for_an_address(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
    """What both views share: the method, the language, and whose payment it is."""

    @wraps(view)
    @transaction.non_atomic_requests
    @sensitive_variables()
    def answer(request: HttpRequest, token: str) -> HttpResponse:
        options = pay_page()
        if request.method not in ("GET", "HEAD"):
            return _quiet(
                protect(HttpResponse(status=405, headers={"Allow": "GET, HEAD"}), options)
            )
        with translation.override(_language_of(request)):
            order_ref = order_ref_of(token)
            if order_ref is None:
                response = _not_found(options)
            else:
                response = view(request, token, options, order_ref, timezone.now())
            response.headers["Content-Language"] = _language_of_texts()
        return response

    return answer


@_for_an_address
@sensitive_variables()
def pay(
    request: HttpRequest, token: str, options: PayPage, order_ref: str, now: datetime
) -> HttpResponse:
    """The page: changes nothing, whoever opens it and however often."""
    situation, presentation = _seen(order_ref, now, options)
    state = situation.state
    amount = situation.amount_q
    context = {
        "language": _language_of_texts(),
        "order_ref": order_ref,
        "amount": None if amount is None else amount_text(amount, situation.currency),
        "state": state,
        "action": presentation,
        "expires_at": situation.waiting.expires_at if presentation and situation.waiting else None,
        "status_url": reverse("omniman_payment:pay_status", args=[token]),
        "shop_url": options.shop_url,
    }
    # Without the request: a project's context processors would open a session here.
    html = render_to_string(f"{_TEMPLATES}/page.html", context)
    return protect(HttpResponse(html), options, presentation)


@_for_an_address
@sensitive_variables()
def status(
    request: HttpRequest, token: str, options: PayPage, order_ref: str, now: datetime
) -> HttpResponse:
    """Where the payment stands, for the page's script; asking about an open one wakes its sync."""
    situation, presentation = _seen(order_ref, now, options)
    if situation.payment_id is not None and request.method == "GET":
        every = options.sync_every
        if presentation is not None and presentation.paid_elsewhere:
            every = max(every, _ELSEWHERE_SYNC)
        wake(order_ref, situation.payment_id, now, every)
    state = situation.state
    body = {
        "status": state.word,
        "step": "" if presentation is None else presentation.step,
        "done": state.done,
        "expires_in": (
            situation.waiting.seconds_left(now) if presentation and situation.waiting else None
        ),
        "tone": state.tone,
        "title": str(state.title),
        "message": str(state.message),
    }
    return protect(JsonResponse(body), options)


def _seen(order_ref: str, now: datetime, options: PayPage) -> tuple[Situation, Presentation | None]:
    """The situation, and what to show; a step that nobody can show is a state of its own."""
    situation = situation_of(order_ref, now)
    if situation.waiting is None:
        return situation, None
    presentation = presentation_of(situation.waiting, options)
    if presentation is None:
        return replace(situation, state=states.ELSEWHERE), None
    return situation, presentation


def _not_found(options: PayPage) -> HttpResponse:
    html = render_to_string(f"{_TEMPLATES}/not_found.html", {"language": _language_of_texts()})
    return _quiet(protect(HttpResponse(html, status=404), options))


def _quiet(response: Any) -> HttpResponse:
    """Django would log the path of every answer from 400 up, and the path is the permission."""
    response._has_been_logged = True
    return response  # type: ignore[no-any-return]


def _language_of(request: HttpRequest) -> str:
    """As the project's own middleware has decided, or as the browser asks."""
    chosen = getattr(request, "LANGUAGE_CODE", None)
    return str(chosen or translation.get_language_from_request(request))


def _language_of_texts() -> str:
    """The language the page really speaks: a catalogue names its own here."""
    # Translators: the code of the language that this catalogue is in, such as "pt-br".
    return pgettext("language code of the page", "en")
