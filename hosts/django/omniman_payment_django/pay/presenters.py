"""How the page shows what a shopper has to do: the port, and the registry of those who can.

Knows no gateway: presenters are found by the ``kind`` (and ``provider``) of a ``next_action``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .options import PayPage

log = logging.getLogger("omniman_payment.pay")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A payment that waits for its shopper, as far as a presenter needs to know it."""

    kind: str
    data: Mapping[str, Any] = field(repr=False)
    """``next_action.data``: may hold what lets its holder pay, so it never reaches a log."""
    amount_q: int
    currency: str
    expires_at: datetime | None

    def seconds_left(self, now: datetime) -> int | None:
        """How long it can still be paid, by this server's clock: the shopper's may be wrong."""
        if self.expires_at is None:
            return None
        return max(0, (self.expires_at - now) // timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class Presentation:
    """What the page shows and loads for it, and what its policy has to allow."""

    template: str
    """Included into the page, which gives it this object as ``action``."""
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """JSON for the page's scripts, in the element with the id ``pay-data``."""
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What only the template needs, as ``action.context``."""
    step: str = ""
    """Which of several steps this is; the page loads itself again when it becomes another."""
    scripts: Sequence[str] = ()
    """Static files; inline scripts do not run on this page."""
    styles: Sequence[str] = ()
    csp: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Sources to allow, by directive."""
    payment_origins: Sequence[str] = ()
    """Origins whose frames may use the browser's Payment Request."""
    needs_script: bool = True
    """Whether paying needs JavaScript in the shopper's browser."""
    paid_elsewhere: bool = False
    """The shopper looks at this page and pays on another device: it asks more often how things
    stand, and has the gateway asked no more often for it."""


class Presenter(Protocol):
    """Shows one kind of ``next_action``. Made without arguments, once for each request."""

    def present(self, waiting: Waiting) -> Presentation | None:
        """What to show; ``None`` where this presenter cannot do it."""
        ...


def presentation_of(waiting: Waiting, options: PayPage) -> Presentation | None:
    """What the fitting presenter shows, if there is one and it can.

    A presenter that fails leaves the shopper with a page that says what to do.
    """
    path = _path_for(waiting, options)
    if path is None:
        log.error("no presenter shows a next_action of kind %r", waiting.kind)
        return None
    try:
        return load(path).present(waiting)
    except Exception as error:
        # Neither message nor traceback: either may quote what lets its holder pay.
        log.error("presenter %s failed: %s", path, type(error).__name__)
        return None


def load(path: str) -> Presenter:
    """A presenter by its dotted path; raises ``ImproperlyConfigured``."""
    try:
        presenter = import_string(path)()
    except Exception as error:
        raise ImproperlyConfigured(f'presenter "{path}" cannot be made: {error}') from error
    if not callable(getattr(presenter, "present", None)):
        raise ImproperlyConfigured(f'presenter "{path}" has no present()')
    return presenter  # type: ignore[no-any-return]


def _path_for(waiting: Waiting, options: PayPage) -> str | None:
    provider = waiting.data.get("provider")
    exact = options.presenters.get(f"{waiting.kind}/{provider}")
    return exact or options.presenters.get(waiting.kind)
