"""The admin: for looking. What payments did can be read by staff and changed by nobody."""

from . import channels, flags, orders, payments, queue

__all__ = ["channels", "flags", "orders", "payments", "queue"]
