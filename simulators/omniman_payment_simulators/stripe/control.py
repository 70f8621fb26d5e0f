"""The far side for tests and demos: shoppers, banks and dashboards, over HTTP.

Works for a simulator in this process and in another one alike.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

Json = dict[str, Any]


class ControlError(Exception):
    """The simulator refused: says why."""


class StripeControl:
    """Plays everybody but the shop. Amounts are in Stripe's units."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + "/_simulator"

    # Money

    def ledger(self) -> Json:
        """Every movement of money, and for each order what is held and what moved in all."""
        return dict(self._call("GET", "/ledger"))

    def moved(self, order_ref: str) -> int:
        """What was really taken for an order, less what went back."""
        return int(self.ledger()["orders"].get(order_ref, {}).get("moved", 0))

    def held(self, order_ref: str) -> int:
        """What is held for an order, neither taken nor released."""
        return int(self.ledger()["orders"].get(order_ref, {}).get("held", 0))

    # Shoppers and banks

    def pay(self, intent: str, payment_method: str = "pm_card_visa") -> Json:
        """The shopper gives a card on the page; the PaymentIntent afterwards."""
        return self._post(f"/payment_intents/{intent}/pay", payment_method=payment_method)

    def authenticate(self, intent: str, success: bool = True) -> Json:
        """The shopper passes 3-D Secure, or does not."""
        return self._post(f"/payment_intents/{intent}/authenticate", success=success)

    def start_processing(self, intent: str) -> Json:
        """The payment method takes its time."""
        return self._post(f"/payment_intents/{intent}/start_processing")

    def finish_processing(self, intent: str, success: bool = True) -> Json:
        """The payment method is done."""
        return self._post(f"/payment_intents/{intent}/finish_processing", success=success)

    def decline_next(self, code: str = "generic_decline") -> None:
        """The next card that is confirmed is declined, with this decline code."""
        self._post("/decline_next", code=code)

    def refund_outside(self, intent: str, amount: int) -> Json:
        """Somebody refunds in the dashboard."""
        return self._post(f"/payment_intents/{intent}/refund", amount=amount)

    def settle_refund(self, refund: str, status: str = "succeeded") -> Json:
        """A refund comes to its end: ``succeeded`` or ``failed``."""
        return self._post(f"/refunds/{refund}/settle", status=status)

    def dispute(self, intent: str, amount: int | None = None) -> Json:
        """The shopper's bank takes money back."""
        more = {} if amount is None else {"amount": amount}
        return self._post(f"/payment_intents/{intent}/dispute", **more)

    def close_dispute(self, dispute: str, status: str = "won") -> Json:
        """The bank decides: ``won`` or ``lost``."""
        return self._post(f"/disputes/{dispute}/close", status=status)

    # Faults and time

    def fault(self, **fault: Any) -> None:
        """Let the next requests that fit meet a fault; see ``common.faults.Fault``."""
        self._call("POST", "/faults", fault)

    def clear_faults(self) -> None:
        """No more faults."""
        self._call("DELETE", "/faults")

    def advance(self, seconds: int) -> None:
        """Let time pass: holds lapse, keys are forgotten, banks finish refunds."""
        self._post("/clock/advance", seconds=seconds)

    def set_index_delay(self, seconds: int) -> None:
        """How long a search misses what was made."""
        self._post("/index_delay", seconds=seconds)

    def reset(self) -> None:
        """Empty books, no endpoints, no faults; the time stays where it is."""
        self._post("/reset")

    # What went over the wire

    def requests(self) -> list[Json]:
        """Every request so far: method, path, params, idempotency_key, status, response."""
        return list(self._call("GET", "/requests"))

    def events(self) -> list[Json]:
        """Every event so far, oldest first."""
        return list(self._call("GET", "/events"))

    # Notifications

    def add_webhook_endpoint(self, url: str, secret: str) -> None:
        """Have every event sent there from now on."""
        self._post("/webhook_endpoints", url=url, secret=secret)

    def webhook_endpoints(self) -> list[Json]:
        """Where events are sent."""
        return list(self._call("GET", "/webhook_endpoints"))

    def webhook(self, intent: str) -> Json:
        """The newest event of a PaymentIntent, signed now: ``headers`` and ``body``."""
        return self._post(f"/payment_intents/{intent}/webhook")

    def sign(self, event: str) -> Json:
        """An event, signed now: ``headers`` and ``body``."""
        return self._post(f"/events/{event}/sign")

    def pause(self) -> None:
        """Keep events back."""
        self._post("/deliveries/pause")

    def resume(self) -> None:
        """Send what was kept back."""
        self._post("/deliveries/resume")

    def flush(self, patience: float = 10.0) -> bool:
        """Wait until every event that is on its way was taken; whether that came about."""
        return bool(self._post("/deliveries/flush", patience=patience)["done"])

    def _post(self, path: str, **given: Any) -> Json:
        return dict(self._call("POST", path, given))

    def _call(self, method: str, path: str, given: Json | None = None) -> Any:
        request = urllib.request.Request(
            self._url + path,
            json.dumps(given).encode() if given is not None else None,
            {"Content-Type": "application/json"},
            method=method,
        )
        refused: str | None = None
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                refused = json.load(error)["error"].get("message", "refused")
        raise ControlError(refused)
