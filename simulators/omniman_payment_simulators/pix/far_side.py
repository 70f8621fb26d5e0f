"""The control API: what payers, banks and Efi's own app do, over plain JSON without a key."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ..common.clock import Clock
from ..common.faults import WITH_PAGES, Faults, read_fault
from . import shapes
from .errors import ApiError, efi
from .http import Api
from .notifying import Notifying, together
from .records import NOT_DONE, RETURNED, Charge
from .state import RETURNS, State

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PREFIX = "/_simulator"


class FarSide:
    """The routes under ``/_simulator``."""

    def __init__(
        self, state: State, clock: Clock, faults: Faults, notifying: Notifying, api: Api
    ) -> None:
        self._state = state
        self._clock = clock
        self._faults = faults
        self._notifying = notifying
        self._api = api

    def add_to(self, app: web.Application) -> None:
        """Serve the routes."""
        charge, refund = "/cob/{txid}", "/devolucao/{e2eid}/{id}"
        for method, path, answer in (
            ("GET", "/ledger", self.ledger),
            ("GET", "/requests", self.requests),
            ("GET", "/tokens", self.tokens),
            ("POST", "/tokens/expire", self.expire_tokens),
            ("POST", f"{charge}/pay", self.pay),
            ("POST", f"{charge}/remove", self.remove),
            ("POST", f"{charge}/refund", self.refund),
            ("POST", f"{charge}/webhook", self.webhook),
            ("POST", f"{refund}/settle", self.settle),
            ("POST", "/returns", self.returns),
            ("POST", "/auto_pay", self.auto_pay),
            ("POST", "/decline_next", self.decline_next),
            ("POST", "/accounts", self.add_account),
            ("POST", "/faults", self.add_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("POST", "/clock/advance", self.advance),
            ("POST", "/deliveries/pause", self.pause),
            ("POST", "/deliveries/resume", self.resume),
            ("POST", "/deliveries/flush", self.flush),
            ("POST", "/deliveries/repeat", self.repeat),
            ("POST", "/reset", self.reset),
        ):
            app.router.add_route(method, PREFIX + path, _json(answer))

    # Looking

    async def ledger(self, _: web.Request, given: Json) -> Any:
        return self._state.ledger()

    async def requests(self, _: web.Request, given: Json) -> Any:
        return self._api.requests

    async def tokens(self, _: web.Request, given: Json) -> Any:
        return {"issued": self._state.issued}

    # Payers and banks

    async def pay(self, request: web.Request, given: Json) -> Any:
        charge = self._charge(request, given)
        amount_q = given.get("amount_q")
        payment = self._state.pay(
            charge,
            None if amount_q is None else _amount(amount_q),
            in_flight=bool(given.get("in_flight", False)),
            payer_info=str(given.get("payer_info", ""))[:140],
        )
        return shapes.payment(payment)

    async def remove(self, request: web.Request, given: Json) -> Any:
        """The institution withdraws a charge that nobody paid."""
        self._state.remove(self._charge(request, given))
        return {}

    async def refund(self, request: web.Request, given: Json) -> Any:
        """Somebody returns money in Efi's own app."""
        charge = self._charge(request, given)
        amount_q = _amount(given.get("amount_q"))
        payment = next((p for p in reversed(charge.payments) if p.left_q >= amount_q), None)
        if payment is None:
            raise ValueError("no payment of this charge has so much left")
        number = f"app{self._state.next_number()}"
        return shapes.refund(self._state.give_back(payment, number, amount_q))

    async def settle(self, request: web.Request, given: Json) -> Any:
        """A return that was under way comes to its end."""
        status = given.get("status", RETURNED)
        if status not in (RETURNED, NOT_DONE):
            raise ValueError(f"status is {RETURNED} or {NOT_DONE}")
        e2eid, number = request.match_info["e2eid"], request.match_info["id"]
        charge = self._state.paid_by.get(e2eid)
        for payment in charge.payments if charge is not None else ():
            for refund in payment.refunds:
                if (payment.e2eid, refund.id) == (e2eid, number):
                    self._state.settle(payment, refund, status)
                    return shapes.refund(refund)
        raise ValueError("there is no such refund")

    async def returns(self, _: web.Request, given: Json) -> Any:
        if given.get("mode") not in RETURNS:
            raise ValueError(f"mode is one of {', '.join(RETURNS)}")
        self._state.returns = given["mode"]
        return {}

    async def auto_pay(self, _: web.Request, given: Json) -> Any:
        self._state.auto_pay = bool(given.get("on", True))
        return {}

    async def decline_next(self, _: web.Request, given: Json) -> Any:
        self._state.declines.append(str(given.get("nome", "documento_bloqueado")))
        return {}

    async def add_account(self, _: web.Request, given: Json) -> Any:
        """Another tenant of the same institution."""
        self._state.add_account(
            str(given["client_id"]), str(given["client_secret"]), str(given["pix_key"])
        )
        return {}

    # Faults and time

    async def expire_tokens(self, _: web.Request, given: Json) -> Any:
        self._state.tokens.clear()
        return {}

    async def add_fault(self, _: web.Request, given: Json) -> Any:
        self._faults.add(read_fault(given, WITH_PAGES))
        return {}

    async def clear_faults(self, _: web.Request, given: Json) -> Any:
        self._faults.clear()
        return {}

    async def advance(self, _: web.Request, given: Json) -> Any:
        self._clock.advance(int(given["seconds"]))
        return {"now": self._clock.now()}

    async def reset(self, _: web.Request, given: Json) -> Any:
        """As if it had just been started; the time stays where it is."""
        self._state.clear()
        self._api.clear()
        self._faults.clear()
        self._notifying.told.clear()
        self._notifying.deliveries.clear()
        return {}

    # Notifications

    async def webhook(self, request: web.Request, given: Json) -> Any:
        """The notification about a charge's payments as it would be delivered."""
        charge = self._charge(request, given)
        if not charge.payments:
            raise ValueError("nobody has paid this charge")
        hook = self._state.accounts[charge.owner].webhooks.get(charge.key)
        told = {"pix": [shapes.payment(each) for each in charge.payments]}
        return {
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(told),
            "query": f"{hook.url}/pix".partition("?")[2] if hook is not None else "",
        }

    async def pause(self, _: web.Request, given: Json) -> Any:
        self._notifying.deliveries.pause()
        return {}

    async def resume(self, _: web.Request, given: Json) -> Any:
        self._notifying.deliveries.resume(together if given.get("together") else None)
        return {}

    async def flush(self, _: web.Request, given: Json) -> Any:
        patience = float(given.get("patience", 10.0))
        return {"done": await self._notifying.deliveries.flush(patience)}

    async def repeat(self, _: web.Request, given: Json) -> Any:
        self._notifying.repeat()
        return {}

    def _charge(self, request: web.Request, given: Json) -> Charge:
        return self._state.any_charge(request.match_info["txid"], given.get("pix_key"))


def _amount(given: object) -> int:
    """Centavos."""
    if type(given) is not int or given < 1:
        raise ValueError("amount_q is a whole number of centavos, 1 or more")
    return given


def _json(answer: Callable[[web.Request, Json], Awaitable[Any]]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        text = await request.text()
        try:
            given = json.loads(text) if text else {}
            if not isinstance(given, dict):
                raise ValueError("the body is a JSON object")
            return web.json_response(await answer(request, given))
        except ApiError as error:
            return web.json_response(error.body, status=error.status)
        except (KeyError, TypeError, ValueError) as error:
            wrong = efi(400, "controle", f"{type(error).__name__}: {error}")
            return web.json_response(wrong.body, status=400)

    return handle
