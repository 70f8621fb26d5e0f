"""Shows a payment that is made elsewhere: a QR code to scan, and the same code to copy.

For every ``next_action`` of the kind ``show_qr``, whoever the gateway is; Pix asks for this.
"""

from __future__ import annotations

import logging
from typing import Any

import segno
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, pgettext

from .presenters import Presentation, Waiting

log = logging.getLogger("omniman_payment.pay")

LONGEST_CODE = 1024
"""Twice what a BR Code may have; a picture of more could not be scanned from a phone."""
QUIET_ZONE = 4
"""Modules of white around the code, as the standard (ISO/IEC 18004) asks for."""


class QrPresenter:
    """The code as a picture and as a text, and how long it can be paid."""

    def present(self, waiting: Waiting) -> Presentation | None:
        code = _code(waiting)
        if code is None:
            log.error("a next_action of kind show_qr has no code that can be shown")
            return None
        return Presentation(
            template="omniman_payment_django/pay/show_qr.html",
            data={
                "expiresIn": waiting.seconds_left(timezone.now()),
                "texts": _texts(),
            },
            context={"code": code, "picture": picture(code)},
            step="qr",
            scripts=("omniman_payment_django/pay/show_qr.js",),
            styles=("omniman_payment_django/pay/show_qr.css",),
            needs_script=False,
            paid_elsewhere=True,
        )


def picture(code: str) -> SafeString | None:
    """The QR code as SVG for the page itself; ``None`` where it would not fit into one."""
    try:
        made = segno.make_qr(code, error="m")
    except (segno.DataOverflowError, ValueError):
        return None
    drawn = made.svg_inline(
        border=QUIET_ZONE, omitsize=True, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    # Made of numbers by the library; the code itself does not stand in it.
    return mark_safe(drawn)


def _code(waiting: Waiting) -> str | None:
    """What is to be scanned or copied, under either of its names."""
    for name in ("copy_paste", "qr_code"):
        code = waiting.data.get(name)
        if isinstance(code, str) and 0 < len(code) <= LONGEST_CODE and code.isprintable():
            return code
    return None


def _texts() -> dict[str, Any]:
    """What the script says, in the page's language."""
    return {
        "copied": pgettext("pay page", "Copied"),
        "notCopied": gettext("Please select the code and copy it yourself."),
        "left": {
            "600": gettext("10 minutes left to pay."),
            "300": gettext("5 minutes left to pay."),
            "60": gettext("1 minute left to pay."),
        },
    }
