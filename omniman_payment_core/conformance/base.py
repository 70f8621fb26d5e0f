"""What all cases share: the fixtures, the skips with their reasons, and how answers are read."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

import pytest

from ..contracts import Abilities, BackendRegistration, abilities_of
from ..errors import OutcomeUnknownError
from ..values import DeclineCode, PaymentResult, PaymentStatus, RefundStatus
from .driver import GatewayDriver

_AMOUNTS = ("amount_q", "authorized_q", "captured_q", "refunded_q", "disputed_q", "held_q")
_STATUSES = tuple(PaymentStatus)
_REFUND_STATUSES = tuple(RefundStatus)
_PAID = (PaymentStatus.CAPTURED, PaymentStatus.PARTIALLY_CAPTURED)


class ConformanceCase:
    """Base of every group of cases."""

    currency = "BRL"
    amount_q = 1000
    odd_amounts: tuple[int, ...] = (1999, 115, 820, 7)
    """Amounts that go wrong where somebody calculates with fractions; the last is the smallest
    that the gateway takes."""
    payment_method: ClassVar[Mapping[str, Any]] = {"type": "card"}
    decline_codes: tuple[str, ...] = (DeclineCode.CARD_DECLINED, DeclineCode.INSUFFICIENT_FUNDS)
    """The reasons for which the gateway refuses to hold or charge."""
    planted_secrets: tuple[str, ...] = ()
    """The secrets ``make_backend`` uses; no answer and no error may show one."""

    @pytest.fixture
    def registration(self) -> BackendRegistration:
        """The registration under test; the subclass gives it."""
        raise NotImplementedError("give the kit a fixture 'registration'")

    @pytest.fixture
    def driver(self) -> GatewayDriver:
        """The far side; the subclass gives it."""
        raise NotImplementedError("give the kit a fixture 'driver'")

    @pytest.fixture
    def make_backend(self) -> Callable[[], Any]:
        """Makes a backend for the driver's gateway; the subclass gives it."""
        raise NotImplementedError("give the kit a fixture 'make_backend'")

    @pytest.fixture
    def backend(self, make_backend: Callable[[], Any]) -> Iterator[Any]:
        """The backend under test."""
        backend = make_backend()
        yield backend
        if "close" in abilities_of(backend):
            backend.close()

    @pytest.fixture
    def abilities(self, backend: Any) -> Abilities:
        """What the backend's class has."""
        return abilities_of(backend)

    @pytest.fixture
    def order_ref(self) -> str:
        """An order nobody else has."""
        return f"CONF-{uuid.uuid4().hex[:12]}"

    # Skips

    def need_ability(self, backend: Any, *methods: str) -> None:
        """Skip where the class has no such method."""
        abilities = abilities_of(backend)
        for method in methods:
            if method not in abilities:
                pytest.skip(f"ability {method!r} is absent: {type(backend).__name__} has none")

    def need_key(self, backend: Any, *methods: str) -> None:
        """Skip where the methods take no idempotency key."""
        self.need_ability(backend, *methods)
        for method in methods:
            if method not in abilities_of(backend).keyed:
                pytest.skip(f"ability 'idempotency_key' is absent: {method}() takes no key")

    def need_feature(self, registration: BackendRegistration, *names: str) -> None:
        """Skip where the registration declines, with its own sentence."""
        for name in names:
            feature = registration.feature(name)
            if not feature.supported:
                pytest.skip(f"feature {name!r} is declined: {feature.reason}")

    def need_driver(self, driver: GatewayDriver, *methods: str) -> None:
        """Skip where the driver cannot play that."""
        for method in methods:
            if not callable(getattr(driver, method, None)):
                pytest.skip(f"the driver has no {method}()")

    # Doing

    def new_key(self) -> str:
        """A key that was never used."""
        return f"conformance-{uuid.uuid4().hex}"

    def send(self, backend: Any, method: str, /, *args: Any, **kwargs: Any) -> PaymentResult:
        """Call a method as the engine does: with a key and an address where they are taken."""
        abilities = abilities_of(backend)
        if method in abilities.keyed:
            kwargs.setdefault("idempotency_key", self.new_key())
            if method in abilities.addressed and "transaction_id" not in kwargs:
                kwargs["transaction_id"] = self.address(backend, method, args, kwargs)
        if method in abilities.priced:
            kwargs.setdefault("currency", self.currency)
        kwargs = {k: v for k, v in kwargs.items() if v is not None}
        if method not in abilities.keyed:
            kwargs.pop("idempotency_key", None)
        result = getattr(backend, method)(*args, **kwargs)
        self.check(result)
        return result  # type: ignore[no-any-return]

    def address(
        self, backend: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> str | None:
        """The transaction's address from before the call, where the backend can give one."""
        abilities = abilities_of(backend)
        key = kwargs["idempotency_key"]
        if "choose_transaction_id" in abilities:
            return str(backend.choose_transaction_id(key))
        if "prepare" in abilities:
            keyed = {"idempotency_key": f"{key}-prepare"} if "prepare" in abilities.keyed else {}
            return str(backend.prepare(*args, capture=method == "charge", **keyed))
        return None

    def authorize(
        self, backend: Any, order_ref: str, amount_q: int | None = None, **kwargs: Any
    ) -> PaymentResult:
        """Ask for a hold."""
        amount = self.amount_q if amount_q is None else amount_q
        return self.send(
            backend,
            "authorize",
            amount,
            self.currency,
            order_ref,
            dict(self.payment_method),
            **kwargs,
        )

    def charge(
        self, backend: Any, order_ref: str, amount_q: int | None = None, **kwargs: Any
    ) -> PaymentResult:
        """Ask for a charge."""
        amount = self.amount_q if amount_q is None else amount_q
        return self.send(
            backend,
            "charge",
            amount,
            self.currency,
            order_ref,
            dict(self.payment_method),
            **kwargs,
        )

    def paid(self, backend: Any, driver: GatewayDriver, order_ref: str) -> str:
        """A payment whose money has been taken; its transaction id."""
        result = self.charge(backend, order_ref)
        assert result.transaction_id, "charge() answered no transaction_id"
        if result.status not in _PAID:
            driver.pay(result.transaction_id)
        assert driver.moved_q(order_ref) == self.amount_q, "the charge did not move the money"
        return result.transaction_id

    def held(self, backend: Any, order_ref: str) -> str:
        """A payment whose money is held; its transaction id."""
        result = self.authorize(backend, order_ref)
        assert result.success, f"authorize() failed: {result.error_code}"
        assert result.transaction_id, "authorize() answered no transaction_id"
        return result.transaction_id

    def lose(self, call: Callable[[], Any]) -> None:
        """Make a call whose answer is lost: it must say that it does not know."""
        try:
            result = call()
        except OutcomeUnknownError as error:
            self.check_no_secret(f"{error!r} {error}")
        except Exception as error:  # any other type claims to know, or is a bug
            pytest.fail(
                f"a lost answer must be raised as OutcomeUnknownError, not {type(error).__name__}"
            )
        else:
            pytest.fail(
                "a lost answer must be raised as OutcomeUnknownError, "
                f"but a result came back: success={result.success} status={result.status!r}"
            )

    def refused(self, call: Callable[[], PaymentResult]) -> PaymentResult:
        """Make a call that the gateway must refuse: a result that says why."""
        result = call()
        self.check(result)
        assert result.success is False, "what cannot be was answered with success=True"
        assert result.error_code, "a refusal needs an error_code"
        return result

    # Reading answers

    def check(self, result: object) -> None:
        """An answer is a valid, honest-looking result: types, words, JSON, no secrets."""
        assert isinstance(result, PaymentResult), f"not a PaymentResult: {type(result).__name__}"
        # What a plugin puts into the fields is its own; the annotations promise nothing.
        self._check_fields(result)

    def _check_fields(self, result: Any) -> None:
        assert isinstance(result.success, bool), "success must be a bool"
        tid = result.transaction_id
        assert tid is None or (isinstance(tid, str) and tid), "transaction_id must be a text"
        assert result.status in _STATUSES, f"status {result.status!r} is no PaymentStatus"
        assert result.success or result.error_code is None or isinstance(result.error_code, str)
        for name in _AMOUNTS:
            self.check_amount(name, getattr(result, name))
        assert result.currency is None or result.currency.upper() == self.currency.upper(), (
            f"the currency was {self.currency}, the answer is in {result.currency}"
        )
        for refund in result.refunds or ():
            self.check_amount("refunds.amount_q", refund.amount_q)
            assert refund.status in _REFUND_STATUSES, f"{refund.status!r} is no RefundStatus"
        for name in ("expires_at", "hold_expires_at"):
            moment = getattr(result, name)
            assert moment is None or (
                isinstance(moment, datetime) and moment.utcoffset() is not None
            ), f"{name} must be an aware datetime"
        action = result.next_action
        if action is not None:
            check_json("next_action.data", dict(action.data))
        if result.metadata is not None:
            check_json("metadata", dict(result.metadata))
        self.check_no_secret(repr(result))

    def check_amount(self, name: str, value: object) -> None:
        """Amounts are whole numbers, never floats, never below zero."""
        assert value is None or (type(value) is int and value >= 0), (
            f"{name} must be an int of zero or more, not {value!r}"
        )

    def check_no_secret(self, text: str) -> None:
        """No planted secret shows."""
        for secret in self.planted_secrets:
            assert secret not in text, "an answer or error shows a secret of the account"


def check_json(name: str, value: object) -> None:
    """Plain JSON of our own types all the way down: an SDK object would not survive storage."""
    if isinstance(value, dict):
        for key, item in value.items():
            assert type(key) is str, f"{name}: a name must be a text"
            check_json(f"{name}.{key}", item)
    elif isinstance(value, list | tuple):
        for item in value:
            check_json(name, item)
    else:
        assert isinstance(value, str | int | float | bool | type(None)), (
            f"{name} holds a {type(value).__name__}, which is not JSON"
        )
        assert not isinstance(value, float) or math.isfinite(value), f"{name} is not finite"
