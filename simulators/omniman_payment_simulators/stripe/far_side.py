"""The control API: what shoppers, banks and dashboards do, over plain JSON without a key."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ..common.clock import Clock
from ..common.deliveries import Deliveries
from ..common.faults import Faults, read_fault
from . import confirming, disputes, intents, listeners, refunds
from .errors import ApiError, invalid
from .http import Api
from .objects import dispute_of, intent_of, refund_of
from .signing import signed_headers
from .state import State

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PREFIX = "/_simulator"


class FarSide:
    """The routes under ``/_simulator``."""

    def __init__(
        self,
        state: State,
        clock: Clock,
        faults: Faults,
        deliveries: Deliveries,
        api: Api,
        webhook_secret: str,
    ) -> None:
        self._state = state
        self._clock = clock
        self._faults = faults
        self._deliveries = deliveries
        self._api = api
        self._secret = webhook_secret

    def add_to(self, app: web.Application) -> None:
        """Serve the routes."""
        intent = PREFIX + "/payment_intents/{id}"
        for method, path, answer in (
            ("GET", f"{PREFIX}/ledger", self.ledger),
            ("GET", f"{PREFIX}/requests", self.requests),
            ("GET", f"{PREFIX}/events", self.events),
            ("POST", f"{PREFIX}/events/{{id}}/sign", self.sign_event),
            ("POST", f"{PREFIX}/faults", self.add_fault),
            ("DELETE", f"{PREFIX}/faults", self.clear_faults),
            ("POST", f"{PREFIX}/decline_next", self.decline_next),
            ("POST", f"{intent}/pay", self.pay),
            ("POST", f"{intent}/authenticate", self.authenticate),
            ("POST", f"{intent}/start_processing", self.start_processing),
            ("POST", f"{intent}/finish_processing", self.finish_processing),
            ("POST", f"{intent}/refund", self.refund),
            ("POST", f"{intent}/dispute", self.dispute),
            ("POST", f"{intent}/webhook", self.webhook),
            ("POST", f"{PREFIX}/refunds/{{id}}/settle", self.settle_refund),
            ("POST", f"{PREFIX}/disputes/{{id}}/close", self.close_dispute),
            ("POST", f"{PREFIX}/clock/advance", self.advance),
            ("POST", f"{PREFIX}/index_delay", self.set_index_delay),
            ("POST", f"{PREFIX}/reset", self.reset),
            ("GET", f"{PREFIX}/webhook_endpoints", self.endpoints),
            ("POST", f"{PREFIX}/webhook_endpoints", self.add_endpoint),
            ("POST", f"{PREFIX}/deliveries/pause", self.pause),
            ("POST", f"{PREFIX}/deliveries/resume", self.resume),
            ("POST", f"{PREFIX}/deliveries/flush", self.flush),
        ):
            app.router.add_route(method, path, _json(answer))

    def listen(self, url: str) -> None:
        """Send every event there, signed with the account's own secret."""
        listeners.add(self._state, url, self._secret)

    # Looking

    async def ledger(self, _: web.Request, given: Json) -> Any:
        return self._state.books.as_json()

    async def requests(self, _: web.Request, given: Json) -> Any:
        return self._api.requests

    async def events(self, _: web.Request, given: Json) -> Any:
        return self._state.events

    # Shoppers and banks

    async def pay(self, request: web.Request, given: Json) -> Any:
        """The shopper gives a card to Stripe.js; a decline is for the shopper's eyes."""
        intent = self._state.intent(request.match_info["id"])
        method = given.get("payment_method", "pm_card_visa")
        self._state.key = self._state.request_id = None
        try:
            confirming.confirm(self._state, intent, {"payment_method": method}, by_shopper=True)
        except ApiError as error:
            if error.status != 402:
                raise
        return intent_of(self._state, intent)

    async def authenticate(self, request: web.Request, given: Json) -> Any:
        intent = self._state.intent(request.match_info["id"])
        self._state.key = self._state.request_id = None
        confirming.authenticate(self._state, intent, bool(given.get("success", True)))
        return intent_of(self._state, intent)

    async def start_processing(self, request: web.Request, given: Json) -> Any:
        intent = self._state.intent(request.match_info["id"])
        confirming.start_processing(self._state, intent)
        return intent_of(self._state, intent)

    async def finish_processing(self, request: web.Request, given: Json) -> Any:
        intent = self._state.intent(request.match_info["id"])
        self._state.key = self._state.request_id = None
        confirming.finish_processing(self._state, intent, bool(given.get("success", True)))
        return intent_of(self._state, intent)

    async def refund(self, request: web.Request, given: Json) -> Any:
        """Somebody refunds in the dashboard."""
        self._state.key = self._state.request_id = None
        asked = {"payment_intent": request.match_info["id"], **given}
        return refund_of(refunds.create(self._state, asked))

    async def settle_refund(self, request: web.Request, given: Json) -> Any:
        refund = self._state.refunds.get(request.match_info["id"])
        if refund is None:
            raise invalid(f"No such refund: {request.match_info['id']}")
        self._state.key = self._state.request_id = None
        refunds.settle(self._state, refund, given.get("status", "succeeded"))
        return refund_of(refund)

    async def dispute(self, request: web.Request, given: Json) -> Any:
        intent = self._state.intent(request.match_info["id"])
        self._state.key = self._state.request_id = None
        dispute = disputes.open_dispute(
            self._state, intent, given.get("amount"), given.get("reason", "fraudulent")
        )
        return dispute_of(dispute, self._state.charges[dispute.charge].card)

    async def close_dispute(self, request: web.Request, given: Json) -> Any:
        dispute = self._state.disputes.get(request.match_info["id"])
        if dispute is None:
            raise invalid(f"No such dispute: {request.match_info['id']}")
        self._state.key = self._state.request_id = None
        disputes.close(self._state, dispute, given.get("status", "won"))
        return dispute_of(dispute, self._state.charges[dispute.charge].card)

    async def decline_next(self, _: web.Request, given: Json) -> Any:
        self._state.declines.append(given.get("code", "generic_decline"))
        return {}

    # Faults and time

    async def add_fault(self, _: web.Request, given: Json) -> Any:
        try:
            self._faults.add(read_fault(given))
        except (TypeError, ValueError) as error:
            raise invalid(str(error)) from None
        return {}

    async def clear_faults(self, _: web.Request, given: Json) -> Any:
        self._faults.clear()
        return {}

    async def advance(self, _: web.Request, given: Json) -> Any:
        self._clock.advance(int(given["seconds"]))
        self._state.key = self._state.request_id = None
        intents.lapse(self._state)
        refunds.time_passed(self._state)
        return {"now": self._clock.now()}

    async def set_index_delay(self, _: web.Request, given: Json) -> Any:
        self._api.endpoints.index_delay = int(given["seconds"])
        return {}

    async def reset(self, _: web.Request, given: Json) -> Any:
        """As if it had just been started; the time stays where it is."""
        self._state.clear()
        self._api.clear()
        self._faults.clear()
        self._deliveries.clear()
        return {}

    # Notifications

    async def endpoints(self, _: web.Request, given: Json) -> Any:
        return [{"url": each.url} for each in self._state.listeners.values()]

    async def add_endpoint(self, _: web.Request, given: Json) -> Any:
        listeners.add(self._state, given["url"], given["secret"], given.get("events"))
        return {}

    async def pause(self, _: web.Request, given: Json) -> Any:
        self._deliveries.pause()
        return {}

    async def resume(self, _: web.Request, given: Json) -> Any:
        self._deliveries.resume()
        return {}

    async def flush(self, _: web.Request, given: Json) -> Any:
        return {"done": await self._deliveries.flush(float(given.get("patience", 10.0)))}

    async def webhook(self, request: web.Request, given: Json) -> Any:
        """The newest event of a PaymentIntent, signed now."""
        number = request.match_info["id"]
        for event in reversed(self._state.events):
            about = event["data"]["object"]
            if number in (about.get("id"), about.get("payment_intent")):
                return self._signed(event)
        raise invalid(f"{number} has no events")

    async def sign_event(self, request: web.Request, given: Json) -> Any:
        for event in self._state.events:
            if event["id"] == request.match_info["id"]:
                return self._signed(event)
        raise invalid(f"No such event: {request.match_info['id']}")

    def _signed(self, event: Json) -> Json:
        body = json.dumps(event, indent=2)
        return {"headers": dict(signed_headers(self._secret, body.encode())), "body": body}


def _json(answer: Callable[[web.Request, Json], Awaitable[Any]]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        text = await request.text()
        try:
            return web.json_response(await answer(request, json.loads(text) if text else {}))
        except ApiError as error:
            return web.json_response(error.body, status=error.status)
        except (KeyError, TypeError, ValueError) as error:
            message = f"{type(error).__name__}: {error}"
            return web.json_response({"error": {"message": message}}, status=400)

    return handle
