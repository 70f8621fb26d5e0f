"""Signs notifications: docs.stripe.com/webhooks, "Verify webhook signatures manually"."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping


def signed_headers(secret: str, body: bytes) -> Mapping[str, str]:
    """The header of a body that is sent now. By the machine's clock: receivers have no other."""
    now = str(int(time.time()))
    signature = hmac.digest(secret.encode(), now.encode() + b"." + body, "sha256").hex()
    return {"Stripe-Signature": f"t={now},v1={signature}"}
