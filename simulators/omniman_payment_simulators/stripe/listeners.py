"""Webhook endpoints: who is told about which events."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from .errors import unvalidated
from .intents import merged
from .records import Listener
from .state import API_VERSION, State

_KIND = re.compile(r"\*|[a-z_0-9]+(\.[a-z_0-9]+)+")


def create(state: State, given: dict[str, Any]) -> Listener:
    """``POST /v1/webhook_endpoints``."""
    _check(given)
    return add(
        state,
        given["url"],
        f"whsec_{state.new_id('x')[2:]}",
        given["enabled_events"],
        description=given.get("description"),
        metadata=merged({}, given),
    )


def add(
    state: State, url: str, secret: str, events: list[str] | None = None, **more: Any
) -> Listener:
    """Tell an address about these events, or about every one, signed with a secret of its own."""
    listener = Listener(
        id=state.new_id("we"),
        url=url,
        secret=secret,
        events=events or ["*"],
        created=state.now(),
        **more,
    )
    state.listeners[listener.id] = listener
    return listener


def update(listener: Listener, given: dict[str, Any]) -> None:
    """``POST /v1/webhook_endpoints/:id``."""
    _check(given)
    listener.url = given.get("url", listener.url)
    listener.events = given.get("enabled_events", listener.events)
    listener.description = given.get("description", listener.description)
    listener.metadata = merged(listener.metadata, given)
    listener.enabled = not given.get("disabled", not listener.enabled)


def listener_of(listener: Listener) -> dict[str, Any]:
    """A webhook endpoint; its secret is told once, to whoever made it."""
    return {
        "id": listener.id,
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": None,
        "created": listener.created,
        "description": listener.description,
        "enabled_events": list(listener.events),
        "livemode": False,
        "metadata": dict(listener.metadata),
        "status": "enabled" if listener.enabled else "disabled",
        "url": listener.url,
    }


def _check(given: dict[str, Any]) -> None:
    parts = urlsplit(given.get("url", "https://example.com"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise unvalidated(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param="url",
        )
    for place, kind in enumerate(given.get("enabled_events", ())):
        if not _KIND.fullmatch(kind):
            raise unvalidated(
                f"Invalid enabled_events: {kind} is not the name of an event.",
                code=None,
                param=f"enabled_events[{place}]",
            )
