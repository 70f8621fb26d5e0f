"""The conformance kit: a backend proves here, against its own gateway, that it can be trusted.

It counts money at the far side and believes no claim. Subclass :class:`BackendConformance`
and give it the three fixtures that it lacks::

    class TestConformance(BackendConformance):
        planted_secrets = ("sk_test_planted",)

        @pytest.fixture
        def registration(self):
            return plugin.register_backend()

        @pytest.fixture
        def driver(self, simulator):
            return MyDriver(simulator)

        @pytest.fixture
        def make_backend(self, simulator):
            return lambda: MyBackend({"url": simulator.url, "api_key": "sk_test_planted"})

The cases are grouped by capability. One for an ability the backend's class lacks, for a
feature its registration declines, or for something the driver cannot do, is skipped and
says why. The kit is versioned with the protocol, and needs pytest.
"""

from __future__ import annotations

import pytest

_GROUPS = ("shape", "holds", "charges", "refunds", "idempotency", "lost_answers", "webhooks")
pytest.register_assert_rewrite(*(f"{__name__}.{group}" for group in (*_GROUPS, "base")))

from ..contracts import PROTOCOL_VERSION  # noqa: E402
from .driver import GatewayDriver  # noqa: E402
from .suite import BackendConformance  # noqa: E402

__all__ = ["KIT_VERSION", "BackendConformance", "GatewayDriver"]

KIT_VERSION = PROTOCOL_VERSION
"""A backend conforms to one version of the protocol, and this is the kit for that one."""
