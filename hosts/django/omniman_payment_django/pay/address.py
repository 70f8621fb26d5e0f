"""Signed addresses of pay pages: made for one order, believed until they expire.

Nothing is stored: whoever holds the address may see the page, and nobody can make one without
the project's ``SECRET_KEY`` (or an older one among ``SECRET_KEY_FALLBACKS``).
"""

from __future__ import annotations

from typing import Protocol

from django.core import signing
from django.http import HttpRequest
from django.urls import reverse

from .options import pay_page

_SALT = "omniman_payment_django.pay"
_LONGEST = 500


class HasRef(Protocol):
    """An order of this project or of another one: all that an address needs of it."""

    @property
    def ref(self) -> str: ...


def pay_url(order: HasRef, request: HttpRequest | None = None) -> str:
    """The address where the order's payment is finished; absolute where a request is given."""
    path = reverse("omniman_payment:pay", args=[_signer().sign_object(order.ref)])
    return path if request is None else request.build_absolute_uri(path)


def order_ref_of(token: str) -> str | None:
    """The order an address was made for; ``None`` for one that is altered, foreign or too old."""
    if len(token) > _LONGEST:
        return None
    try:
        ref = _signer().unsign_object(token, max_age=pay_page().valid_for)
    except (signing.BadSignature, ValueError):
        return None
    return ref if isinstance(ref, str) and ref else None


def _signer() -> signing.TimestampSigner:
    # A colon at the end of a word ends the link in some mail programs; a dot inside does not.
    return signing.TimestampSigner(salt=_SALT, sep=".")
