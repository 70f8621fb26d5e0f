"""The pay page's settings, changed for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.conf import settings


@contextmanager
def pay_page_with(**options: Any) -> Iterator[None]:
    """``OMNIMAN["PAY_PAGE"]`` with these options.

    Changed in place: ``override_settings`` would make the process forget its registry, and with
    it a test's gateway.
    """
    with patch.dict(settings.OMNIMAN, PAY_PAGE=options):
        yield
