"""Pages and mails about an error, without what lets somebody pay, take or read.

``DEFAULT_EXCEPTION_REPORTER = "omniman_payment_django.reporting.PaymentExceptionReporter"``.
Django's own hides settings by their names only: a certificate or a notification's query string
are not among them, and with ``DEBUG`` it hides no variable at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.views.debug import ExceptionReporter

from omniman_payment_core.errors import ConfigurationError
from omniman_payment_core.secrets import MASK, Scrubber, Secret

from .runtime import get_registry

HIDDEN = "[hidden]"
_OURS = re.compile(r"omniman_payment_\w+")
_BETWEEN_LINES = re.compile(r"""(['"])\s*\n\s*b?\1""")
_SHORTEST = 8


class PaymentExceptionReporter(ExceptionReporter):
    """Knows the secrets of every account, and shows no variable of the payment layer's own."""

    def get_traceback_data(self) -> dict[str, Any]:
        data: dict[str, Any] = super().get_traceback_data()
        scrubber = _scrubber()
        for frame in data.get("frames", ()):
            ours = any(_OURS.fullmatch(part) for part in PurePath(frame["filename"]).parts)
            frame["vars"] = [
                (name, HIDDEN if ours else _shown(value, scrubber))
                for name, value in frame.get("vars", ())
            ]
        return data

    def get_traceback_html(self) -> Any:
        return _scrubber().passage(super().get_traceback_html())

    def get_traceback_text(self) -> Any:
        return _scrubber().passage(super().get_traceback_text())


def _shown(value: str, scrubber: Scrubber) -> str:
    """A variable as Django prints it, unless a secret is in it, also one cut into lines."""
    clean = scrubber.passage(value)
    whole = _BETWEEN_LINES.sub("", value)
    return clean if scrubber.passage(whole) == whole or clean != value else MASK


def _scrubber() -> Scrubber:
    try:
        return get_registry().scrubber
    except ConfigurationError:
        # Settings that cannot be read hold secrets all the same.
        stated = getattr(settings, "OMNIMAN", None)
        return Scrubber(text for text in _texts(stated) if len(text) >= _SHORTEST)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Secret):
        yield from _texts(value.reveal())
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _texts(item)
