"""An account's options: what they are, and every mistake in them that can be seen from here.

No sentence quotes a value.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from omniman_payment_core.contracts import Option

WEBHOOK_MODES = ("mtls", "hmac")
EFI_ADDRESS = "34.193.116.226"
"""Where Efi's notifications come from, by its documentation."""
MTLS_HEADERS: Mapping[str, str] = {"x-ssl-client-verify": "SUCCESS"}
"""What nginx says of a client certificate that it has verified ($ssl_client_verify)."""
SHOWN_TO_PAYER = "Pedido {order_ref}"

EXPIRES_SOON = timedelta(days=30)
MIN_EXPIRY, MAX_EXPIRY = 60, 30 * 24 * 3600
MIN_TIMEOUT, MAX_TIMEOUT = 5, 60
_SHORTEST_SECRET = 32

_KEYS = (
    re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),  # a random key (EVP)
    re.compile(r"\+[1-9][0-9]{7,14}"),
    re.compile(r"[0-9]{11}|[0-9A-Z]{14}"),
    re.compile(r"[^@\s/?#%]{1,64}@[^@\s/?#%]{1,70}"),
)
_LONGEST_KEY = 77
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,128}")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Config:
    """The options of one account, ready for use. Secrets stay out of its repr."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    certificate: str = field(repr=False)
    certificate_password: str | None = field(repr=False)
    sandbox: bool
    pix_key: str = field(repr=False)
    former_pix_keys: tuple[str, ...] = field(repr=False)
    base_url: str | None
    ca_certificate: str | None
    timeout: int
    expires_in: timedelta
    shown_to_payer: str
    account_id: str | None
    webhook_mode: str | None
    webhook_secrets: tuple[str, ...] = field(repr=False)
    webhook_sources: tuple[Network, ...]
    webhook_proxies: tuple[Network, ...]
    webhook_mtls_headers: Mapping[str, str]

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""
        return not self.sandbox

    @property
    def fingerprint(self) -> str:
        """Which Efi account this is: a name that its owner gave, or its credentials' own."""
        if self.account_id:
            return self.account_id
        return hashlib.sha256(f"efi:{self.client_id}".encode()).hexdigest()[:16]

    @property
    def pix_keys(self) -> tuple[str, ...]:
        """The keys on which money counts as ours; the first is for new charges."""
        return (self.pix_key, *self.former_pix_keys)


def read_config(options: Mapping[str, Any]) -> Config:
    """The options as :data:`OPTIONS` has let them pass, or as somebody gave them by hand."""
    headers = options.get("webhook_mtls_headers") or MTLS_HEADERS
    sources = options.get("webhook_sources")
    return Config(
        client_id=options["client_id"],
        client_secret=options["client_secret"],
        certificate=options["certificate"],
        certificate_password=options.get("certificate_password") or None,
        sandbox=options.get("sandbox", True) is not False,
        pix_key=options["pix_key"],
        former_pix_keys=tuple(options.get("former_pix_keys") or ()),
        base_url=(options.get("base_url") or "").rstrip("/") or None,
        ca_certificate=options.get("ca_certificate") or None,
        timeout=options.get("timeout_seconds") or 20,
        expires_in=timedelta(seconds=options.get("expires_in_seconds") or 3600),
        shown_to_payer=options.get("shown_to_payer", SHOWN_TO_PAYER) or "",
        account_id=options.get("account_id") or None,
        webhook_mode=options.get("webhook_mode") or None,
        webhook_secrets=tuple(_several(options.get("webhook_secret"))),
        webhook_sources=_networks([EFI_ADDRESS] if sources is None else _several(sources)),
        webhook_proxies=_networks(_several(options.get("webhook_proxies"))),
        webhook_mtls_headers={name.lower(): value for name, value in headers.items()},
    )


