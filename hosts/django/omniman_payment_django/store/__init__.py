"""The store over Django's database connection; see :mod:`omniman_payment_django.store.store`."""

from .database import ConcurrentChangeError, NestedTransactionError
from .store import DjangoStore

__all__ = ["ConcurrentChangeError", "DjangoStore", "NestedTransactionError"]
