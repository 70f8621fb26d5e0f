"""The backend: the payment protocol's words as calls to API Pix at Efi, one charge for a payment.

The charge's name (``txid``) and a refund's are made from the engine's key, so whoever repeats a
call meets what the first one made. Pix holds nothing: a charge is open until somebody pays it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from omniman_payment_core.errors import (
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    TransactionNotFoundError,
    WebhookPayloadError,
)
from omniman_payment_core.values import (
    DeclineCode,
    PaymentResult,
    PaymentStatus,
    RefundStatus,
    WebhookEvent,
)

from . import asking, endpoints, listing, webhooks
from .amounts import CURRENCY, AmountError, to_pix
from .config import Config, read_config
from .errors import RefusedError, TakenError
from .identifiers import TXID, refund_id_of, txid_of
from .reading import (
    Json,
    Payment,
    moment,
    needs_payments,
    payments_of,
    read_charge,
    read_refund,
    readable,
)
from .refusals import RETURNED, no_single_payment, refused
from .registering import Registering
from .transport import Transport

SKEW = timedelta(minutes=10)
"""How far the gateway's clock may be ahead of ours when we ask for all until now."""

_REMOVED = {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"}


def utc_now() -> datetime:
    """The clock where none is injected."""
    return datetime.now(UTC)


class EfiBackend(Registering):
    """One Efi account.

    :param config: the account's options; :data:`omniman_payment_efi.config.OPTIONS` lists them.
    :param now: aware UTC, by which charges expire.
    :param monotonic: seconds, by which access tokens do.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._config: Config = read_config(config)
        self._transport = Transport(self._config, now, monotonic)

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""
        return self._config.livemode

    @property
    def account_fingerprint(self) -> str:
        """Which Efi account this is."""
        return self._config.fingerprint

    # Names

    def choose_transaction_id(self, idempotency_key: str) -> str:
        """The charge's ``txid``."""
        return txid_of(idempotency_key)

    def choose_refund_id(self, idempotency_key: str) -> str:
        """The refund's ``id`` under the payment that it returns."""
        return refund_id_of(idempotency_key)

    # Opening

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
        """Open a charge and say what the shopper has to be shown. ``metadata`` stays here.

        :raises InvalidRequestError: the payment method cannot be understood, or the key was used
            for another charge.
        """
        txid = transaction_id or txid_of(idempotency_key or uuid.uuid4().hex)
        if currency.upper() != CURRENCY:
            return refused(txid, DeclineCode.CURRENCY_UNSUPPORTED, f"Pix takes {CURRENCY} only")
        try:
            body = asking.charge(self._config, amount_q, order_ref, payment_method)
            cob = self._create(txid, body)
        except AmountError as error:
            return refused(txid, DeclineCode.AMOUNT_INVALID, str(error))
        except RefusedError as error:
            return refused(txid, _reason(error), error.message, efi_code=error.name)
        return self._result(self._checked(cob, txid, body))

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
        """The same as :meth:`charge`: Pix holds nothing, so the open charge stands for the hold."""
        return self.charge(
            amount_q,
            currency,
            order_ref,
            payment_method,
            metadata,
            idempotency_key=idempotency_key,
            transaction_id=transaction_id,
        )

    def capture(self, transaction_id: str, amount_q: int | None = None) -> PaymentResult:
        """Takes nothing: says whether the payer has paid."""
        seen = self.get_status(transaction_id)
        if seen.captured_q:
            return seen
        return replace(
            seen,
            success=False,
            error_code=DeclineCode.NOT_CAPTURED,
            error_message="the payer has not paid; Pix has nothing to capture",
        )

    # Afterwards

    def refund(
        self,
        transaction_id: str,
        amount_q: int | None = None,
        reason: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> PaymentResult:
        """Return what was paid, or a part. The refund's own id is the result's ``reference``."""
        number = refund_id_of(idempotency_key or uuid.uuid4().hex)
        payments = self._payments(self._read(transaction_id))
        known = next((p for p in payments if any(r.reference == number for r in p.refunds)), None)
        left = sum(payment.left_q for payment in payments)
        before = sum(r.amount_q for p in payments for r in p.refunds if r.reference == number)
        amount = (before or left) if amount_q is None else amount_q
        if known is None:
            if not payments:
                return refused(transaction_id, DeclineCode.NOT_CAPTURED, "nobody has paid yet")
            if not 0 < amount <= left:
                return refused(
                    transaction_id,
                    DeclineCode.REFUND_EXCEEDS_CAPTURE,
                    f"{to_pix(amount) if amount > 0 else amount} is more than what is left of "
                    f"what was paid ({left} centavos)",
                )
            known = _payment_to_return(payments, amount)
            if known is None:
                return no_single_payment(transaction_id, payments)
        try:
            refund = self._return(known.e2eid, number, amount, reason)
        except AmountError as error:
            return refused(transaction_id, DeclineCode.AMOUNT_INVALID, str(error))
        except RefusedError as error:
            return refused(
                transaction_id, DeclineCode.REFUND_REFUSED, error.message, efi_code=error.name
            )
        return self._refund_result(transaction_id, number, refund, amount_q)

    def cancel(self, transaction_id: str, *, idempotency_key: str | None = None) -> PaymentResult:
        """Withdraw a charge that nobody has paid; one that was paid meanwhile says so.

        Repeated, it finds the charge withdrawn: that is what the key is taken for.
        """
        path = _known(transaction_id)
        try:
            cob = self._transport.call(endpoints.CHANGE_CHARGE, path, body=_REMOVED)
        except (RefusedError, TakenError, InvalidRequestError) as error:
            if isinstance(error, TransactionNotFoundError):
                raise
            return self._not_withdrawn(transaction_id, str(error))
        return self._result(self._checked(cob, transaction_id, None))

    # Reading

    def get_status(self, transaction_id: str) -> PaymentResult:
        """The charge as it is now, with every payment and refund.

        :raises TransactionNotFoundError: Efi knows no such charge.
        """
        return self._result(self._read(transaction_id))

    def list_transactions(self, since: datetime) -> Sequence[PaymentResult]:
        """Every charge made since a moment, and every older one that was paid since."""
        found = {
            cob["txid"]: self._result(cob)
            for cob in self._pages(endpoints.LIST_CHARGES, "cobs", since)
            if self._is_ours(cob)
        }
        for pix in self._pages(endpoints.LIST_RECEIVED, "pix", since):
            if self._is_ours(pix) and pix["txid"] not in found:
                try:
                    found[pix["txid"]] = self.get_status(pix["txid"])
                except TransactionNotFoundError:
                    # A charge with a due date, or a fixed QR code: not made by us.
                    continue
        return list(found.values())

    def poll_events(self, since: datetime) -> Sequence[WebhookEvent]:
        """What notifications would have told since a moment, had they all arrived."""
        try:
            return [
                event
                for pix in self._pages(endpoints.LIST_RECEIVED, "pix", since)
                for event in webhooks.events_of(pix, self._config.pix_keys)
            ]
        except WebhookPayloadError as error:
            raise OutcomeUnknownError(f"Efi's list cannot be read: {error}") from None

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[WebhookEvent]:
        """The events of a notification, once it is certain where it comes from."""
        webhooks.verify(headers, self._config)
        return webhooks.read_events(body, self._config.pix_keys)

    def close(self) -> None:
        """Give back the connections."""
        self._transport.close()

    # Calls

    def _create(self, txid: str, body: Json) -> Json:
        try:
            return self._transport.call(endpoints.CREATE_CHARGE, _known(txid), body=body)
        except TakenError:
            # We have been here before, or somebody uses our key for another charge.
            try:
                return self._transport.call(endpoints.READ_CHARGE, _known(txid))
            except NotAttemptedError as error:
                raise OutcomeUnknownError(f"the charge exists and was not shown: {error}") from None

    def _read(self, txid: str) -> Json:
        cob = self._transport.call(endpoints.READ_CHARGE, _known(txid))
        return self._checked(cob, txid, None)

    def _return(self, e2eid: str, number: str, amount_q: int, reason: str | None) -> Json:
        path = {"e2eId": e2eid, "id": number}
        try:
            return self._transport.call(
                endpoints.REFUND, path, body=asking.refund(amount_q, reason)
            )
        except TakenError:
            try:
                return self._transport.call(endpoints.READ_REFUND, path)
            except NotAttemptedError as error:
                raise OutcomeUnknownError(f"the refund exists and was not shown: {error}") from None

    def _payments(self, cob: Json) -> tuple[Payment, ...]:
        return readable(lambda: payments_of(self._listed(cob), self._config.pix_keys))

    def _listed(self, cob: Json) -> object:
        if not needs_payments(cob):
            return cob.get("pix")
        since = moment(cob["calendario"]["criacao"])
        return list(self._pages(endpoints.LIST_RECEIVED, "pix", since, txid=cob["txid"]))

    def _pages(
        self, endpoint: endpoints.Endpoint, name: str, since: datetime, **filters: str
    ) -> Iterator[Json]:
        until = self._now() + SKEW
        return listing.pages(self._transport, endpoint, name, since, until, filters)

    # Borders

    def _checked(self, cob: Json, txid: str, body: Json | None) -> Json:
        """The answer, if it is about what was asked, and pays us."""
        if cob.get("txid") != txid:
            raise OutcomeUnknownError("Efi answered about another charge than was asked for")
        if cob.get("chave") not in self._config.pix_keys:
            raise InvalidRequestError(
                "the charge is for a Pix key that is not this account's; a key that was replaced "
                'belongs into option "former_pix_keys"'
            )
        if body is not None and (
            readable(lambda: cob["valor"]["original"]) != body["valor"]["original"]
        ):
            raise InvalidRequestError("the key was used before, for a charge of another amount")
        return cob

    def _is_ours(self, listed: Json) -> bool:
        """Whether something listed has a name as ours have, and is for one of our keys."""
        keys, txid = self._config.pix_keys, listed.get("txid")
        if not isinstance(txid, str) or not TXID.fullmatch(txid):
            return False
        return listed.get("chave", keys[0]) in keys

    def _result(self, cob: Json) -> PaymentResult:
        payments = self._payments(cob)
        return readable(lambda: read_charge(cob, payments, self._now()))

    def _not_withdrawn(self, txid: str, why: str) -> PaymentResult:
        seen = self.get_status(txid)
        if seen.status in (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED, PaymentStatus.FAILED):
            return replace(seen, success=True, error_code=None, error_message=None)
        code = DeclineCode.ALREADY_CAPTURED if seen.captured_q else DeclineCode.DECLINED
        return replace(seen, success=False, error_code=code, error_message=why)

    def _refund_result(
        self, txid: str, number: str, refund: Json, amount_q: int | None
    ) -> PaymentResult:
        snapshot = readable(lambda: read_refund(refund, number))
        if refund.get("id") != number:
            raise OutcomeUnknownError("Efi answered about another refund than was asked for")
        if amount_q not in (None, snapshot.amount_q):
            raise InvalidRequestError("the key was used before, for a refund of another amount")
        failed = snapshot.status == RefundStatus.FAILED
        return PaymentResult(
            success=not failed,
            transaction_id=txid,
            status=RETURNED[RefundStatus(snapshot.status)],
            error_code=DeclineCode.REFUND_REFUSED if failed else None,
            error_message=str(refund.get("motivo") or "Efi could not carry it out")
            if failed
            else None,
            metadata={"rtr_id": str(refund.get("rtrId") or "")},
            currency=CURRENCY,
            refunds=(snapshot,),
            reference=number,
        )


def _known(txid: str) -> dict[str, str]:
    """The place of an address that can be one of ours."""
    if not TXID.fullmatch(txid or ""):
        raise TransactionNotFoundError("not a txid: that is 26 to 35 letters and digits")
    return {"txid": txid}


def _payment_to_return(payments: Sequence[Payment], amount_q: int) -> Payment | None:
    """The payment that a refund is taken from: one of exactly that much left, else the newest."""
    enough = [payment for payment in payments if payment.left_q >= amount_q]
    exact = [payment for payment in enough if payment.left_q == amount_q]
    candidates = exact or enough
    return candidates[-1] if candidates else None


def _reason(error: RefusedError) -> DeclineCode:
    if error.name == "valor_invalido":
        return DeclineCode.AMOUNT_INVALID
    return DeclineCode.DECLINED
