"""Every hook of the payment core: the first page for whoever writes a plugin.

A gateway is one module. It is imported only when an account that uses it is needed::

    # acme_pay/plugin.py
    from omniman_payment_core.contracts import BackendRegistration, Option
    from omniman_payment_core.hookspecs import hookimpl

    def build(config):
        from .backend import AcmeBackend  # heavy imports belong here
        return AcmeBackend(config["api_key"])

    @hookimpl
    def register_backend():
        return BackendRegistration("acme", build, options=(Option("api_key", secret=True),))

    # pyproject.toml
    [project.entry-points."omniman_payment.backends"]
    acme = "acme_pay.plugin"

An observer is a module in the group ``omniman_payment.hooks``, imported at start, with any of
the other hooks; take only the arguments you need. ``OMNIMAN["PAYMENT_HOOKS_DISABLED"]`` lists
the entry-point names of observers to leave out. Observers run one by one after the commit,
the last registered first (``tryfirst`` and ``trylast`` hold); what one raises is logged with
its name and counted, and reaches neither payments nor other observers. A notice may be
repeated after a crash. Keep them short: a worker waits for them.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from .contracts import BackendRegistration
    from .notices import DirectiveNotice, GatewayCall, PaymentChange, WebhookNotice

PROJECT = "omniman_payment"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class PaymentHookSpecs:
    """The hooks. Since protocol version 1."""

    @hookspec
    def register_backend(self) -> BackendRegistration:  # type: ignore[empty-body]
        """Describe a gateway; only in the group ``omniman_payment.backends``, name as there."""

    @hookspec(firstresult=True)
    def around_gateway_call(self, call: GatewayCall) -> Generator[None, Any, Any]:  # type: ignore[empty-body]
        """Run around every gateway call; for ``@hookimpl(wrapper=True)`` only.

        ``yield`` once: it returns the backend's answer or raises its error. Raise
        :class:`~omniman_payment_core.errors.VetoError` (or another ``NotAttemptedError``)
        before it, and the call is not made; any other error there does the same. The answer
        itself cannot be changed: nothing returned or raised after ``yield`` has an effect.
        """

    @hookspec
    def directive_enqueued(self, directive: DirectiveNotice) -> None:
        """Something shall be done; it is stored."""

    @hookspec
    def directive_claimed(self, directive: DirectiveNotice) -> None:
        """A worker has taken it; told on every attempt."""

    @hookspec
    def directive_settled(self, directive: DirectiveNotice) -> None:
        """It is done, for good."""

    @hookspec
    def directive_retrying(self, directive: DirectiveNotice) -> None:
        """It will run again, or waits for its payment; ``reason`` says why."""

    @hookspec
    def directive_failed(self, directive: DirectiveNotice) -> None:
        """It has ended with a no; ``reason`` says why."""

    @hookspec
    def directive_parked(self, directive: DirectiveNotice) -> None:
        """It needs a person; ``reason`` says why."""

    @hookspec
    def payment_changed(self, change: PaymentChange) -> None:
        """A payment's status has moved: the one to send mails and ship goods by."""

    @hookspec
    def webhook_accepted(self, webhook: WebhookNotice) -> None:
        """An authentic delivery is stored; money facts follow as ``payment_changed``."""

    @hookspec
    def webhook_rejected(self, account: str, reason: str) -> None:
        """A delivery was turned away; nothing of its body is passed on."""

    @hookspec(firstresult=True)
    def retry_delay(self, directive: DirectiveNotice) -> timedelta | None:
        """How long to wait before the next attempt; ``None``: the next plugin, or the default."""

    @hookspec(firstresult=True)
    def select_backend(self, channel: Any) -> str | None:
        """An account's name for a channel (``code``, ``config``) that names none; or ``None``."""
