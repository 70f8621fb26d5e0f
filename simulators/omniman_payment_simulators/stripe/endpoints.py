"""Stripe's endpoints: from the parameters of a request to the object of its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from . import intents, listeners, methods, params, refunds, shapes
from .errors import ApiError, missing_resource, unvalidated
from .expanding import expand
from .forms import Form
from .listeners import listener_of
from .method_objects import method_of, token_of
from .objects import charge_of, dispute_of, intent_of, refund_of
from .paging import in_span, page, search_page
from .records import Dispute, Intent, Refund
from .search import matcher
from .state import State

Kept = TypeVar("Kept")
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
        refund, hook = r"/v1/refunds/(\w+)", r"/v1/webhook_endpoints/(\w+)"
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
            self._route("GET", refund, self.retrieve_refund),
            self._route("POST", refund, self.update_refund),
            self._route("POST", f"{refund}/cancel", self.cancel_refund),
            self._route("GET", "/v1/charges", self.list_charges),
            self._route("GET", r"/v1/charges/(\w+)", self.retrieve_charge),
            self._route("GET", "/v1/disputes", self.list_disputes),
            self._route("GET", r"/v1/disputes/(\w+)", self.retrieve_dispute),
            self._route("POST", "/v1/payment_methods", self.create_method, public=True),
            self._route("GET", r"/v1/payment_methods/(\w+)", self.retrieve_method),
            self._route("POST", "/v1/confirmation_tokens", self.create_token, public=True),
            self._route("POST", "/v1/test_helpers/confirmation_tokens", self.create_token),
            self._route("GET", r"/v1/confirmation_tokens/(\w+)", self.retrieve_token),
            self._route("POST", "/v1/webhook_endpoints", self.create_listener),
            self._route("GET", "/v1/webhook_endpoints", self.list_listeners),
            self._route("GET", hook, self.retrieve_listener),
            self._route("POST", hook, self.update_listener),
            self._route("DELETE", hook, self.delete_listener),
            self._route("GET", "/v1/events", self.list_events),
            self._route("GET", r"/v1/events/(\w+)", self.retrieve_event),
            self._route("GET", "/v1/account", self.retrieve_account),
        ]

    @staticmethod
    def _route(
        method: str, path: str, answer: Callable[..., Json], *, public: bool = False
    ) -> Endpoint:
        return Endpoint(method, re.compile(path), answer, public)

    def find(self, method: str, path: str) -> tuple[Endpoint, tuple[str, ...]]:
        """The endpoint of a request and the ids in its path."""
        # Without an id the address ends in a slash, and the list answers: so it does at Stripe.
        path = path.rstrip("/")
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
        given = params.read(form, shapes.CREATE_INTENT, "amount", "currency")
        return self._intent(intents.create(self._state, given), given)

    def retrieve_intent(self, form: Form, number: str) -> Json:
        given = params.read(form, shapes.RETRIEVE_INTENT)
        return self._intent(self._mine(number, given), given)

    def update_intent(self, form: Form, number: str) -> Json:
        given = params.read(form, shapes.UPDATE_INTENT)
        intent = self._state.intent(number)
        intents.update(self._state, intent, given)
        return self._intent(intent, given)

    def confirm_intent(self, form: Form, number: str) -> Json:
        given = params.read(form, shapes.CONFIRM_INTENT)
        intent = self._mine(number, given)
        intents.confirm_again(self._state, intent, given, "client_secret" in given)
        return self._intent(intent, given)

    def capture_intent(self, form: Form, number: str) -> Json:
        given = params.read(form, shapes.CAPTURE_INTENT)
        intent = self._state.intent(number)
        intents.capture(self._state, intent, given)
        return self._intent(intent, given)

    def cancel_intent(self, form: Form, number: str) -> Json:
        given = params.read(form, shapes.CANCEL_INTENT)
        intent = self._state.intent(number)
        intents.cancel(self._state, intent, given.get("cancellation_reason"))
        return self._intent(intent, given)

    def list_intents(self, form: Form) -> Json:
        given = params.read(form, shapes.LIST_INTENTS)
        found = (i for i in self._state.intents.values() if in_span(i.created, given))
        mine = [i for i in found if given.get("customer") in (None, i.customer)]
        rendered = [intent_of(self._state, i) for i in mine]
        return self._page("/v1/payment_intents", "payment_intent", rendered, given)

    def search_intents(self, form: Form) -> Json:
        given = params.read(form, shapes.SEARCH, "query")
        fits, now = matcher(given["query"]), self._state.now()
        known = (i for i in self._state.intents.values() if now - i.created >= self.index_delay)
        found = [intent_of(self._state, i) for i in known if fits(i)]
        return self._expanded(search_page("/v1/payment_intents/search", found, given), given)

    # Refunds, charges, disputes

    def create_refund(self, form: Form) -> Json:
        given = params.read(form, shapes.CREATE_REFUND)
        return self._expanded(refund_of(refunds.create(self._state, given)), given)

    def update_refund(self, form: Form, number: str) -> Json:
        given = params.read(form, shapes.UPDATE_REFUND)
        refund = _known(self._state.refunds, number, "refund")
        refunds.update(self._state, refund, given)
        return self._expanded(refund_of(refund), given)

    def cancel_refund(self, form: Form, number: str) -> Json:
        given = params.read(form, shapes.RETRIEVE)
        refund = _known(self._state.refunds, number, "refund")
        refunds.cancel(self._state, refund)
        return self._expanded(refund_of(refund), given)

    def retrieve_refund(self, form: Form, number: str) -> Json:
        given = params.read(form, shapes.RETRIEVE)
        return self._expanded(refund_of(_known(self._state.refunds, number, "refund")), given)

    def list_refunds(self, form: Form) -> Json:
        given = params.read(form, shapes.LIST_REFUNDS)
        found = [refund_of(r) for r in self._state.refunds.values() if _belongs(r, given)]
        return self._page("/v1/refunds", "refund", found, given)

    def retrieve_charge(self, form: Form, number: str) -> Json:
        given = params.read(form, shapes.RETRIEVE)
        charge = _known(self._state.charges, number, "charge", "id")
        return self._expanded(charge_of(charge), given)

    def list_charges(self, form: Form) -> Json:
        given = params.read(form, shapes.LIST_CHARGES)
        charges = self._state.charges.values()
        found = [
            charge_of(c)
            for c in charges
            if given.get("payment_intent") in (None, c.intent) and in_span(c.created, given)
        ]
        return self._page("/v1/charges", "charge", found, given)

    def retrieve_dispute(self, form: Form, number: str) -> Json:
        given = params.read(form, shapes.RETRIEVE)
        dispute = _known(self._state.disputes, number, "dispute")
        charge = self._state.charges[dispute.charge]
        return self._expanded(dispute_of(dispute, charge.card), given)

    def list_disputes(self, form: Form) -> Json:
        given = params.read(form, shapes.LIST_DISPUTES)
        charges = self._state.charges
        found = [
            dispute_of(d, charges[d.charge].card)
            for d in self._state.disputes.values()
            if _belongs(d, given)
        ]
        return self._page("/v1/disputes", "dispute", found, given)

    # What a shopper enters

    def create_method(self, form: Form) -> Json:
        given = params.read(form, shapes.CREATE_METHOD, "type")
        return method_of(methods.make(self._state, given))

    def retrieve_method(self, form: Form, number: str) -> Json:
        params.read(form, shapes.RETRIEVE)
        found = _known(self._state.methods, number, "PaymentMethod", "payment_method")
        return method_of(found)

    def create_token(self, form: Form) -> Json:
        token = methods.make_token(self._state, params.read(form, shapes.CREATE_TOKEN))
        return token_of(token, self._state.methods[token.method])

    def retrieve_token(self, form: Form, number: str) -> Json:
        params.read(form, shapes.RETRIEVE)
        token = _known(self._state.tokens, number, "confirmation_token")
        return token_of(token, self._state.methods[token.method])

    # Webhook endpoints, events, the account

    def create_listener(self, form: Form) -> Json:
        given = params.read(form, shapes.CREATE_ENDPOINT, "enabled_events", "url")
        listener = listeners.create(self._state, given)
        return {**listener_of(listener), "secret": listener.secret}

    def retrieve_listener(self, form: Form, number: str) -> Json:
        params.read(form, shapes.RETRIEVE)
        return listener_of(_known(self._state.listeners, number, "webhook endpoint"))

    def update_listener(self, form: Form, number: str) -> Json:
        given = params.read(form, shapes.UPDATE_ENDPOINT)
        listener = _known(self._state.listeners, number, "webhook endpoint")
        listeners.update(listener, given)
        return listener_of(listener)

    def delete_listener(self, form: Form, number: str) -> Json:
        params.read(form, {})
        del self._state.listeners[_known(self._state.listeners, number, "webhook endpoint").id]
        return {"id": number, "object": "webhook_endpoint", "deleted": True}

    def list_listeners(self, form: Form) -> Json:
        given = params.read(form, shapes.LIST_ENDPOINTS)
        found = [listener_of(each) for each in self._state.listeners.values()]
        return self._page("/v1/webhook_endpoints", "webhook endpoint", found, given)

    def retrieve_event(self, form: Form, number: str) -> Json:
        params.read(form, shapes.RETRIEVE)
        return _known({e["id"]: e for e in self._state.events}, number, "event", "id")

    def list_events(self, form: Form) -> Json:
        given = params.read(form, shapes.LIST_EVENTS)
        wanted = [given["type"]] if "type" in given else given.get("types")
        found = (e for e in self._state.events if wanted is None or e["type"] in wanted)
        in_time = [e for e in found if in_span(e["created"], given)]
        return self._page("/v1/events", "event", in_time, given)

    def retrieve_account(self, form: Form) -> Json:
        params.read(form, shapes.RETRIEVE)
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
        return self._expanded(intent_of(self._state, intent), given)

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

    def _page(self, url: str, kind: str, found: list[Json], given: Json) -> Json:
        return self._expanded(page(url, kind, found, given), given)

    def _expanded(self, rendered: Json, given: Json) -> Json:
        return expand(self._state, rendered, given.get("expand", ()))


def _known(kept: Mapping[str, Kept], number: str, kind: str, param: str = "") -> Kept:
    found = kept.get(number)
    if found is None:
        raise missing_resource(kind, number, param or kind.replace(" ", "_"))
    return found


def _belongs(item: Refund | Dispute, given: Json) -> bool:
    intent, charge = given.get("payment_intent"), given.get("charge")
    return (
        intent in (None, item.intent)
        and charge in (None, item.charge)
        and in_span(item.created, given)
    )
