"""Stripe's endpoints: from the parameters of a request to the object of its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import intents, params, refunds
from .errors import ApiError, missing_resource, unvalidated
from .expanding import expand
from .forms import Form
from .objects import charge_of, dispute_of, intent_of, list_of, method_of, refund_of
from .records import Intent, Method
from .search import matcher
from .state import State

Json = dict[str, Any]
INDEX_DELAY = 60
"""Seconds until what was made is found by a search."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route. ``public``: also for the publishable key, with the client secret."""

    method: str
    pattern: re.Pattern[str]
    answer: Callable[..., Json]
    public: bool = False


class Endpoints:
    """The routes of one account."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.index_delay = INDEX_DELAY
        intent = r"/v1/payment_intents/(pi_\w+)"
        self._routes = [
            self._route("POST", "/v1/payment_intents", self.create_intent),
            self._route("GET", "/v1/payment_intents", self.list_intents),
            self._route("GET", "/v1/payment_intents/search", self.search_intents),
            self._route("GET", intent, self.retrieve_intent, public=True),
            self._route("POST", intent, self.update_intent),
            self._route("POST", f"{intent}/confirm", self.confirm_intent, public=True),
            self._route("POST", f"{intent}/capture", self.capture_intent),
            self._route("POST", f"{intent}/cancel", self.cancel_intent),
            self._route("POST", "/v1/refunds", self.create_refund),
            self._route("GET", "/v1/refunds", self.list_refunds),
            self._route("GET", r"/v1/refunds/(\w+)", self.retrieve_refund),
            self._route("POST", r"/v1/refunds/(\w+)", self.update_refund),
            self._route("GET", r"/v1/charges/(\w+)", self.retrieve_charge),
            self._route("GET", "/v1/disputes", self.list_disputes),
            self._route("GET", r"/v1/disputes/(\w+)", self.retrieve_dispute),
            self._route("POST", "/v1/payment_methods", self.create_method, public=True),
            self._route("GET", r"/v1/payment_methods/(\w+)", self.retrieve_method),
            self._route("GET", r"/v1/events/(\w+)", self.retrieve_event),
            self._route("GET", "/v1/events", self.list_events),
            self._route("GET", "/v1/account", self.retrieve_account),
        ]

    @staticmethod
    def _route(
        method: str, path: str, answer: Callable[..., Json], *, public: bool = False
    ) -> Endpoint:
        return Endpoint(method, re.compile(path), answer, public)

    def find(self, method: str, path: str) -> tuple[Endpoint, tuple[str, ...]]:
        """The endpoint of a request and the ids in its path."""
        for route in self._routes:
            found = route.pattern.fullmatch(path)
            if found and route.method == method:
                return route, found.groups()
        intent = re.fullmatch(r"/v1/payment_intents/([^/]+)(?:/\w+)?", path)
        if intent:
            raise missing_resource("payment_intent", intent[1], "intent")
        raise ApiError(
            404,
            "invalid_request_error",
            f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or "
            "we can help at https://support.stripe.com/.",
            kept=False,
        )

    # PaymentIntents

    def create_intent(self, form: Form) -> Json:
        given = params.read(form, params.CREATE_INTENT, "amount", "currency")
        return self._intent(intents.create(self._state, given), given)

    def retrieve_intent(self, form: Form, number: str) -> Json:
        given = params.read(form, params.RETRIEVE_INTENT)
        return self._intent(self._mine(number, given), given)

    def update_intent(self, form: Form, number: str) -> Json:
        given = params.read(form, params.UPDATE_INTENT)
        intent = self._state.intent(number)
        intents.update(self._state, intent, given)
        return self._intent(intent, given)

    def confirm_intent(self, form: Form, number: str) -> Json:
        given = params.read(form, params.CONFIRM_INTENT)
        intent = self._mine(number, given)
        intents.confirm_intent(self._state, intent, given, by_shopper="client_secret" in given)
        return self._intent(intent, given)

    def capture_intent(self, form: Form, number: str) -> Json:
        given = params.read(form, params.CAPTURE_INTENT)
        intent = self._state.intent(number)
        intents.capture(self._state, intent, given)
        return self._intent(intent, given)

    def cancel_intent(self, form: Form, number: str) -> Json:
        given = params.read(form, params.CANCEL_INTENT)
        intent = self._state.intent(number)
        intents.cancel(self._state, intent, given.get("cancellation_reason"))
        return self._intent(intent, given)

    def list_intents(self, form: Form) -> Json:
        given = params.read(form, params.LIST_INTENTS)
        found = (i for i in self._state.intents.values() if _in_range(i.created, given))
        mine = [i for i in found if given.get("customer") in (None, i.customer)]
        return self._page("/v1/payment_intents", [intent_of(self._state, i) for i in mine], given)

    def search_intents(self, form: Form) -> Json:
        given = params.read(form, params.SEARCH, "query")
        fits, now = matcher(given["query"]), self._state.now()
        known = (i for i in self._state.intents.values() if now - i.created >= self.index_delay)
        found = [intent_of(self._state, i) for i in known if fits(i)]
        limit, start = _limit(given), int(given.get("page") or 0)
        newest = found[::-1]
        more = len(newest) > start + limit
        page = {
            **list_of("/v1/payment_intents/search", newest[start : start + limit], more),
            "object": "search_result",
            "next_page": str(start + limit) if more else None,
        }
        return expand(self._state, page, given.get("expand", ()))

    # Refunds, charges, disputes

    def create_refund(self, form: Form) -> Json:
        given = params.read(form, params.CREATE_REFUND)
        refund = refunds.create(self._state, given)
        return expand(self._state, refund_of(refund), given.get("expand", ()))

    def update_refund(self, form: Form, number: str) -> Json:
        given = params.read(form, params.UPDATE_REFUND)
        refund = self._state.refunds.get(number)
        if refund is None:
            raise missing_resource("refund", number, "refund")
        refund.metadata.update(given.get("metadata", {}))
        self._state.emit("refund.updated", refund_of(refund))
        return expand(self._state, refund_of(refund), given.get("expand", ()))

    def retrieve_refund(self, form: Form, number: str) -> Json:
        given = params.read(form, params.RETRIEVE)
        refund = self._state.refunds.get(number)
        if refund is None:
            raise missing_resource("refund", number, "refund")
        return expand(self._state, refund_of(refund), given.get("expand", ()))

    def list_refunds(self, form: Form) -> Json:
        given = params.read(form, params.LIST_REFUNDS)
        return self._page(
            "/v1/refunds",
            [refund_of(r) for r in self._state.refunds.values() if _belongs(r, given)],
            given,
        )

    def retrieve_charge(self, form: Form, number: str) -> Json:
        given = params.read(form, params.RETRIEVE)
        charge = self._state.charges.get(number)
        if charge is None:
            raise missing_resource("charge", number, "id")
        return expand(self._state, charge_of(charge), given.get("expand", ()))

    def retrieve_dispute(self, form: Form, number: str) -> Json:
        given = params.read(form, params.RETRIEVE)
        dispute = self._state.disputes.get(number)
        if dispute is None:
            raise missing_resource("dispute", number, "dispute")
        charge = self._state.charges[dispute.charge]
        return expand(self._state, dispute_of(dispute, charge.card), given.get("expand", ()))

    def list_disputes(self, form: Form) -> Json:
        given = params.read(form, params.LIST_DISPUTES)
        charges = self._state.charges
        found = [
            dispute_of(d, charges[d.charge].card)
            for d in self._state.disputes.values()
            if _belongs(d, given)
        ]
        return self._page("/v1/disputes", found, given)

    # The rest

    def create_method(self, form: Form) -> Json:
        given = params.read(form, params.CREATE_METHOD, "type")
        card = intents.card_of(given)
        method = Method(self._state.new_id("pm"), card, self._state.now())
        self._state.methods[method.id] = method
        return method_of(method)

    def retrieve_method(self, form: Form, number: str) -> Json:
        params.read(form, params.RETRIEVE)
        method = self._state.methods.get(number)
        if method is None:
            raise missing_resource("PaymentMethod", number, "payment_method")
        return method_of(method)

    def retrieve_event(self, form: Form, number: str) -> Json:
        params.read(form, params.RETRIEVE)
        found = next((e for e in self._state.events if e["id"] == number), None)
        if found is None:
            raise missing_resource("event", number, "id")
        return found

    def list_events(self, form: Form) -> Json:
        given = params.read(form, {**params.LIST_INTENTS, "type": params.TEXT})
        found = (e for e in self._state.events if given.get("type") in (None, e["type"]))
        return self._page("/v1/events", [e for e in found if _in_range(e["created"], given)], given)

    def retrieve_account(self, form: Form) -> Json:
        params.read(form, params.RETRIEVE)
        return {
            "id": "acct_1Simulator0000000",
            "object": "account",
            "business_type": None,
            "charges_enabled": True,
            "country": "BR",
            "default_currency": "brl",
            "details_submitted": True,
            "email": None,
            "metadata": {},
            "payouts_enabled": True,
            "type": "standard",
        }

    # Helpers

    def _intent(self, intent: Intent, given: Json) -> Json:
        return expand(self._state, intent_of(self._state, intent), given.get("expand", ()))

    def _mine(self, number: str, given: Json) -> Intent:
        """The intent; a browser shows with the client secret that it is its own."""
        intent = self._state.intent(number)
        secret = given.get("client_secret")
        if secret is not None and secret != intent.secret:
            raise unvalidated(
                "The client_secret provided does not match the client_secret associated with this "
                "PaymentIntent.",
                code="payment_intent_invalid_parameter",
                param="client_secret",
            )
        return intent

    def _page(self, url: str, found: list[Json], given: Json) -> Json:
        newest, limit = found[::-1], _limit(given)
        if "ending_before" in given:
            newer = newest[: _place(newest, given, "ending_before")]
            # The page next to the cursor, still newest first.
            shown, more = newer[-limit:], len(newer) > limit
        else:
            if "starting_after" in given:
                newest = newest[_place(newest, given, "starting_after") + 1 :]
            shown, more = newest[:limit], len(newest) > limit
        return expand(self._state, list_of(url, shown, more), given.get("expand", ()))


def _place(newest: list[Json], given: Json, cursor: str) -> int:
    for place, item in enumerate(newest):
        if item["id"] == given[cursor]:
            return place
    raise missing_resource("object", given[cursor], cursor, status=400)


def _limit(given: Json) -> int:
    limit = given.get("limit", 10)
    if not 1 <= limit <= 100:
        raise unvalidated(
            "This value must be between 1 and 100.", code="parameter_invalid_integer", param="limit"
        )
    return int(limit)


_BOUNDS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda at, bound: at > bound,
    "gte": lambda at, bound: at >= bound,
    "lt": lambda at, bound: at < bound,
    "lte": lambda at, bound: at <= bound,
}


def _in_range(at: int, given: Json) -> bool:
    created: Iterable[tuple[str, int]] = given.get("created", {}).items()
    return all(_BOUNDS[name](at, bound) for name, bound in created)


def _belongs(item: Any, given: Json) -> bool:
    return given.get("payment_intent") in (None, item.intent) and given.get("charge") in (
        None,
        item.charge,
    )
