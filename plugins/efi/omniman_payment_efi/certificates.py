"""The client certificate that Efi gives an account: read in every form people have it in.

The key never reaches a disk in the clear, nor any text of ours.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12

_PRIVATE_KEY = re.compile(
    rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", flags=re.DOTALL
)
_PEM = "-----BEGIN"
_SHORTEST_CONTENT = 256
_LARGEST = 256 * 1024


class CertificateError(ValueError):
    """What is wrong with a certificate, as the end of a sentence; quotes nothing of it.

    ``option`` begins the sentence: where the certificate came from.
    """

    def __init__(self, message: str, *, option: str = "certificate") -> None:
        super().__init__(message)
        self.option = option


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are to the gateway: a certificate, those that vouch for it, and its key."""

    certificate: x509.Certificate = field(repr=False)
    others: tuple[x509.Certificate, ...] = field(repr=False)
    key: PrivateKeyTypes = field(repr=False)

    @property
    def begins_at(self) -> datetime:
        """From when it is valid."""
        return self.certificate.not_valid_before_utc

    @property
    def ends_at(self) -> datetime:
        """Until when it is valid."""
        return self.certificate.not_valid_after_utc


def read_identity(certificate: str, password: str | None = None) -> Identity:
    """Read a path (.pem or .p12), the text of a PEM, or either as base64.

    :raises CertificateError: it is missing, unreadable, or a part of it is.
    """
    data = _bytes_of(certificate)
    secret = password.encode() if password else None
    try:
        # Not only at its beginning: openssl writes notes before each part.
        if _PEM.encode() in data:
            key, found = _from_pem(data, secret)
        else:
            key, found = _from_pkcs12(data, secret)
    except TypeError:
        # How the library says that a password is missing, or that there is nothing to decrypt.
        raise CertificateError(
            "cannot be read with this certificate_password: one is needed and not given, or the "
            "other way round"
        ) from None
    except (ValueError, UnsupportedAlgorithm) as error:
        if isinstance(error, CertificateError):
            raise
        raise CertificateError(
            "cannot be read: it is neither a PEM nor a .p12 that opens with certificate_password"
        ) from None
    return _paired(key, found)


def problem_with(identity: Identity, now: datetime) -> str | None:
    """Why it cannot be used now, if so."""
    if now < identity.begins_at:
        return f"is not valid before {identity.begins_at:%Y-%m-%d %H:%M} UTC"
    if now >= identity.ends_at:
        return (
            f"expired on {identity.ends_at:%Y-%m-%d}; create a new one in Efi's panel (API, "
            "Meus Certificados)"
        )
    return None


def client_context(identity: Identity, ca_certificate: str | None) -> ssl.SSLContext:
    """TLS that verifies the gateway and shows it who we are.

    :raises CertificateError: the pieces do not make a client of a TLS connection.
    """
    try:
        context = ssl.create_default_context(cafile=ca_certificate or certifi.where())
    except (OSError, ssl.SSLError):
        raise CertificateError(
            "names a file that cannot be read, or that holds no certificate",
            option="ca_certificate",
        ) from None
    # OpenSSL only loads files. This one lives for a moment, and its key is encrypted with a
    # password that is never written down.
    passphrase = secrets.token_hex(32)
    text = identity.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode()),
    )
    for each in (identity.certificate, *identity.others):
        text += each.public_bytes(serialization.Encoding.PEM)
    handle, path = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        context.load_cert_chain(path, password=passphrase)
    except ssl.SSLError:
        raise CertificateError("cannot be used for a TLS connection") from None
    finally:
        Path(path).unlink()
    return context


def _bytes_of(certificate: str) -> bytes:
    text = certificate.strip()
    if _PEM in text:
        return text.encode()
    if len(text) < _SHORTEST_CONTENT or os.path.exists(text):
        return _file(Path(text))
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise CertificateError(
            "is neither the path of a file nor the base64 of one; give the path of the .pem or "
            ".p12 from Efi's panel"
        ) from None


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise CertificateError("names a file that does not exist") from None
    except OSError as error:
        raise CertificateError(f"names a file that cannot be read ({error.strerror})") from None
    except ValueError:
        raise CertificateError("is no path: it holds a character that no path has") from None
    if not data or len(data) > _LARGEST:
        raise CertificateError("names a file that is empty or far too large for a certificate")
    return data


def _from_pem(
    data: bytes, password: bytes | None
) -> tuple[PrivateKeyTypes, list[x509.Certificate]]:
    block = _PRIVATE_KEY.search(data)
    if block is None:
        raise CertificateError(
            "holds no private key: the .pem needs the key and the certificate, one after the other"
        )
    if b"BEGIN CERTIFICATE" not in data:
        raise CertificateError(
            "holds no certificate: the .pem needs the key and the certificate, one after the other"
        )
    key = serialization.load_pem_private_key(block[0], password)
    return key, x509.load_pem_x509_certificates(data)


def _from_pkcs12(
    data: bytes, password: bytes | None
) -> tuple[PrivateKeyTypes, list[x509.Certificate]]:
    key, certificate, others = pkcs12.load_key_and_certificates(data, password)
    if key is None or certificate is None:
        raise CertificateError("holds no private key, or no certificate")
    return key, [certificate, *others]


def _paired(key: PrivateKeyTypes, found: list[x509.Certificate]) -> Identity:
    """The certificate that belongs to the key; the others vouch for it."""
    public = _public_bytes(key.public_key())
    for each in found:
        if _public_bytes(each.public_key()) == public:
            return Identity(each, tuple(other for other in found if other is not each), key)
    raise CertificateError("holds a private key and a certificate that do not belong together")


def _public_bytes(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined, no-any-return]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
