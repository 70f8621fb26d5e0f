"""The state machine of the properties, left to itself for far longer than beside every change."""

from __future__ import annotations

from hypothesis import settings

from tests.core.test_properties import ShopMachine

TestShopUnderLongFire = ShopMachine.TestCase
TestShopUnderLongFire.settings = settings(max_examples=1000, stateful_step_count=50)
