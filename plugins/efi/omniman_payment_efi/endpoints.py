"""What can be called at Efi, taken from its own SDK: its table of names, methods and routes.

Only the table. The SDK's client has no deadlines, returns its errors and is not made for
threads; :mod:`omniman_payment_efi.transport` is what calls.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from efipay import Constants  # type: ignore[import-untyped]

from omniman_payment_core.errors import InvalidRequestError

from .identifiers import E2EID, REFUND_ID, TXID

_PIX = Constants.APIS["PIX"]
PRODUCTION: str = _PIX["URL"]["production"]
SANDBOX: str = _PIX["URL"]["sandbox"]

_PLACE = re.compile(r":(\w+)")
_FORMS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "txid": TXID,
        "e2eId": E2EID,
        "id": REFUND_ID,
        "chave": re.compile(r"(?!\.{1,2}$)[^/?#\s]{1,77}"),
    }
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call: how, and where."""

    method: str
    route: str

    @property
    def changes(self) -> bool:
        """Whether it may have an effect."""
        return self.method != "GET"

    def path(self, given: Mapping[str, str]) -> str:
        """The route with its places filled.

        :raises InvalidRequestError: a value that could lead to another route.
        """

        def fill(place: re.Match[str]) -> str:
            name = place[1]
            value = given[name]
            if not _FORMS[name].fullmatch(value):
                raise InvalidRequestError(f"{name} has not the form that API Pix asks for")
            return quote(value, safe="")

        return _PLACE.sub(fill, self.route)


def endpoint(name: str) -> Endpoint:
    """A call by the SDK's name for it."""
    entry = _PIX["ENDPOINTS"][name]
    return Endpoint(entry["method"].upper(), entry["route"])


AUTHORIZE = endpoint("authorize")
CREATE_CHARGE = endpoint("pix_create_charge")
READ_CHARGE = endpoint("pix_detail_charge")
CHANGE_CHARGE = endpoint("pix_update_charge")
LIST_CHARGES = endpoint("pix_list_charges")
LIST_RECEIVED = endpoint("pix_list_received")
REFUND = endpoint("pix_devolution")
READ_REFUND = endpoint("pix_detail_devolution")
SET_WEBHOOK = endpoint("pix_config_webhook")
READ_WEBHOOK = endpoint("pix_detail_webhook")
DELETE_WEBHOOK = endpoint("pix_delete_webhook")
