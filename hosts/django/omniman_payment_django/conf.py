"""The host's own entries of ``settings.OMNIMAN``; everything else in it is the core's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .orders import OrderAdapter

ORDER_ADAPTER = "ORDER_ADAPTER"
DATABASE = "DATABASE"


def omniman() -> Mapping[str, Any]:
    """``settings.OMNIMAN``."""
    value = getattr(settings, "OMNIMAN", {})
    if not isinstance(value, Mapping):
        raise ImproperlyConfigured(f"settings.OMNIMAN is a {type(value).__name__}, not a dict")
    return value


def database() -> str:
    """The alias of the database that holds the payment tables, and the orders."""
    alias = omniman().get(DATABASE, "default")
    if not isinstance(alias, str) or alias not in settings.DATABASES:
        known = ", ".join(f'"{name}"' for name in settings.DATABASES)
        raise ImproperlyConfigured(
            f'OMNIMAN["{DATABASE}"] is no alias of DATABASES; known: {known}'
        )
    return alias


def order_adapter(using: str) -> OrderAdapter | None:
    """The project's own orders, where ``OMNIMAN["ORDER_ADAPTER"]`` names an adapter."""
    path = omniman().get(ORDER_ADAPTER)
    if path is None:
        return None
    where = f'OMNIMAN["{ORDER_ADAPTER}"]'
    if not isinstance(path, str):
        raise ImproperlyConfigured(
            f"{where} is a {type(path).__name__}; it has to be the dotted path of an OrderAdapter"
        )
    try:
        factory = import_string(path)
        adapter = factory(using)
    except Exception as error:
        raise ImproperlyConfigured(f'{where}: "{path}" cannot be used: {error}') from error
    missing = [
        name
        for name in ("load", "write_summaries", "fire")
        if not callable(getattr(adapter, name, None))
    ]
    if missing:
        raise ImproperlyConfigured(f'{where}: "{path}" has no {", ".join(missing)}()')
    return adapter  # type: ignore[no-any-return]
