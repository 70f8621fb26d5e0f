"""Names that a backend chooses beforehand are asked for inside a transaction, and checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from omniman_payment_core.records import DirectiveStatus
from omniman_payment_mock import MockPaymentBackend
from tests.core.harness import Shop

from .raising import FromNowhere, Masked, Speechless


def _raising(error: Callable[[], BaseException]) -> Callable[[str], Any]:
    def choose(key: str) -> Any:
        raise error()

    return choose


CHOICES: dict[str, Callable[[str], Any]] = {
    "an error": _raising(lambda: RuntimeError("no")),
    "an exit": _raising(lambda: SystemExit(1)),
    "the end of a generator": _raising(GeneratorExit),
    "an exception without words": _raising(Speechless),
    "an exception without a class": _raising(Masked),
    "an exception class without a name": _raising(lambda: FromNowhere("x")),
    "None": lambda key: None,
    "a number": lambda key: 17,
    "nothing": lambda key: "",
    "10 MB": lambda key: "x" * 10_000_000,
    "bytes": lambda key: key.encode(),
    "lone surrogates": lambda key: f"{key}\ud800",
}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("what", ["choose_transaction_id", "choose_refund_id"])
def test_a_name_that_is_none_sends_nothing_and_stops_nobody_else(
    what: str, choice: Callable[[str], Any]
) -> None:
    class Naming(MockPaymentBackend):
        healed = False

    def choose(self: Naming, key: str) -> Any:
        return f"name-of-{key}" if self.healed else choice(key)

    setattr(Naming, what, choose)
    shop = Shop(backend=Naming)
    backend = shop.accounts.account("mock").backend
    shop.gateway = backend.gateway
    shop.add_account("other")
    shop.order()
    number = shop.hold()
    if what == "choose_refund_id":
        backend.healed = True
        shop.run()
        shop.confirm()
        shop.run()
        backend.healed, number = False, shop.refund(400)
    other = shop.hold(shop.order("O2", payment_backend="other"))
    shop.run()
    assert shop.directive(other).status == DirectiveStatus.COMPLETED
    assert shop.directive(number).status == DirectiveStatus.PENDING
    assert shop.flag_kinds() == ["account_unusable"]
    assert shop.moved_q() == (1000 if what == "choose_refund_id" else 0)
    backend.healed = True
    shop.settle_down()
    assert shop.directive(number).status == DirectiveStatus.COMPLETED
