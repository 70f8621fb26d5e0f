"""The certificates of a simulated institution and its client, made anew for every run."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

NAMES = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in one folder."""

    folder: Path

    @property
    def ca(self) -> Path:
        """What vouches for the server, and for nobody else."""
        return self.folder / "ca.pem"

    @property
    def server(self) -> Path:
        return self.folder / "server.pem"

    @property
    def client(self) -> Path:
        """The account's: key and certificate in one file, as Efi's panel gives it."""
        return self.folder / "client.pem"

    @property
    def clients_ca(self) -> Path:
        """What vouches for accounts."""
        return self.folder / "clients-ca.pem"

    @property
    def webhook(self) -> Path:
        """What the institution shows to the addresses it notifies."""
        return self.folder / "webhook.pem"

    @property
    def webhook_ca(self) -> Path:
        """What vouches for that."""
        return self.folder / "webhook-ca.pem"

    def server_context(self) -> ssl.SSLContext:
        """TLS that turns away whoever shows no client certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.clients_ca))
        context.load_cert_chain(self.server)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def notifying_context(self, *, ca: str | None, certified: bool) -> ssl.SSLContext:
        """TLS for telling a shop: ``certified`` with our certificate, or, to try it, without."""
        context = ssl.create_default_context(cafile=ca)
        if certified:
            context.load_cert_chain(self.webhook)
        return context


def make(folder: Path) -> Certificates:
    """Write them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder)
    servers, clients, webhooks = trustme.CA(), trustme.CA(), trustme.CA()
    servers.cert_pem.write_to_path(str(made.ca))
    clients.cert_pem.write_to_path(str(made.clients_ca))
    webhooks.cert_pem.write_to_path(str(made.webhook_ca))
    for authority, path, names in (
        (servers, made.server, NAMES),
        (clients, made.client, ("client.simulator.invalid",)),
        (webhooks, made.webhook, ("pix.simulator.invalid",)),
    ):
        made_for = authority.issue_cert(*names)
        path.touch(mode=0o600)
        made_for.private_key_and_cert_chain_pem.write_to_path(str(path))
    return made
