"""What the institution keeps: accounts, charges, payments, refunds, registered addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OPEN = "ATIVA"
PAID = "CONCLUIDA"
REMOVED = "REMOVIDA_PELO_USUARIO_RECEBEDOR"
REMOVED_BY_PSP = "REMOVIDA_PELO_PSP"

PROCESSING = "EM_PROCESSAMENTO"
RETURNED = "DEVOLVIDO"
NOT_DONE = "NAO_REALIZADO"


@dataclass(slots=True)
class Webhook:
    """Where an account is told of payments to one of its keys."""

    url: str
    created_at: float
    skip_mtls: bool


@dataclass(slots=True)
class Account:
    """One receiver: credentials, keys, and the number it is registered under."""

    client_id: str
    client_secret: str = field(repr=False)
    keys: list[str]
    cnpj: str
    name: str
    webhooks: dict[str, Webhook] = field(default_factory=dict)


@dataclass(slots=True)
class Refund:
    """One return of a payment, or of a part of it."""

    id: str
    rtr_id: str
    amount_q: int
    asked_at: float
    status: str = PROCESSING
    settled_at: float | None = None
    description: str = ""
    reason: str = ""


@dataclass(slots=True)
class Payment:
    """One Pix that arrived."""

    e2eid: str
    txid: str
    key: str
    amount_q: int
    at: float
    payer_info: str = ""
    refunds: list[Refund] = field(default_factory=list)

    @property
    def left_q(self) -> int:
        """What can still be returned."""
        return self.amount_q - sum(r.amount_q for r in self.refunds if r.status != NOT_DONE)


@dataclass(slots=True)
class Charge:
    """One immediate charge (``cob``)."""

    txid: str
    owner: str
    key: str
    amount_q: int
    created_at: float
    lives: int
    location: int
    body: dict[str, Any]
    """What was asked for, as it came."""
    status: str = OPEN
    revision: int = 0
    payments: list[Payment] = field(default_factory=list)

    @property
    def ends_at(self) -> float:
        return self.created_at + self.lives

    @property
    def order_ref(self) -> str:
        """The shop's own name for it, where it says one."""
        for info in self.body.get("infoAdicionais") or ():
            if info.get("nome") == "order_ref":
                return str(info.get("valor", ""))
        return ""