def _several(value: Any) -> list[Any]:
    """A list, or one thing alone for a list of it."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _networks(addresses: Sequence[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(address) for address in addresses)


def _check_key(value: str) -> str | None:
    if len(value) > _LONGEST_KEY or not any(pattern.fullmatch(value) for pattern in _KEYS):
        return (
            "is not a Pix key: that is a random key (UUID), an e-mail address, a phone number "
            "with its country (+55...), or a CPF or CNPJ without punctuation"
        )
    return None


def _check_keys(value: Any) -> str | None:
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
        return "must be a list of Pix keys"
    return next((problem for each in value if (problem := _check_key(each))), None)


def _check_expiry(value: int) -> str | None:
    if MIN_EXPIRY <= value <= MAX_EXPIRY:
        return None
    return f"has to be from {MIN_EXPIRY} to {MAX_EXPIRY} seconds (30 days)"


def _check_timeout(value: int) -> str | None:
    if MIN_TIMEOUT <= value <= MAX_TIMEOUT:
        return None
    return f"has to be from {MIN_TIMEOUT} to {MAX_TIMEOUT}"


def check_url(value: str, schemes: Sequence[str] = ("https",)) -> str | None:
    """Why an address cannot be called, as the end of a sentence."""
    try:
        parts = urlsplit(value)
        # The port is only read when it is asked for.
        fits = parts.scheme in schemes and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or "@" in value or "?" in value or "#" in value:
        return "is not an https address without a query"
    return None


def _check_shown(value: str) -> str | None:
    try:
        text = value.format(order_ref="")
    except (LookupError, ValueError, AttributeError):
        return "has a placeholder other than {order_ref}"
    return None if len(text) <= 100 else "is longer than 100 characters"


def _check_secrets(value: Any) -> str | None:
    found = _several(value)
    if not 1 <= len(found) <= 5:
        return "must be one secret, or a list of up to five while one is being replaced"
    if not all(isinstance(each, str) and _SECRET.fullmatch(each) for each in found):
        return (
            f"needs at least {_SHORTEST_SECRET} letters, digits, hyphens or underscores; make "
            'one with python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return None


def _check_addresses(value: Any) -> str | None:
    try:
        _networks(_several(value))
    except (ValueError, TypeError):
        return "has something that is no address and no network, such as 10.0.0.0/8"
    return None


def _check_headers(value: Any) -> str | None:
    fits = (
        isinstance(value, dict)
        and value
        and all(isinstance(n, str) and _HEADER.fullmatch(n) for n in value)
        and all(isinstance(v, str) and v for v in value.values())
    )
    return None if fits else "must be a dict from the name of a header to the value it must have"


OPTIONS: tuple[Option, ...] = (
    Option(
        "client_id",
        required=True,
        help="the application's Client_Id, from the panel's API page",
    ),
    Option("client_secret", required=True, secret=True, help="its Client_Secret"),
    Option(
        "certificate",
        required=True,
        secret=True,
        help="the application's certificate with its key: the path of a .pem or .p12 file, or "
        "the content of one in base64",
    ),
    Option(
        "certificate_password",
        secret=True,
        help="the password of the .p12 or of the key, where there is one",
    ),
    Option(
        "sandbox",
        kind=bool,
        default=True,
        help="whether credentials and certificate are those of Efi's test environment",
    ),
    Option(
        "pix_key",
        required=True,
        check=_check_key,
        help="the key on which the account receives; it has to belong to the application's account",
    ),
    Option(
        "former_pix_keys",
        kind=list,
        check=_check_keys,
        help="keys of the same account on which older charges may still be paid",
    ),
    Option(
        "account_id",
        help="a name of your own for the Efi account: payments stay bound to it when its "
        "credentials are replaced by new ones",
    ),
    Option(
        "expires_in_seconds",
        kind=int,
        default=3600,
        check=_check_expiry,
        help="how long a charge can be paid",
    ),
    Option(
        "shown_to_payer",
        default=SHOWN_TO_PAYER,
        check=_check_shown,
        help="what the payer's bank shows, with {order_ref} in its place",
    ),
    Option(
        "webhook_mode",
        choices=WEBHOOK_MODES,
        help="how notifications prove where they come from: mtls, a client certificate that your "
        "proxy verifies; or hmac, a secret in the registered address. Without it none is believed",
    ),
    Option(
        "webhook_secret",
        kind=list,
        secret=True,
        check=_check_secrets,
        help="for hmac: the secret in the registered address; several, newest first, while one is "
        "being replaced",
    ),
    Option(
        "webhook_sources",
        kind=list,
        default=[EFI_ADDRESS],
        check=_check_addresses,
        help="for hmac: the addresses that notifications may come from; an empty list for any",
    ),
    Option(
        "webhook_proxies",
        kind=list,
        check=_check_addresses,
        help="your own proxies: only from these are X-Forwarded-For and the headers of "
        "webhook_mtls_headers believed",
    ),
    Option(
        "webhook_mtls_headers",
        kind=dict,
        default=dict(MTLS_HEADERS),
        check=_check_headers,
        help="for mtls: the headers that your proxy sets, and only it, once it has verified the "
        "client certificate, with the values they must have",
    ),
    Option("base_url", check=check_url, help="another address than Efi's own: a simulator"),
    Option(
        "ca_certificate",
        help="the path of the certificate that vouches for base_url, if no public authority does",
    ),
    Option(
        "timeout_seconds",
        kind=int,
        default=20,
        check=_check_timeout,
        help="how long to wait for Efi's answer; afterwards the outcome counts as unknown",
    ),
)


def check_together(
    options: Mapping[str, Any], *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Sequence[str]:
    """What only shows when options are seen side by side; each problem as a sentence."""
    problems = [*_certificate_problems(options, now())]
    mode = options.get("webhook_mode")
    if mode == "hmac" and not options.get("webhook_secret"):
        problems.append(
            'option "webhook_secret" is missing: with webhook_mode "hmac" it is what tells '
            "a notification from a forgery"
        )
    if mode == "mtls" and not options.get("webhook_proxies"):
        problems.append(
            'option "webhook_proxies" is missing: with webhook_mode "mtls" anybody could set the '
            "headers that your proxy sets, unless only the proxy is believed"
        )
    if options.get("sandbox") is False and options.get("base_url"):
        problems.append(
            'option "base_url" sends the credentials of production to another address than '
            "Efi's; leave it out, or set sandbox to True"
        )
    if options.get("ca_certificate") and not options.get("base_url"):
        problems.append(
            'option "ca_certificate" is only for option "base_url": Efi\'s own address is vouched '
            "for by a public authority"
        )
    return problems


def advise(
    options: Mapping[str, Any], *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Sequence[str]:
    """What works today and will not soon; each as a sentence."""
    from .certificates import CertificateError, problem_with, read_identity

    advice = []
    moment = now()
    try:
        identity = read_identity(
            str(options.get("certificate") or ""), options.get("certificate_password")
        )
    except CertificateError:
        return ()
    if problem_with(identity, moment) is None and identity.ends_at - moment < EXPIRES_SOON:
        advice.append(
            f'option "certificate" expires on {identity.ends_at:%Y-%m-%d}: create a new one in '
            "Efi's panel (API, Meus Certificados) before then, or no payment can be asked for"
        )
    if options.get("webhook_mode") == "hmac" and options.get("webhook_sources") == []:
        advice.append(
            'option "webhook_sources" is empty: whoever learns the secret in the registered '
            "address can send notifications from anywhere"
        )
    return advice


def _certificate_problems(options: Mapping[str, Any], now: datetime) -> Sequence[str]:
    # Imported when there is one to look at: this module is read to list what is installed.
    from .certificates import CertificateError, problem_with, read_identity

    certificate = options.get("certificate")
    if not isinstance(certificate, str) or not certificate.strip():
        return ()
    try:
        problem = problem_with(read_identity(certificate, options.get("certificate_password")), now)
    except CertificateError as error:
        problem = str(error)
    return [] if problem is None else [f'option "certificate" {problem}']
