"""The far side for tests and demos: payers, banks and Efi's own app, over HTTP.

Works for a simulator in this process and in another one alike. Amounts are in centavos.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

Json = dict[str, Any]


class ControlError(Exception):
    """The simulator refused: says why."""


class PixControl:
    """Plays everybody but the shop."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + "/_simulator"

    # Money

    def ledger(self) -> Json:
        """Every movement of money, and for each order what was moved in all."""
        return dict(self._call("GET", "/ledger"))

    def moved(self, order_ref: str) -> int:
        """What was really paid for an order, less what went back."""
        return int(self.ledger()["orders"].get(order_ref, {}).get("moved", 0))

    # Payers and banks

    def pay(
        self,
        txid: str,
        amount_q: int | None = None,
        *,
        in_flight: bool = False,
        pix_key: str | None = None,
        payer_info: str | None = None,
    ) -> Json:
        """A payer pays a charge; ``in_flight``: although it has ended meanwhile.

        ``pix_key`` tells charges of the same txid apart, which two accounts may have.
        """
        return self._post(
            f"/cob/{txid}/pay",
            amount_q=amount_q,
            in_flight=in_flight,
            pix_key=pix_key,
            payer_info=payer_info,
        )

    def remove(self, txid: str, *, pix_key: str | None = None) -> None:
        """The institution itself withdraws a charge: ``REMOVIDA_PELO_PSP``."""
        self._post(f"/cob/{txid}/remove", pix_key=pix_key)

    def refund_outside(self, txid: str, amount_q: int, *, pix_key: str | None = None) -> Json:
        """Somebody returns money in Efi's own app."""
        return self._post(f"/cob/{txid}/refund", amount_q=amount_q, pix_key=pix_key)

    def returns(self, mode: str) -> None:
        """How new refunds behave: ``at_once``, ``wait`` or ``refuse``."""
        self._post("/returns", mode=mode)

    def settle_return(self, e2eid: str, number: str, status: str = "DEVOLVIDO") -> Json:
        """A refund comes to its end: ``DEVOLVIDO`` or ``NAO_REALIZADO``."""
        return self._post(f"/devolucao/{e2eid}/{number}/settle", status=status)

    def auto_pay(self, on: bool = True) -> None:
        """Have charges of up to R$ 10,00 paid at once, as in Efi's test environment."""
        self._post("/auto_pay", on=on)

    def decline_next(self, nome: str = "documento_bloqueado") -> None:
        """The next charge is refused with this word."""
        self._post("/decline_next", nome=nome)

    def add_account(self, client_id: str, client_secret: str, pix_key: str) -> None:
        """Another tenant of the same institution."""
        self._post("/accounts", client_id=client_id, client_secret=client_secret, pix_key=pix_key)

    # Faults and time

    def fault(self, **fault: Any) -> None:
        """Let the next requests that fit meet a fault; see ``common.faults.Fault``."""
        self._call("POST", "/faults", fault)

    def clear_faults(self) -> None:
        """No more faults."""
        self._call("DELETE", "/faults")

    def advance(self, seconds: int) -> None:
        """Let time pass: charges and tokens end."""
        self._post("/clock/advance", seconds=seconds)

    def expire_tokens(self) -> None:
        """No token given so far is good any more."""
        self._post("/tokens/expire")

    def tokens_issued(self) -> int:
        """How many tokens were given."""
        return int(self._call("GET", "/tokens")["issued"])

    def reset(self) -> None:
        """Empty books, no addresses, no faults; the time stays where it is."""
        self._post("/reset")

    # What went over the wire

    def requests(self) -> list[Json]:
        """Every request so far: method, path, query, headers, body, status, response."""
        return list(self._call("GET", "/requests"))

    # Notifications

    def webhook(self, txid: str) -> Json:
        """The notification about a charge's payments: ``headers``, ``body`` and ``query``."""
        return self._post(f"/cob/{txid}/webhook")

    def pause(self) -> None:
        """Keep notifications back."""
        self._post("/deliveries/pause")

    def resume(self, *, together: bool = False) -> None:
        """Send what was kept back; ``together``: in one notification for each address."""
        self._post("/deliveries/resume", together=together)

    def flush(self, patience: float = 10.0) -> bool:
        """Wait until every notification that is on its way was taken; whether that came about."""
        return bool(self._post("/deliveries/flush", patience=patience)["done"])

    def repeat(self) -> None:
        """Deliver every notification so far once more."""
        self._post("/deliveries/repeat")

    def _post(self, path: str, **given: Any) -> Json:
        sent = {name: value for name, value in given.items() if value is not None}
        return dict(self._call("POST", path, sent))

    def _call(self, method: str, path: str, given: Json | None = None) -> Any:
        request = urllib.request.Request(
            self._url + path,
            json.dumps(given).encode() if given is not None else None,
            {"Content-Type": "application/json"},
            method=method,
        )
        refused = ""
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                refused = str(json.load(error).get("mensagem", "refused"))
        raise ControlError(refused)
