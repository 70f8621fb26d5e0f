"""The tables: names and types of columns. Rules live in the core, statements in the store."""

from .approvals import RefundRequest
from .channels import Channel
from .directives import Directive
from .flags import Flag
from .flow import TransitionError
from .inbox import PaymentNotice, WebhookDelivery
from .ledger import AppendOnlyError, GatewayCall, PaymentEvent
from .orders import Order, OrderEvent, Session
from .payments import Payment, PaymentOperation, Refund
from .reconciling import Reconciliation

__all__ = [
    "AppendOnlyError",
    "Channel",
    "Directive",
    "Flag",
    "GatewayCall",
    "Order",
    "OrderEvent",
    "Payment",
    "PaymentEvent",
    "PaymentNotice",
    "PaymentOperation",
    "Reconciliation",
    "Refund",
    "RefundRequest",
    "Session",
    "TransitionError",
    "WebhookDelivery",
]
