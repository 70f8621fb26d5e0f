"""What was told outlives whoever was killed while telling it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from omniman_payment_core.notices import PaymentChange
from omniman_payment_core.values import PaymentStatus

from .witness import Witness, heard_in


def _change(version: int, status: PaymentStatus) -> PaymentChange:
    return PaymentChange(
        payment_id="pay-1",
        order_ref="O1",
        account="shop",
        previous=None,
        status=status,
        amount_q=1000,
        currency="BRL",
        authorized_q=1000,
        captured_q=0,
        refunded_q=0,
        disputed_q=0,
        version=version,
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_a_line_that_a_kill_has_torn_is_not_read_and_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "told"
    witness = Witness(file)
    witness.payment_changed(_change(1, PaymentStatus.AUTHORIZED))
    whole = file.read_bytes()
    for torn in range(1, len(whole)):
        file.write_bytes(whole + whole[:torn])
        Witness(file).payment_changed(_change(2, PaymentStatus.CAPTURED))
        heard = [("pay-1", 1, "authorized"), ("pay-1", 2, "captured")]
        assert list(heard_in(file)) == heard, torn
