"""Efi's notifications: believed for where they come from, then read for which charge to look at.

The body is not signed, so nothing in it counts but the name of a charge; what was paid is read
from Efi itself. Source: Efi's "Webhooks" page of API Pix.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from omniman_payment_core.bodies import read_object
from omniman_payment_core.errors import WebhookPayloadError, WebhookVerificationError
from omniman_payment_core.values import WebhookEvent

from .config import Config, Network
from .identifiers import REFUND_ID, TXID
from .reading import moment

MAX_BODY = 256 * 1024
MAX_ENTRIES = 500
SECRET = "hmac"
"""The parameter that carries the secret in the registered address. It signs nothing."""

_QUERY, _PEER, _FORWARDED = ":query", ":peer", "x-forwarded-for"
_SUFFIX = "/pix"
"""Efi appends it to the end of whatever address is registered."""
_LONGEST_HEADER = 4096
_E2EID = re.compile(r"[a-zA-Z0-9]{1,64}")
"""Efi's own examples have shorter ones than API Pix; here they only tell events apart."""


def address(url: str, config: Config) -> str:
    """The address to register: in mode ``hmac`` with the secret, and room for the suffix."""
    if config.webhook_mode != "hmac":
        return url
    return f"{url}?{SECRET}={config.webhook_secrets[0]}&ignorar="


def verify(headers: Mapping[Any, Any], config: Config) -> None:
    """Make sure that the notification comes from where the account's mode says.

    :raises WebhookVerificationError: it does not, or there is no saying.
    """
    given = {str(k).lower(): v for k, v in headers.items() if isinstance(v, str)}
    match config.webhook_mode:
        case "mtls":
            _verify_certificate(given, config)
        case "hmac":
            _verify_secret(given, config)
        case _:
            raise WebhookVerificationError('the account has no option "webhook_mode"')


def read_events(body: Any, keys: Sequence[str]) -> Sequence[WebhookEvent]:
    """One event for each payment and each refund in the notification; none for a mere test.

    :raises WebhookPayloadError: the body is not a notification.
    """
    if type(body) is not bytes or len(body) > MAX_BODY:
        raise WebhookPayloadError(f"the body must be bytes, at most {MAX_BODY}")
    if not body.strip():
        # Registering an address has it tried with an empty body.
        return ()
    listed = read_object(body).get("pix", [])
    if type(listed) is not list or len(listed) > MAX_ENTRIES:
        raise WebhookPayloadError(f"pix is not a list of at most {MAX_ENTRIES} entries")
    events: dict[str, WebhookEvent] = {}
    for entry in listed:
        for event in events_of(entry, keys):
            events.setdefault(event.event_id, event)
    return tuple(events.values())


def events_of(entry: Any, keys: Sequence[str]) -> Iterator[WebhookEvent]:
    """The payment of an entry and what went back of it, each recognisable when it comes again."""
    if type(entry) is not dict:
        raise WebhookPayloadError("an entry of pix is not an object")
    e2eid = entry.get("endToEndId")
    if type(e2eid) is not str or not _E2EID.fullmatch(e2eid):
        raise WebhookPayloadError("an entry of pix has no endToEndId")
    txid, ours = entry.get("txid"), entry.get("chave", keys[0]) in keys
    outgoing = "tipo" in entry and txid is None
    known = ours and type(txid) is str and TXID.fullmatch(txid)
    transaction_id = txid if known else None
    at = _at(entry.get("horario"))
    yield WebhookEvent(
        f"pix:{e2eid}", "pix.sent" if outgoing else "pix.received", transaction_id, at
    )
    refunds = entry.get("devolucoes") or []
    if type(refunds) is not list or len(refunds) > MAX_ENTRIES:
        raise WebhookPayloadError("devolucoes is not a list")
    for refund in refunds:
        number = refund.get("id") if type(refund) is dict else None
        if type(number) is not str or not REFUND_ID.fullmatch(number):
            raise WebhookPayloadError("a refund has no id")
        status = str(refund.get("status", ""))[:32]
        word = status.lower() if status.replace("_", "").isalpha() and status.isascii() else "?"
        yield WebhookEvent(f"pix:{e2eid}:{number}:{word}", f"pix.refund.{word}", transaction_id, at)


def _verify_certificate(headers: Mapping[str, str], config: Config) -> None:
    if not _is_in(headers.get(_PEER, ""), config.webhook_proxies):
        raise WebhookVerificationError("it does not come through one of the webhook_proxies")
    for name, expected in config.webhook_mtls_headers.items():
        value = headers.get(name, "")
        if len(value) > _LONGEST_HEADER or not _same(value, expected):
            raise WebhookVerificationError(
                f"the proxy's header {name} does not tell of a verified client certificate"
            )


def _verify_secret(headers: Mapping[str, str], config: Config) -> None:
    query = headers.get(_QUERY, "")
    try:
        parameters = parse_qsl(query[:_LONGEST_HEADER], max_num_fields=20)
    except ValueError:
        parameters = []
    offered = [value.removesuffix(_SUFFIX) for name, value in parameters if name == SECRET]
    if len(offered) != 1:
        raise WebhookVerificationError(f"exactly one parameter {SECRET} is expected")
    authentic = False
    for secret in config.webhook_secrets:
        # No early exit: the time taken tells nothing about which secret is in use.
        authentic |= _same(offered[0], secret)
    if not authentic:
        raise WebhookVerificationError(f"the parameter {SECRET} does not fit")
    if config.webhook_sources and not _is_in(_source(headers, config), config.webhook_sources):
        raise WebhookVerificationError("it does not come from one of the webhook_sources")


def _source(headers: Mapping[str, str], config: Config) -> str:
    """Who sent it: behind our own proxies, the last address that one of them has written down."""
    peer = headers.get(_PEER, "")
    path = [*headers.get(_FORWARDED, "")[-_LONGEST_HEADER:].split(","), peer]
    for address_ in reversed([each.strip() for each in path]):
        if not _is_in(address_, config.webhook_proxies):
            return address_
    return peer


def _is_in(text: str, networks: Sequence[Network]) -> bool:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _at(text: object) -> datetime | None:
    """Only told, never relied on."""
    try:
        return moment(text)
    except ValueError:
        return None
