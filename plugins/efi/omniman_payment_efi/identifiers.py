"""The names under which we know things at the gateway, made from our idempotency keys. Pure.

Pix has no idempotency keys: whoever asks chooses the name, and a name is used once. So a name
made from the key is the key. Source: API Pix, schemas TxId and DevolucaoId.
"""

from __future__ import annotations

import hashlib
import re

TXID = re.compile(r"[a-zA-Z0-9]{26,35}")
E2EID = re.compile(r"[a-zA-Z0-9]{32}")
REFUND_ID = re.compile(r"[a-zA-Z0-9]{1,35}")


def txid_of(idempotency_key: str) -> str:
    """The charge's name: 32 characters, the same for the same key and for no other."""
    return _name("txid", idempotency_key)


def refund_id_of(idempotency_key: str) -> str:
    """The refund's name, under the payment that it returns."""
    return _name("devolucao", idempotency_key)


def _name(kind: str, key: str) -> str:
    return hashlib.sha256(f"{kind}:{key}".encode()).hexdigest()[:32]
