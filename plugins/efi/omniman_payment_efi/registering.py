"""Where Efi sends notifications for an account's key: set it, look at it, take it away.

Source: Efi's "Webhooks" page of API Pix. An address belongs to the key, so one key has one.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from omniman_payment_core.errors import (
    ConfigurationError,
    InvalidRequestError,
    OutcomeUnknownError,
    TransactionNotFoundError,
)
from omniman_payment_core.values import WebhookRegistration

from . import endpoints, webhooks
from .config import Config, check_url
from .errors import RefusedError, TakenError
from .reading import moment, readable
from .transport import Transport

SKIP_MTLS = "x-skip-mtls-checking"
"""With ``true`` Efi does not try, while registering, whether the address turns away who comes
without its client certificate."""

_NOT_TAKEN = (RefusedError, TakenError, InvalidRequestError)


class Registering:
    """The backend's methods for the address of its notifications."""

    _config: Config
    _transport: Transport

    def register_webhook(self, url: str) -> WebhookRegistration:
        """Have notifications sent to ``url``, an https address without a query.

        :raises ConfigurationError: the account has no webhook_mode, or Efi refuses the address.
        """
        config = self._config
        if config.webhook_mode is None:
            raise ConfigurationError(
                'option "webhook_mode" is missing: say how notifications shall prove where they '
                "come from before Efi is told where to send them"
            )
        problem = check_url(url) if config.base_url is None else _problem_for_a_simulator(url)
        if problem is not None:
            raise ConfigurationError(f"the address of the notifications {problem}")
        wanted = webhooks.address(url, config)
        skip = "true" if config.webhook_mode == "hmac" else "false"
        try:
            self._transport.call(
                endpoints.SET_WEBHOOK,
                self._key(),
                body={"webhookUrl": wanted},
                headers={SKIP_MTLS: skip},
            )
        except _NOT_TAKEN as error:
            raise ConfigurationError(f"{error}; the address was not registered") from None
        except OutcomeUnknownError:
            # Efi documents a mere text as its success. What it shows now is what counts.
            pass
        registered = self._registered()
        if registered is None:
            raise ConfigurationError("Efi was told the address and shows none")
        if registered[0] != wanted:
            raise ConfigurationError("Efi was told the address and shows another")
        return _without_secret(registered)

    def registered_webhook(self) -> WebhookRegistration | None:
        """What is registered now; of a query only its names."""
        registered = self._registered()
        return None if registered is None else readable(lambda: _without_secret(registered))

    def remove_webhook(self) -> None:
        """Have no notifications sent any more; nothing happens if there were none."""
        try:
            self._transport.call(endpoints.DELETE_WEBHOOK, self._key())
        except TransactionNotFoundError:
            return
        except _NOT_TAKEN as error:
            raise ConfigurationError(f"{error}; the address was not removed") from None

    def _registered(self) -> tuple[str, datetime | None] | None:
        """The address, its secret included, and since when."""
        try:
            found = self._transport.call(endpoints.READ_WEBHOOK, self._key())
        except TransactionNotFoundError:
            return None
        except InvalidRequestError as error:
            raise ConfigurationError(f"{error}; Efi does not show the address") from None
        made = found.get("criacao")
        made_at = readable(lambda: moment(made)) if made else None
        return str(found.get("webhookUrl") or ""), made_at

    def _key(self) -> dict[str, str]:
        return {"chave": self._config.pix_key}


def _problem_for_a_simulator(url: str) -> str | None:
    """It also notifies a shop on its own machine, without TLS."""
    problem = check_url(url, ("https", "http"))
    if problem is None and urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
        return check_url(url)
    return problem


def _without_secret(registered: tuple[str, datetime | None]) -> WebhookRegistration:
    """The query carries it; that it is there may be told."""
    url, made_at = registered
    parts = urlsplit(url)
    names = "&".join(f"{name}=..." for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    shown = f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{names}" if names else "")
    return WebhookRegistration(shown, made_at)
