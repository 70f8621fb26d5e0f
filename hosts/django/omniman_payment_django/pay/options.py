"""``settings.OMNIMAN["PAY_PAGE"]``, read and checked: every problem at once, with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from omniman_payment_django.conf import omniman

PAY_PAGE = "PAY_PAGE"

# Each version of Stripe.js keeps its own address; another one is a matter of the setting.
STRIPE_JS = "https://js.stripe.com/dahlia/stripe.js"

BUILT_IN = {
    "confirm_with_client_secret/stripe": "omniman_payment_django.pay.stripe.StripePresenter",
    "show_qr": "omniman_payment_django.pay.qr.QrPresenter",
}

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_DIRECTIVE = re.compile(r"[a-z]+-src(-elem|-attr)?")
_SOURCE = re.compile(r"[^\s;,]+")
_YEAR = 366 * 24 * 3600


@dataclass(frozen=True, slots=True)
class PayPage:
    """The page's options, each with a default that serves a shop as it is."""

    valid_for: timedelta = timedelta(hours=24)
    """How long an address is believed after it was made."""
    sync_every: timedelta = timedelta(seconds=4)
    """How often, at most, open pages have the gateway asked about one payment."""
    stripe_js: str = STRIPE_JS
    shop_url: str = ""
    """Where "back to the shop" leads; without it the page has no such link."""
    presenters: Mapping[str, str] = field(default_factory=lambda: dict(BUILT_IN))
    """Dotted paths by ``kind`` or ``kind/provider`` of a ``next_action``."""
    csp: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Sources that the shop's own templates or storage need on top."""


def pay_page() -> PayPage:
    """The options in force; raises ``ImproperlyConfigured`` with all that is wrong with them."""
    stated = omniman().get(PAY_PAGE, {})
    problems = list(problems_of(stated))
    if problems:
        raise ImproperlyConfigured("; ".join(problems))
    options: dict[str, Any] = {}
    for name, value in stated.items():
        match name:
            case "valid_for_seconds":
                options["valid_for"] = timedelta(seconds=value)
            case "sync_every_seconds":
                options["sync_every"] = timedelta(seconds=value)
            case "presenters":
                options["presenters"] = {**BUILT_IN, **value}
            case "csp":
                options["csp"] = {key: tuple(sources) for key, sources in value.items()}
            case _:
                options[name] = value
    return PayPage(**options)


def problems_of(stated: object) -> Iterator[str]:
    """What is wrong with the setting, in words that name the place and no value."""
    where = f'OMNIMAN["{PAY_PAGE}"]'
    if not isinstance(stated, Mapping):
        yield f"{where} is a {type(stated).__name__}, not a dict"
        return
    for name, value in stated.items():
        check = _CHECKS.get(name)
        here = f'{where}["{name}"]'
        if check is None:
            yield f"{here} is unknown; known: {', '.join(_CHECKS)}"
        else:
            yield from check(here, value)


def origin_of(url: str) -> str:
    """``https://host:port`` of an absolute address, as a Content-Security-Policy writes it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


def _seconds(least: int, most: int) -> Any:
    def check(where: str, value: object) -> Iterator[str]:
        if type(value) is not int or not least <= value <= most:
            yield f"{where} is not a whole number of seconds from {least} to {most}"

    return check


def _script(where: str, value: object) -> Iterator[str]:
    if isinstance(value, str) and _SOURCE.fullmatch(value):
        parts = urlsplit(value)
        local = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if parts.netloc and (parts.scheme == "https" or local):
            return
    yield f"{where} is not an https address (http only on the loopback interface)"


def _link(where: str, value: object) -> Iterator[str]:
    usual = isinstance(value, str) and value.startswith(("/", "https://", "http://"))
    if value != "" and not usual:
        yield f"{where} is neither a path nor an http(s) address"


def _presenters(where: str, value: object) -> Iterator[str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(text, str) and text for pair in value.items() for text in pair
    ):
        yield f"{where} is not a dict from a kind, or kind/provider, to a dotted path"


def _csp(where: str, value: object) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{where} is not a dict from a directive to a list of sources"
        return
    for directive, sources in value.items():
        if not isinstance(directive, str) or not _DIRECTIVE.fullmatch(directive):
            yield f"{where} has a key that is no directive for sources, such as img-src"
        elif not isinstance(sources, list | tuple) or not all(is_source(s) for s in sources):
            yield f'{where}["{directive}"] is not a list of sources without spaces'


def is_source(value: object) -> bool:
    """Whether a text can stand as one source of a policy and cannot end it."""
    return isinstance(value, str) and bool(_SOURCE.fullmatch(value))


_CHECKS: Mapping[str, Any] = {
    "valid_for_seconds": _seconds(60, _YEAR),
    "sync_every_seconds": _seconds(1, 3600),
    "stripe_js": _script,
    "shop_url": _link,
    "presenters": _presenters,
    "csp": _csp,
}
