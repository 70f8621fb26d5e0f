"""The simulator as a whole: the API over mutual TLS, the control API beside it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from ..common.clock import Clock
from ..common.faults import Faults
from ..common.running import HOST, OnThread, start, stop
from . import certificates
from .certificates import Certificates
from .control import PixControl
from .endpoints import Endpoints
from .far_side import FarSide
from .http import LONGEST_BODY, Api
from .notifying import Notifying
from .records import Account
from .state import State

CLIENT_ID = "Client_Id_simulator"
CLIENT_SECRET = "Client_Secret_simulator"
PIX_KEY = "7f1b0c5e-6a43-4d0e-9d3a-0a1b2c3d4e5f"
"""Known to everybody: they protect nothing here."""
CNPJ = "12345678000195"


class Institution:
    """One institution with one account, as two applications."""

    def __init__(
        self,
        made: Certificates,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        pix_key: str = PIX_KEY,
        *,
        port: int = 0,
        shops_ca: str | None = None,
        auto_pay: bool = False,
    ) -> None:
        clock, faults = Clock(), Faults()
        notifying = Notifying(made, shops_ca)
        account = Account(client_id, client_secret, [pix_key], CNPJ, "LOJA SIMULADA")
        state = State(clock, [account], notifying.tell, auto_pay=auto_pay)
        api = Api(state, faults, Endpoints(state, notifying))
        self._made = made
        self._notifying = notifying
        self._far_side = FarSide(state, clock, faults, notifying, api)
        self._api = api
        self.port = port

    @property
    def url(self) -> str:
        """The API's base address, once it runs."""
        return f"https://{HOST}:{self.port}"

    def make_control_app(self) -> web.Application:
        """The control API; while it runs, the API runs beside it."""
        app = web.Application()
        self._far_side.add_to(app)
        app.cleanup_ctx.append(self._beside)
        return app

    async def _beside(self, _: web.Application) -> AsyncIterator[None]:
        api = web.Application(client_max_size=LONGEST_BODY)
        api.router.add_route("*", r"/{path:[\s\S]*}", self._api.handle)
        runner, self.port = await start(api, self.port, self._made.server_context())
        yield
        await self._notifying.deliveries.close()
        await stop(runner)


class PixSimulator:
    """A Pix institution on free ports of this machine, for the length of a ``with`` block.

    :param folder: where its certificates are written; a temporary one that goes with it if left
        out.
    :param shops_ca: the path of what vouches for https addresses that are notified.
    """

    def __init__(
        self,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        pix_key: str = PIX_KEY,
        *,
        port: int = 0,
        control_port: int = 0,
        folder: Path | None = None,
        shops_ca: str | None = None,
        auto_pay: bool = False,
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.pix_key = pix_key
        with ExitStack() as ending:
            if folder is None:
                temporary = tempfile.TemporaryDirectory(prefix="pix-simulator-")
                folder = Path(ending.enter_context(temporary))
            self._made = certificates.make(folder)
            self._institution = Institution(
                self._made,
                client_id,
                client_secret,
                pix_key,
                port=port,
                shops_ca=shops_ca,
                auto_pay=auto_pay,
            )
            # It can run: what was begun ends with the block.
            self._ending = ending.pop_all()
        self._server = OnThread(self._institution.make_control_app, port=control_port)

    @property
    def url(self) -> str:
        """The API's base address; it demands a client certificate."""
        return self._institution.url

    @property
    def control_url(self) -> str:
        """The control API's."""
        return self._server.url

    @property
    def control(self) -> PixControl:
        """The far side."""
        return PixControl(self.control_url)

    @property
    def certificates(self) -> Certificates:
        """All of them, the institution's own as well."""
        return self._made

    @property
    def certificate(self) -> Path:
        """The account's: key and certificate in one file."""
        return self._made.client

    @property
    def ca_certificate(self) -> Path:
        """What vouches for the API's server."""
        return self._made.ca

    @property
    def webhook_ca_certificate(self) -> Path:
        """What vouches for the certificate that notifications come with."""
        return self._made.webhook_ca

    def __enter__(self) -> Self:
        with self._ending as ending:
            ending.enter_context(self._server)
            self._ending = ending.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.__exit__(kind, error, trace)
