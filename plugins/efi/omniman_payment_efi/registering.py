"""Where Efi sends notifications for an account's key: set it, look at it, take it away.

Source: Efi's "Webhooks" page of API Pix. An address belongs to the key, so one key has one.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from omniman_payment_core.errors import ConfigurationError, TransactionNotFoundError
from omniman_payment_core.values import WebhookRegistration

from . import endpoints, webhooks
from .config import Config
from .errors import RefusedError
from .reading import moment
from .transport import Transport

SKIP_MTLS = "x-skip-mtls-checking"
"""With ``true`` Efi does not try, while registering, whether the address turns away who comes
without its client certificate."""


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
        if urlsplit(url).query:
            raise ConfigurationError("the address must not have a query: the secret goes there")
        skip = "true" if config.webhook_mode == "hmac" else "false"
        try:
            self._transport.call(
                endpoints.SET_WEBHOOK,
                self._key(),
                body={"webhookUrl": webhooks.address(url, config)},
                headers={SKIP_MTLS: skip},
            )
        except RefusedError as error:
            raise ConfigurationError(f"{error.message}; the address was not registered") from None
        registered = self.registered_webhook()
        if registered is None:
            raise ConfigurationError("Efi took the address and shows none")
        return registered

    def registered_webhook(self) -> WebhookRegistration | None:
        """What is registered now; of a query only its names."""
        try:
            found = self._transport.call(endpoints.READ_WEBHOOK, self._key())
        except TransactionNotFoundError:
            return None
        url = str(found.get("webhookUrl") or "")
        made = found.get("criacao")
        return WebhookRegistration(_without_values(url), moment(made) if made else None)

    def remove_webhook(self) -> None:
        """Have no notifications sent any more; nothing happens if there were none."""
        try:
            self._transport.call(endpoints.DELETE_WEBHOOK, self._key())
        except TransactionNotFoundError:
            return

    def _key(self) -> dict[str, str]:
        return {"chave": self._config.pix_key}


def _without_values(url: str) -> str:
    """The query carries a secret; that it is there may be told."""
    parts = urlsplit(url)
    names = "&".join(f"{name}=..." for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{names}" if names else "")
