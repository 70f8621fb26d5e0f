"""Tells shops of payments, as Efi does: ``/pix`` at the end of whatever address was registered."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from ..common.deliveries import Deliveries, Endpoint
from .certificates import Certificates
from .errors import ApiError, efi
from .records import Account

SUFFIX = "/pix"
USER_AGENT = "API Pix Efi (simulador)"
_PATIENCE = aiohttp.ClientTimeout(total=10)


class Notifying:
    """Notifications, and the two requests with which an address is tried out."""

    def __init__(self, certificates: Certificates, shops_ca: str | None) -> None:
        self._certificates = certificates
        self._shops_ca = shops_ca
        self.deliveries = Deliveries(
            lambda secret, body: {"User-Agent": USER_AGENT},
            lambda: certificates.notifying_context(ca=shops_ca, certified=True),
        )
        self.told: list[tuple[str, bytes]] = []
        """Every notification so far, with its address."""

    def tell(self, account: Account, key: str, pix: list[dict[str, Any]]) -> None:
        """One notification about payments on a key, if anybody wants it."""
        hook = account.webhooks.get(key)
        if hook is None:
            return
        body = json.dumps({"pix": pix}).encode()
        self.told.append((hook.url + SUFFIX, body))
        self.deliveries.send(body, [Endpoint(hook.url + SUFFIX, "")])

    def repeat(self) -> None:
        """Send everything once more: nobody promises that it comes once."""
        for url, body in list(self.told):
            self.deliveries.send(body, [Endpoint(url, "")])

    async def try_out(self, url: str, *, skip_mtls: bool) -> None:
        """Without our certificate the address has to refuse, with it to take an empty body."""
        demanded = url.startswith("https://") and not skip_mtls
        if demanded and await self._accepts(url, certified=False):
            raise _refused("A URL aceita requisições sem o certificado da Efí")
        if not await self._accepts(url, certified=True):
            raise _refused("A URL informada não respondeu à requisição de teste com sucesso")

    async def _accepts(self, url: str, *, certified: bool) -> bool:
        context = self._certificates.notifying_context(ca=self._shops_ca, certified=certified)
        connector = aiohttp.TCPConnector(ssl=context)
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        try:
            async with (
                aiohttp.ClientSession(timeout=_PATIENCE, connector=connector) as session,
                session.post(url, data=b"", headers=headers, allow_redirects=False) as answer,
            ):
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


def _refused(why: str) -> ApiError:
    return efi(400, "webhook_invalido", why)
