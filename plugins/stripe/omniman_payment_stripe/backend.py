"""The backend: the payment protocol's words as calls to Stripe, one PaymentIntent for a payment.

Money can only move once the PaymentIntent's id is known to the shop: it is made unconfirmed,
and confirmed by a second call. Every call that changes something carries the engine's key.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import stripe

from omniman_payment_core.errors import (
    InvalidRequestError,
    OutcomeUnknownError,
    PaymentError,
    TransactionNotFoundError,
)
from omniman_payment_core.values import PaymentResult, WebhookEvent

from . import asking, webhooks
from .amounts import AmountError, to_stripe
from .config import Config, read_config
from .errors import sorted_error
from .reading import ORDER_REF, Json, Page, is_captured, is_disputed, read_intent, read_refund
from .refusals import RefusedError, refusal
from .transport import make_client, unlogged

NEVER_INDEXED = 600
"""Seconds for which a search may miss what was made; a list of the newest fills the gap."""
NEWEST = 500

_T = TypeVar("_T")
_INTENT = re.compile(r"pi_[A-Za-z0-9_]{1,250}")


class StripeBackend:
    """One Stripe account.

    :param config: the account's options; :data:`omniman_payment_stripe.config.OPTIONS` lists
        them. Only ``api_key`` is needed.
    :param clock: seconds since 1970, by which notifications are fresh.
    """

    def __init__(
        self, config: Mapping[str, Any], *, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._config: Config = read_config(config)
        self._client, self._transport = make_client(self._config)
        self._page = Page(
            self._config.publishable_key, self._config.return_url, self._config.pay_within
        )
        self._webhook_keys = [secret.encode() for secret in self._config.webhook_secrets]

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""
        return self._config.livemode

    @property
    def account_fingerprint(self) -> str | None:
        """Which Stripe account this is, the same after its key was rolled."""
        return self._config.fingerprint

    # Opening

    def prepare(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        capture: bool,
        idempotency_key: str,
    ) -> str | PaymentResult:
        """Make the PaymentIntent, unconfirmed; its id, or why Stripe does not want it.

        :raises InvalidRequestError: the payment method or the metadata cannot be understood.
        """
        currency = self._currency(currency)
        asking.check_method(payment_method)
        try:
            params = asking.opening(
                self._config, to_stripe(amount_q, currency), currency, order_ref,
                payment_method, metadata, capture=capture,
            )  # fmt: skip
            intent = self._post("payment_intents.create", params, key=idempotency_key)
        except (RefusedError, AmountError) as refused:
            return refusal(refused, "open", None, self._page)
        return str(self._checked(intent, None, params["amount"], currency)["id"])

    def authorize(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        transaction_id: str | None = None,
    ) -> PaymentResult:
        """Hold funds; without a card, say what the shopper's page has to do.

        :raises InvalidRequestError: the payment method or the metadata cannot be understood.
        """
        return self._open(
            False, amount_q, currency, order_ref, payment_method, metadata, idempotency_key,
            transaction_id,
        )  # fmt: skip

    def charge(
        self,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
        transaction_id: str | None = None,
    ) -> PaymentResult:
        """Take funds in one step; without a card, say what the shopper's page has to do.

        :raises InvalidRequestError: the payment method or the metadata cannot be understood.
        """
        return self._open(
            True, amount_q, currency, order_ref, payment_method, metadata, idempotency_key,
            transaction_id,
        )  # fmt: skip

    def _open(
        self,
        capture: bool,
        amount_q: int,
        currency: str,
        order_ref: str,
        payment_method: dict[str, Any],
        metadata: dict[str, Any] | None,
        key: str | None,
        transaction_id: str | None,
    ) -> PaymentResult:
        currency = self._currency(currency)
        asking.check_method(payment_method)
        given = asking.is_given(payment_method)
        confirming = asking.confirming(self._config, payment_method)
        try:
            amount = to_stripe(amount_q, currency)
            if transaction_id is None:
                params = asking.opening(
                    self._config, amount, currency, order_ref, payment_method, metadata,
                    capture=capture,
                )  # fmt: skip
                if given:
                    params |= {**confirming, "confirm": True}
                intent = self._post("payment_intents.create", params, key=key)
            elif given:
                intent = self._post(
                    "payment_intents.confirm", _known(transaction_id), confirming, key=key
                )
            else:
                intent = self._read_intent(transaction_id, asking.EXPAND)
        except (RefusedError, AmountError) as refused:
            return refusal(refused, "open", transaction_id, self._page)
        return self._result(self._checked(intent, transaction_id, amount, currency))

    # Afterwards

    def capture(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        *,
        currency: str | None = None,
        final: bool = True,
        idempotency_key: str | None = None,
    ) -> PaymentResult:
        """Take what is held or a part of it; ``final``: the rest is let go."""
        number = _known(transaction_id)
        try:
            params = asking.capturing(self._units(number, amount_q, currency), final=final)
            intent = self._post("payment_intents.capture", number, params, key=idempotency_key)
        except (RefusedError, AmountError) as refused:
            return refusal(refused, "capture", transaction_id, self._page)
        return self._result(self._checked(intent, transaction_id, None, currency))

    def refund(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        reason: str | None = None,
        *,
        currency: str | None = None,
        idempotency_key: str | None = None,
    ) -> PaymentResult:
        """Return captured funds. The refund's own id is the result's ``reference``."""
        number = _known(transaction_id)
        try:
            amount = self._units(number, amount_q, currency)
            params = asking.refunding(number, amount, reason, idempotency_key)
            refund = self._post("refunds.create", params, key=idempotency_key)
        except (RefusedError, AmountError) as refused:
            return refusal(refused, "refund", transaction_id, self._page)
        if refund.get("payment_intent") != transaction_id or (
            amount is not None and refund.get("amount") != amount
        ):
            raise OutcomeUnknownError("Stripe answered about another refund than was asked for")
        return _readable(lambda: read_refund(refund, transaction_id))

    def cancel(self, transaction_id: str, *, idempotency_key: str | None = None) -> PaymentResult:
        """Void a hold, or withdraw what the shopper has not paid yet."""
        params = {"expand": list(asking.EXPAND)}
        try:
            intent = self._post(
                "payment_intents.cancel", _known(transaction_id), params, key=idempotency_key
            )
        except RefusedError as refused:
            return refusal(refused, "cancel", transaction_id, self._page)
        return self._result(self._checked(intent, transaction_id, None, None))

    # Reading

    def get_status(self, transaction_id: str) -> PaymentResult:
        """The PaymentIntent as it is now, with every refund and open dispute.

        :raises TransactionNotFoundError: Stripe knows no such PaymentIntent.
        """
        intent = self._read_intent(transaction_id, asking.EXPAND_ALL)
        self._checked(intent, transaction_id, None, None)
        refunds = self._refunds_of(intent) if is_captured(intent) else None
        disputes: Sequence[Json] = ()
        if is_disputed(intent):
            disputes = self._list("disputes", {"payment_intent": transaction_id, "limit": 100})
        return self._result(intent, refunds=refunds, disputes=disputes)

    def find(self, order_ref: str) -> Sequence[PaymentResult]:
        """Every PaymentIntent of an order, those that the search does not know yet as well."""
        found = self._list("payment_intents.search", asking.searching(order_ref))
        newest = self._list(
            "payment_intents",
            {
                "created": {"gte": int(self._clock()) - NEVER_INDEXED},
                "limit": 100,
                "expand": ["data.latest_charge"],
            },
            most=NEWEST,
        )
        ours = {i["id"]: i for i in newest if (i.get("metadata") or {}).get(ORDER_REF) == order_ref}
        return [self._result(intent) for intent in ({i["id"]: i for i in found} | ours).values()]

    def list_transactions(self, since: datetime) -> Sequence[PaymentResult]:
        """Every PaymentIntent made since a moment, newest first."""
        params = {
            "created": {"gte": int(since.timestamp())},
            "limit": 100,
            "expand": ["data.latest_charge"],
        }
        return [self._result(intent) for intent in self._list("payment_intents", params)]

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[WebhookEvent]:
        """The one event of a notification, once it is certain that Stripe sent it."""
        webhooks.verify(headers, body, self._webhook_keys, now=self._clock())
        return (webhooks.read_event(body),)

    def close(self) -> None:
        """Give back the connections."""
        self._transport.close()

    # Calls

    def _post(self, method: str, *args: Any, key: str | None) -> dict[str, Any]:
        options = {"idempotency_key": key} if key else {}
        call = self._method(method)
        return _answer(lambda: dict(call(*args, options=options).to_dict()))

    def _read_intent(self, transaction_id: str, expand: Sequence[str]) -> dict[str, Any]:
        number, params = _known(transaction_id), {"expand": list(expand)}
        retrieve = self._method("payment_intents.retrieve")
        try:
            return _answer(lambda: dict(retrieve(number, params).to_dict()))
        except RefusedError as refused:
            raise InvalidRequestError(refused.message) from None

    def _list(
        self, method: str, params: Mapping[str, Any], *, most: int | None = None
    ) -> list[Any]:
        call = self._method(method if "." in method else f"{method}.list")
        try:
            return _answer(
                lambda: [
                    item.to_dict() for item in islice(call(dict(params)).auto_paging_iter(), most)
                ]
            )
        except RefusedError as refused:
            raise InvalidRequestError(refused.message) from None

    def _refunds_of(self, intent: Json) -> Sequence[Json]:
        """Expanding brings the ten newest; the others are asked for."""
        charge = intent.get("latest_charge")
        listed = charge.get("refunds") if isinstance(charge, dict) else None
        if isinstance(listed, dict) and listed.get("has_more") is False and "data" in listed:
            return list(listed["data"])
        return self._list("refunds", {"payment_intent": intent["id"], "limit": 100})

    def _method(self, path: str) -> Callable[..., Any]:
        found: Any = self._client.v1
        for name in path.split("."):
            found = getattr(found, name)
        return found  # type: ignore[no-any-return]

    # Borders

    def _currency(self, currency: str | None) -> str:
        known = currency or self._config.currency
        if not known:
            raise InvalidRequestError('no currency was given, and option "currency" is not set')
        return known.upper()

    def _units(self, transaction_id: str, amount_q: int | None, currency: str | None) -> int | None:
        if amount_q is None:
            return None
        if currency is None:
            currency = str(self._read_intent(transaction_id, ())["currency"])
        return to_stripe(amount_q, currency)

    def _checked(
        self, intent: Json, transaction_id: str | None, amount: int | None, currency: str | None
    ) -> Json:
        """The answer, if it is about what was asked."""
        wrong = [
            what
            for what, asked, answered in (
                ("object", "payment_intent", intent.get("object")),
                ("transaction", transaction_id, intent.get("id")),
                ("amount", amount, intent.get("amount")),
                ("currency", currency and currency.lower(), intent.get("currency")),
                ("mode", self.livemode, intent.get("livemode")),
            )
            if asked is not None and asked != answered
        ]
        if wrong:
            raise OutcomeUnknownError(
                f"Stripe answered about another {' and '.join(wrong)} than was asked for"
            )
        return intent

    def _result(
        self, intent: Json, *, refunds: Sequence[Json] | None = None, disputes: Sequence[Json] = ()
    ) -> PaymentResult:
        return _readable(
            lambda: read_intent(intent, self._page, refunds=refunds, disputes=disputes)
        )


def _known(transaction_id: str) -> str:
    """An address that can be one; the SDK turns an empty one into the list of all of them."""
    if not _INTENT.fullmatch(transaction_id or ""):
        raise TransactionNotFoundError("not the id of a PaymentIntent: that begins with pi_")
    return transaction_id


def _answer(call: Callable[[], _T]) -> _T:
    """Make a call; what it raises says what to do next, and carries nothing of the SDK."""
    problem: PaymentError | RefusedError
    try:
        with unlogged():
            return call()
    except stripe.StripeError as error:
        problem = sorted_error(error)
    except Exception as error:
        problem = OutcomeUnknownError(f"Stripe's answer cannot be read: {type(error).__name__}")
    raise problem


def _readable(read: Callable[[], PaymentResult]) -> PaymentResult:
    try:
        return read()
    except (ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
        problem = OutcomeUnknownError(f"Stripe's answer cannot be read: {type(error).__name__}")
    raise problem
