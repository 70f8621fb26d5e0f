"""Tells shops of payments, as Efi does: ``/pix`` at the end of whatever address was registered."""

from __future__ import annotations

import json
import ssl
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
        # Made at once: a file that cannot be used is told to whoever starts the simulator.
        self._certified = certificates.notifying_context(ca=shops_ca, certified=True)
        self._anonymous = certificates.notifying_context(ca=shops_ca, certified=False)
        self.deliveries = Deliveries(
            lambda secret, body: {"User-Agent": USER_AGENT}, lambda: self._certified
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
        if not skip_mtls and await self._answer(url, self._anonymous) in range(200, 300):
            raise _refused("A autenticação de TLS mútuo não está configurada na URL informada")
        status = await self._answer(url, self._certified)
        if status is None:
            raise _refused("A URL informada está inacessível")
        if not 200 <= status < 300:
            raise _refused("A URL informada não respondeu à requisição de teste com sucesso")

    async def _answer(self, url: str, context: ssl.SSLContext) -> int | None:
        """The status; ``None`` where nothing came."""
        connector = aiohttp.TCPConnector(ssl=context)
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        try:
            async with (
                aiohttp.ClientSession(timeout=_PATIENCE, connector=connector) as session,
                session.post(url, data=b"", headers=headers, allow_redirects=False) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None


def together(bodies: list[bytes]) -> bytes:
    """One notification about what several would have told."""
    return json.dumps(
        {"pix": [each for body in bodies for each in json.loads(body)["pix"]]}
    ).encode()


def _refused(why: str) -> ApiError:
    return efi(400, "webhook_invalido", why)
