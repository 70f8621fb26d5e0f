"""Certificates made at run time, in every form that people keep them in."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12

DAY = timedelta(days=1)


@cache
def authority(name: str) -> trustme.CA:
    """One that vouches for servers and clients; the same for the same name."""
    return trustme.CA(organization_name=name)


@dataclass(frozen=True)
class Made:
    """A certificate with its key."""

    leaf: trustme.LeafCert

    @cached_property
    def key_pem(self) -> bytes:
        return self.leaf.private_key_pem.bytes()

    @cached_property
    def chain_pem(self) -> bytes:
        return b"".join(each.bytes() for each in self.leaf.cert_chain_pems)

    @property
    def pem(self) -> bytes:
        return self.key_pem + self.chain_pem

    @property
    def key(self) -> PrivateKeyTypes:
        return serialization.load_pem_private_key(self.key_pem, None)

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.chain_pem)

    def encrypted_key_pem(self, password: str) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password.encode()),
        )

    def p12(self, password: str | None = None) -> bytes:
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password:
            encryption = serialization.BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(
            b"efi",
            self.key,  # type: ignore[arg-type]
            self.certificate,
            None,
            encryption,
        )

    def secret_texts(self) -> list[str]:
        """Lines of the key: none of them may ever be seen."""
        return [
            line
            for line in self.key_pem.decode().splitlines()
            if len(line) > 20 and not line.startswith("-")
        ]


def make_client(
    name: str = "efi-homologacao",
    *,
    begins: timedelta = -DAY,
    ends: timedelta = 365 * DAY,
    signed_by: str = "Efi",
) -> Made:
    """A client certificate, valid from and until so long from now."""
    now = datetime.now(UTC)
    leaf = authority(signed_by).issue_cert(
        f"{name}@efi.test", not_before=now + begins, not_after=now + ends
    )
    return Made(leaf)


@cache
def client() -> Made:
    """The one that the tests' gateway accepts."""
    return make_client()


def as_text(content: bytes) -> str:
    """As an environment variable carries a file."""
    return base64.b64encode(content).decode()


def write(folder: Path, name: str, content: bytes) -> str:
    """The path of a new file."""
    path = folder / name
    path.write_bytes(content)
    return str(path)
