"""``payments webhook show|register|remove ACCOUNT``: where a gateway sends its notifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import CommandError, CommandParser, OutputWrapper
from django.urls import NoReverseMatch, reverse

from omniman_payment_core.errors import PaymentError
from omniman_payment_core.plugins import Account
from omniman_payment_core.values import WebhookRegistration
from omniman_payment_django.asking import asked
from omniman_payment_django.runtime import get_registry

HELP = (
    "Show, register or remove the address that a gateway sends its notifications to, where the "
    "gateway can be told (Pix at Efi)."
)
ABILITIES = {
    "show": "registered_webhook",
    "register": "register_webhook",
    "remove": "remove_webhook",
}


def add_arguments(parser: CommandParser) -> None:
    """What to do, for which account, and from where the shop is reached."""
    parser.add_argument("action", choices=list(ABILITIES))
    parser.add_argument("account", metavar="ACCOUNT", help="its name in the settings")
    parser.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help="for register: the shop's own https address (https://shop.example); the path of the "
        "webhook is appended, unless the address has a path already",
    )


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Do it, and say what is registered afterwards."""
    action, name, url = options["action"], options["account"], options["url"]
    if (url is not None) != (action == "register"):
        raise CommandError('"register" needs the shop\'s address, the others take none')
    try:
        account = get_registry().account(name)
        if ABILITIES[action] not in account.abilities:
            raise CommandError(
                f'account "{name}" ({account.plugin}) cannot be told where to send notifications; '
                "enter the address in the gateway's own dashboard"
            )
        address = _address(name, str(url)) if action == "register" else ""
        out.write(asked(lambda: _describe(_carry_out(account, action, address))))
    except PaymentError as error:
        raise CommandError(get_registry().scrubber.text(str(error))) from None


def _carry_out(account: Account, action: str, address: str) -> WebhookRegistration | None:
    registered: WebhookRegistration | None = None
    if action == "register":
        registered = account.backend.register_webhook(address)
    elif action == "remove":
        account.backend.remove_webhook()
    else:
        registered = account.backend.registered_webhook()
    return registered


def _address(account: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.netloc or parts.query or parts.fragment:
        raise CommandError(
            "URL has to be an https address without a query, such as https://shop.example"
        )
    if parts.path not in ("", "/"):
        return url
    try:
        path = reverse("omniman_payment:webhook", args=[account])
    except NoReverseMatch:
        raise CommandError(
            'the webhook endpoint is not part of the URLs of this project: put path("payments/", '
            'include("omniman_payment_django.urls")) into them, or give the whole address'
        ) from None
    return f"{parts.scheme}://{parts.netloc}{path}"


def _describe(registered: WebhookRegistration | None) -> str:
    if registered is None:
        return "no address is registered: payments are found by asking"
    since = (
        f", since {registered.created_at:%Y-%m-%d %H:%M} UTC"
        if registered.created_at is not None
        else ""
    )
    return f"notifications are sent to {registered.url}{since}"
