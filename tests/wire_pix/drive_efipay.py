"""Drives the simulator with efipay as it is published; run by an interpreter that has only that.

``python drive_efipay.py`` reads where to go from standard input and writes what came, as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from efipay import EfiPay  # type: ignore[import-untyped]

SPAN = {"inicio": "2026-01-01T00:00:00Z", "fim": "2099-01-01T00:00:00Z"}


def before_it_is_paid(efi: Any, asked: dict[str, Any]) -> dict[str, Any]:
    charge = {
        "calendario": {"expiracao": 3600},
        "valor": {"original": "10.00"},
        "chave": asked["pix_key"],
    }
    named = {"txid": asked["txid"]}
    created = efi.pix_create_charge(params=named, body=charge)
    chosen = efi.pix_create_immediate_charge(body=charge)
    withdrawn = {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"}
    return {
        "created": created,
        "again": efi.pix_create_charge(params=named, body=charge),
        "chosen": chosen,
        "withdrawn": efi.pix_update_charge(params={"txid": chosen["txid"]}, body=withdrawn),
        "qr": efi.pix_generate_qrcode(params={"id": created["loc"]["id"]}),
        "detail": efi.pix_detail_charge(params=named),
        "unknown": efi.pix_detail_charge(params={"txid": "u" * 32}),
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
        "too_much": efi.pix_devolution(params={**refund, "id": "sdk2"}, body={"valor": "6.01"}),
        "hook": efi.pix_config_webhook(
            params=hook,
            body={"webhookUrl": asked["hook"]},
            headers={"x-skip-mtls-checking": "true"},
        ),
        "hook_detail": efi.pix_detail_webhook(params=hook),
        "hooks": efi.pix_list_webhook(params=SPAN),
        "hook_gone": efi.pix_delete_webhook(params=hook),
        "no_hook": efi.pix_detail_webhook(params=hook),
    }


def with_wrong_credentials(efi: Any, asked: dict[str, Any]) -> dict[str, Any]:
    return {"refused": efi.pix_detail_charge(params={"txid": asked["txid"]})}


def main() -> None:
    asked = json.load(sys.stdin)

    class Elsewhere(EfiPay):  # type: ignore[misc]
        """The SDK has no option for its address; this is the one way that does not change it."""

        def get_url(self) -> None:
            self.base_url = asked["url"]

    efi = Elsewhere({"sandbox": True, **asked["credentials"]})
    parts = (before_it_is_paid, after_it_was_paid, with_wrong_credentials)
    (part,) = (each for each in parts if each.__name__ == asked["part"])
    # The SDK returns its errors, and texts that look like objects.
    json.dump(part(efi, asked), sys.stdout, default=lambda error: type(error).__name__)


if __name__ == "__main__":
    main()
