"""Drives the simulator with efipay as it is published; run by an interpreter that has only that.

``python drive_efipay.py`` reads where to go from standard input and writes what came, as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from efipay import EfiPay  # type: ignore[import-untyped]

SPAN = {"inicio": "2026-01-01T00:00:00Z", "fim": "2099-01-01T00:00:00Z"}
TXID = "sdk0123456789abcdef0123456789abc"


def before_it_is_paid(efi: Any, asked: dict[str, Any]) -> dict[str, Any]:
    charge = {
        "calendario": {"expiracao": 3600},
        "valor": {"original": "10.00"},
        "chave": asked["pix_key"],
    }
    created = efi.pix_create_charge(params={"txid": TXID}, body=charge)
    return {
        "created": created,
        "again": efi.pix_create_charge(params={"txid": TXID}, body=charge),
        "named": efi.pix_create_immediate_charge(body=charge),
        "qr": efi.pix_generate_qrcode(params={"id": created["loc"]["id"]}),
        "detail": efi.pix_detail_charge(params={"txid": TXID}),
        "charges": efi.pix_list_charges(params=SPAN),
    }


def after_it_was_paid(efi: Any, asked: dict[str, Any]) -> dict[str, Any]:
    refund = {"e2eId": asked["e2eid"], "id": "sdk1"}
    hook = {"chave": asked["pix_key"]}
    return {
        "received": efi.pix_list_received(params=SPAN),
        "payment": efi.pix_detail_received(params={"e2eId": asked["e2eid"]}),
        "refund": efi.pix_devolution(params=refund, body={"valor": "4.00"}),
        "refund_detail": efi.pix_detail_devolution(params=refund),
        "hook": efi.pix_config_webhook(
            params=hook,
            body={"webhookUrl": asked["hook"]},
            headers={"x-skip-mtls-checking": "true"},
        ),
        "hook_detail": efi.pix_detail_webhook(params=hook),
        "hooks": efi.pix_list_webhook(params=SPAN),
        "hook_gone": efi.pix_delete_webhook(params=hook),
    }


def main() -> None:
    asked = json.load(sys.stdin)

    class Elsewhere(EfiPay):  # type: ignore[misc]
        """The SDK has no option for its address; this is the one way that does not change it."""

        def get_url(self) -> None:
            self.base_url = asked["url"]

    efi = Elsewhere({"sandbox": True, **asked["credentials"]})
    live = after_it_was_paid if "e2eid" in asked else before_it_is_paid
    # The SDK returns its errors, and texts that look like objects.
    json.dump(live(efi, asked), sys.stdout, default=repr)


if __name__ == "__main__":
    main()
