"""A project whose gateway is slow and shared between processes: for workers that are stopped."""

from __future__ import annotations

import os

from tests.django_settings import *  # noqa: F403 -- a settings module extends another this way

OMNIMAN = {
    "PAYMENT_BACKENDS": {
        "mock": {
            "plugin": "mock",
            "config": {"state_file": os.environ["OMNIMAN_TEST_GATEWAY"], "latency_ms": 400},
        }
    },
    "DEFAULT_PAYMENT_BACKEND": "mock",
}
