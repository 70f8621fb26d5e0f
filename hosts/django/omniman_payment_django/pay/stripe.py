"""Shows a payment that Stripe.js finishes in the browser: a card form, or 3-D Secure.

Imports nothing of Stripe's: it reads the ``next_action`` and knows the browser's side.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from .options import STRIPE_JS, origin_of, pay_page
from .presenters import Presentation, Waiting

log = logging.getLogger("omniman_payment.pay")

MODES = ("pay", "authenticate")

# What Stripe's integration security guide asks for.
_STRIPE_CSP: Mapping[str, Sequence[str]] = {
    "script-src": ("https://js.stripe.com", "https://*.js.stripe.com"),
    "frame-src": (
        "https://js.stripe.com",
        "https://*.js.stripe.com",
        "https://hooks.stripe.com",
    ),
    "connect-src": ("https://api.stripe.com",),
}


class StripePresenter:
    """Stripe's Payment Element (``pay``), or the bank's question (``authenticate``)."""

    def present(self, waiting: Waiting) -> Presentation | None:
        data = waiting.data
        secret, key, mode = (data.get(n) for n in ("client_secret", "publishable_key", "mode"))
        if not isinstance(secret, str) or not secret or mode not in MODES:
            log.error("a next_action of Stripe has no client_secret, or a mode nobody knows")
            return None
        if not isinstance(key, str) or not key.startswith("pk_"):
            # Whatever else stands there may be the account's own secret: it stays here.
            log.error("a next_action of Stripe has no publishable_key (pk_...)")
            return None
        script = pay_page().stripe_js
        return Presentation(
            template=f"omniman_payment_django/pay/stripe_{mode}.html",
            data={"script": script, "publishableKey": key, "clientSecret": secret, "mode": mode},
            step=str(mode),
            scripts=("omniman_payment_django/pay/stripe.js",),
            csp=_csp_for(script),
            payment_origins=(origin_of(script),),
        )


def _csp_for(script: str) -> Mapping[str, Sequence[str]]:
    origin = origin_of(script)
    if origin == origin_of(STRIPE_JS):
        return _STRIPE_CSP
    return dict.fromkeys(_STRIPE_CSP, (origin,))
