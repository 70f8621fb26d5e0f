"""The admin: for looking. What payments did can be read by staff and changed by nobody."""

from . import approvals, channels, flags, orders, payments, queue

__all__ = ["approvals", "channels", "flags", "orders", "payments", "queue"]
