"""What is planted, the forms in which it could show again, and the search for them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

STRIPE_KEY = "sk_test_51Canary0ne2Three4Five6Seven8Nine"
STRIPE_SIGNING = "whsec_canary/+stripe0123456789ABCDEFGH"
STRIPE_FORMER = "whsec_canaryformer9876543210abcdefgh=="
EFI_SECRET = "Client_Secret_canary_b5f0c1d9e7"
EFI_PASSWORD = "p12 canary & pässword <'\">"
EFI_HOOK = "canary_in_the_address_of_efi_0123456789"
MOCK_SIGNING = "canary of the mock, long enough 0123"
GOSSIP_KEY = "gossip/canary+key==0123456789"
GOSSIP_DSN = "postgres://canary:dsn-pa55word@db.test/x"

NAME = "Maria Canária dos Passarinhos"
EMAIL = "maria.canaria@passarinhos.example"
CPF, CPF_WRITTEN = "52998224725", "529.982.247-25"
CARD, CARD_WRITTEN = "4242424242424242", "4242 4242 4242 4242"
CARD_TOKEN = "tok_canary_of_a_card_8812"

_BREAKS = re.compile(r"""['"]?\s*\\?n?\s*\n\s*b?['"]?|\\n""")
_SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Canary:
    """One planted text, and why it must not be seen."""

    name: str
    text: str = field(repr=False)
    personal: bool = False
    """Of a payer: it is in what the shop itself handed over, and nowhere else."""


ACCOUNT = (
    Canary("Stripe's key", STRIPE_KEY),
    Canary("Stripe's signing secret", STRIPE_SIGNING),
    Canary("Stripe's former signing secret", STRIPE_FORMER),
    Canary("Efi's client secret", EFI_SECRET),
    Canary("the password of Efi's certificate", EFI_PASSWORD),
    Canary("the secret in Efi's address", EFI_HOOK),
    Canary("the mock's signing secret", MOCK_SIGNING),
    Canary("the gossip's key", GOSSIP_KEY),
    Canary("the gossip's password", GOSSIP_DSN),
    Canary("a card number", CARD),
    Canary("a card number as it is written", CARD_WRITTEN),
)
PAYER = (
    Canary("a payer's name", NAME, personal=True),
    Canary("a payer's e-mail address", EMAIL, personal=True),
    Canary("a payer's CPF", CPF, personal=True),
    Canary("a payer's CPF as it is written", CPF_WRITTEN, personal=True),
    Canary("a card's token", CARD_TOKEN, personal=True),
)


def as_text(content: bytes) -> str:
    """As an environment variable carries a file."""
    return base64.b64encode(content).decode()


def p12_of(pem: Path, password: str) -> bytes:
    """A certificate with its key as Efi's panel gives it."""
    content = pem.read_bytes()
    key = serialization.load_pem_private_key(content, None)
    certificate = x509.load_pem_x509_certificate(content[content.index(b"-----BEGIN CERT") :])
    encryption = serialization.BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(
        b"efi",
        key,  # type: ignore[arg-type]
        certificate,
        None,
        encryption,
    )


def of_certificate(pem: Path, given: str) -> Iterator[Canary]:
    """Every line of the private key, and of the text in the settings."""
    key = pem.read_text().partition("-----BEGIN CERT")[0]
    lines = [line for line in key.splitlines() if len(line) > 20 and "-" not in line]
    for number, line in enumerate(lines, 1):
        yield Canary(f"line {number} of the private key", line)
    for start in range(200, len(given) - 40, 400):
        yield Canary(f"the certificate from character {start}", given[start : start + 40])


def forms_of(text: str) -> set[str]:
    """Plain, quoted for a URL, in JSON, HTML and Python, in base64 at any offset, backwards."""
    raw = text.encode()
    found = {
        text,
        quote(text),
        quote(text, safe=""),
        quote_plus(text),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        html.escape(text),
        raw.hex(),
        text[::-1],
    }
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        # The first and last characters depend on the neighbours.
        found |= {encoded[4:-2], encoded[4:-2].replace("+", "-").replace("/", "_")}
    return {form for form in found if len(form) >= _SHORTEST}


@dataclass(frozen=True, slots=True)
class Leak:
    """Where a canary was seen."""

    canary: str
    place: str
    around: str


class Search:
    """Looks for all forms of all canaries; a text that was cut into lines is put together."""

    def __init__(self, canaries: Iterable[Canary]) -> None:
        forms = {form: canary for canary in canaries for form in forms_of(canary.text)}
        self._forms: Mapping[str, Canary] = forms

    def leaks(self, place: str, text: str, *, personal: bool = True) -> Iterator[Leak]:
        """Every canary in a text; those of payers only if ``personal``."""
        for shown in {text, _BREAKS.sub("", text)}:
            for form, canary in self._forms.items():
                at = shown.find(form)
                if at >= 0 and (personal or not canary.personal):
                    around = shown[max(0, at - 80) : at + len(form) + 80]
                    yield Leak(canary.name, place, around)
