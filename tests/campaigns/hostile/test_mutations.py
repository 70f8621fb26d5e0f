"""Notifications that somebody tampered with: none is believed, whatever byte was touched."""

from __future__ import annotations

import pytest

from .mutating import mutate_and_judge
from .senders import Sender, all_senders

MUTATIONS = 1_250_000


@pytest.mark.parametrize("sender", all_senders(), ids=lambda sender: sender.name)
def test_no_tampered_notification_is_believed(sender: Sender) -> None:
    tally = mutate_and_judge(sender, MUTATIONS, seed=1)
    assert tally.total == MUTATIONS
    assert tally.verdicts[f"{sender.name}: WebhookVerificationError"] > MUTATIONS / 4, str(tally)
