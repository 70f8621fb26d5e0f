"""Every backend: methods, features and options are declared, answers are valid, errors typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..contracts import (
    FEATURES,
    PROTOCOL_VERSION,
    Abilities,
    BackendRegistration,
    ChoosesTransactionId,
)
from ..errors import TransactionNotFoundError
from ..values import PaymentStatus
from .base import ConformanceCase
from .driver import GatewayDriver

_FIVE = ("authorize", "capture", "charge", "refund", "get_status")


class ShapeCases(ConformanceCase):
    """What can be seen without holding anybody's money."""

    def test_the_registration_speaks_this_protocol(self, registration: BackendRegistration) -> None:
        assert registration.protocol_version == PROTOCOL_VERSION
        assert registration.name
        assert registration.name == registration.name.strip().lower()
        assert callable(registration.build)

    def test_every_feature_is_answered(self, registration: BackendRegistration) -> None:
        unknown = set(registration.features) - set(FEATURES)
        assert not unknown, f"features that the protocol does not have: {sorted(unknown)}"
        for name in FEATURES:
            feature = registration.feature(name)
            assert isinstance(feature.supported, bool)
            assert feature.supported or feature.reason.strip(), (
                f"feature {name!r} is declined without the sentence that users are shown"
            )
        for wide, narrow in (
            ("hold", "partial_capture"),
            ("partial_capture", "multiple_captures"),
            ("partial_refund", "multiple_refunds"),
        ):
            assert registration.feature(wide).supported or (
                not registration.feature(narrow).supported
            ), f"{narrow!r} cannot be without {wide!r}"

    def test_the_options_are_documented(self, registration: BackendRegistration) -> None:
        for option in registration.options or ():
            assert option.help.strip(), f"option {option.name!r} has no help"
            assert not (option.required and option.default is not None), (
                f"option {option.name!r} is required and has a default"
            )

    def test_the_five_methods_are_there(self, abilities: Abilities) -> None:
        missing = [name for name in _FIVE if name not in abilities]
        assert not missing, f"methods of the contract are missing: {missing}"

    def test_two_backends_do_not_share_their_state_through_the_class(
        self, make_backend: Callable[[], Any]
    ) -> None:
        first, second = make_backend(), make_backend()
        assert first is not second, "make_backend() must make a new backend each time"
        shared = [
            name
            for name, value in vars(type(first)).items()
            if not name.startswith("__") and isinstance(value, dict | list | set)
        ]
        assert not shared, f"two accounts would share the class attributes {shared}"

    def test_closing_twice_does_no_harm(self, make_backend: Callable[[], Any]) -> None:
        backend = make_backend()
        self.need_ability(backend, "close")
        backend.close()
        backend.close()

    def test_reading_an_unknown_transaction_says_that_it_is_unknown(self, backend: Any) -> None:
        with pytest.raises(TransactionNotFoundError):
            backend.get_status(self.unknown_id(backend))

    @pytest.mark.parametrize("method", ["capture", "refund", "cancel"])
    def test_changing_an_unknown_transaction_says_that_it_is_unknown(
        self, backend: Any, method: str, registration: BackendRegistration
    ) -> None:
        self.need_ability(backend, method)
        if method == "capture":
            self.need_feature(registration, "hold")
        args = () if method == "cancel" else (self.amount_q,)
        with pytest.raises(TransactionNotFoundError):
            self.send(backend, method, self.unknown_id(backend), *args)

    def test_a_chosen_transaction_id_is_pure(self, make_backend: Callable[[], Any]) -> None:
        first, second = make_backend(), make_backend()
        self.need_ability(first, "choose_transaction_id")
        assert isinstance(first, ChoosesTransactionId)
        key = self.new_key()
        chosen = first.choose_transaction_id(key)
        assert isinstance(chosen, str)
        assert chosen
        assert chosen == first.choose_transaction_id(key) == second.choose_transaction_id(key)
        assert chosen != first.choose_transaction_id(self.new_key())

    def test_a_chosen_transaction_id_is_the_transactions_id(
        self, backend: Any, order_ref: str
    ) -> None:
        self.need_ability(backend, "choose_transaction_id")
        self.need_key(backend, "charge")
        key = self.new_key()
        chosen = backend.choose_transaction_id(key)
        assert self.charge(backend, order_ref, idempotency_key=key).transaction_id == chosen
        assert backend.get_status(chosen).transaction_id == chosen

    def test_a_prepared_transaction_moves_nothing(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        self.need_ability(backend, "prepare")
        address = backend.prepare(
            self.amount_q,
            self.currency,
            order_ref,
            dict(self.payment_method),
            capture=True,
            idempotency_key=self.new_key(),
        )
        assert isinstance(address, str)
        assert address
        assert driver.moved_q(order_ref) == driver.held_q(order_ref) == 0
        status = backend.get_status(address)
        self.check(status)
        assert status.status in (PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION)

    def unknown_id(self, backend: Any) -> str:
        """An id of the gateway's form that no transaction has."""
        if isinstance(backend, ChoosesTransactionId):
            return backend.choose_transaction_id(self.new_key())
        return self.new_key()
