"""Whatever a plugin raises or returns becomes one outcome, and nothing of it gets further."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from omniman_payment_core.contracts import Abilities, abilities_of
from omniman_payment_core.decisions import (
    Answered,
    Found,
    Invalid,
    Misconfigured,
    NotAttempted,
    NotFound,
    Prepared,
    Refused,
    Unknown,
)
from omniman_payment_core.engine.answers import MAX_METADATA
from omniman_payment_core.engine.gateway import call_backend, outcome_of
from omniman_payment_core.errors import (
    BackendLoadError,
    ConfigurationError,
    InvalidRequestError,
    NotAttemptedError,
    OutcomeUnknownError,
    PaymentError,
    RateLimitedError,
    TransactionNotFoundError,
    VetoError,
    WebhookError,
)
from omniman_payment_core.records import DirectiveStatus, GatewayRequest, Operation
from omniman_payment_core.secrets import Scrubber
from omniman_payment_core.values import NextAction, PaymentResult, RefundSnapshot
from omniman_payment_mock import MockPaymentBackend

from .harness import Shop

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "sk_live_canary_in_the_coalmine"
GOOD = PaymentResult(True, "txn-1", "authorized")


def request(method: str = "authorize", **changes: Any) -> GatewayRequest:
    reads = method in ("get_status", "find")
    operation = (
        None
        if reads
        else Operation(
            key="omp_key",
            payment_id="pay-1",
            kind=method,
            ordinal=1,
            cause="directive-1",
            params_hash="",
            amount_q=1000,
            currency="BRL",
            state="sent",
            created_at=NOW,
        )
    )
    values: dict[str, Any] = {
        "method": method,
        "account": "mock",
        "fingerprint": "f",
        "plugin": "mock",
        "livemode": False,
        "payment_id": "pay-1",
        "order_ref": "O1",
        "amount_q": 1000,
        "currency": "BRL",
        "transaction_id": None if method in ("authorize", "charge", "prepare") else "txn-1",
        "operation": operation,
        "payment_method": {"token": "tok_visa", "card": {"brand": "visa", "tags": ["a"]}},
        "metadata": {"basket": [1, 2]},
        "reason": "broken",
        **changes,
    }
    return GatewayRequest(**values)


def scrub(text: str) -> str:
    return Scrubber([SECRET]).text(text)


def outcome(answer: Any, method: str = "authorize") -> Any:
    return outcome_of(request(method), lambda: answer, scrub)


def raised(error: BaseException, method: str = "authorize") -> Any:
    def perform() -> Any:
        raise error

    return outcome_of(request(method), perform, scrub)


class Unspeakable(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words")


class Exiting(Exception):
    """Ends the process when it is asked what it is."""

    def __str__(self) -> str:
        raise SystemExit(3)


class NotText(Exception):
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]


class HalfMade(RateLimitedError):
    """A subclass that forgot to call its base."""

    def __init__(self) -> None:
        pass


# -- what is raised ----------------------------------------------------------------------------

RAISED: list[tuple[BaseException, Any]] = [
    (NotAttemptedError("refused at the door"), NotAttempted("refused at the door")),
    (VetoError("the breaker is open"), NotAttempted("the breaker is open")),
    (HalfMade(), NotAttempted("HalfMade")),
    (RateLimitedError(), NotAttempted("rate limited", None, counted=False)),
    (
        RateLimitedError("busy", retry_after=90),
        NotAttempted("busy", timedelta(seconds=90), counted=False),
    ),
    (
        RateLimitedError("busy", retry_after=10**30),
        NotAttempted("busy", timedelta(hours=1), counted=False),
    ),
    (RateLimitedError("busy", retry_after=0), NotAttempted("busy", None, counted=False)),
    (RateLimitedError("busy", retry_after=-5), NotAttempted("busy", None, counted=False)),
    (RateLimitedError("busy", retry_after="soon"), NotAttempted("busy", None, counted=False)),  # type: ignore[arg-type]
    (TransactionNotFoundError("no such thing"), NotFound("no such thing")),
    (InvalidRequestError("amount too small"), Invalid("amount too small")),
    (ConfigurationError("bad key"), Misconfigured("bad key")),
    (BackendLoadError("cannot be built"), Misconfigured("cannot be built")),
    (OutcomeUnknownError("timeout"), Unknown("timeout")),
    (PaymentError("something"), Unknown("PaymentError: something", plugin_fault=True)),
    (WebhookError("here?"), Unknown("WebhookError: here?", plugin_fault=True)),
    (RuntimeError("a bug"), Unknown("RuntimeError: a bug", plugin_fault=True)),
    (TimeoutError(), Unknown("TimeoutError: TimeoutError", plugin_fault=True)),
    (KeyError("id"), Unknown("KeyError: 'id'", plugin_fault=True)),
    (MemoryError(), Unknown("MemoryError: MemoryError", plugin_fault=True)),
    (RecursionError("deep"), Unknown("RecursionError: deep", plugin_fault=True)),
    (AssertionError("no"), Unknown("AssertionError: no", plugin_fault=True)),
    (StopIteration(5), Unknown("StopIteration: 5", plugin_fault=True)),
    (SystemExit(1), Unknown("SystemExit: 1", plugin_fault=True)),
    (KeyboardInterrupt(), Unknown("KeyboardInterrupt: KeyboardInterrupt", plugin_fault=True)),
    (GeneratorExit(), Unknown("GeneratorExit: GeneratorExit", plugin_fault=True)),
    (BaseException("base"), Unknown("BaseException: base", plugin_fault=True)),
    (
        ExceptionGroup("two", [ValueError("a"), ValueError("b")]),
        Unknown("ExceptionGroup: two (2 sub-exceptions)", plugin_fault=True),
    ),
    (Unspeakable(), Unknown("Unspeakable: Unspeakable", plugin_fault=True)),
    (Exiting(), Unknown("Exiting: Exiting", plugin_fault=True)),
    (NotText(), Unknown("NotText: NotText", plugin_fault=True)),
]


@pytest.mark.parametrize(
    ("error", "expected"),
    RAISED,
    ids=[f"{number}-{type(error).__name__}" for number, (error, _) in enumerate(RAISED)],
)
@pytest.mark.parametrize("method", ["authorize", "capture", "refund", "get_status", "find"])
def test_an_exception_is_one_outcome(error: BaseException, expected: Any, method: str) -> None:
    assert raised(error, method) == expected


# -- what is returned --------------------------------------------------------------------------


class Angry:
    """Raises whatever is asked of it."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("not now")


class Ending:
    """Tries to end the process from a property."""

    success = True
    status = "authorized"

    @property
    def transaction_id(self) -> str:
        raise SystemExit(0)


def with_(**changes: Any) -> PaymentResult:
    return replace(GOOD, **changes)


GARBAGE: list[tuple[Any, str]] = [
    (None, "the answer is a NoneType, not a PaymentResult"),
    ("ok", "the answer is a str, not a PaymentResult"),
    (b"ok", "the answer is a bytes, not a PaymentResult"),
    (True, "the answer is a bool, not a PaymentResult"),
    (200, "the answer is a int, not a PaymentResult"),
    ({"success": True, "status": "captured"}, "the answer is a dict, not a PaymentResult"),
    ([GOOD], "the answer is a list, not a PaymentResult"),
    (ValueError("returned"), "the answer is a ValueError, not a PaymentResult"),
    (Angry(), "the answer is a Angry, not a PaymentResult"),
    (Ending(), "SystemExit: 0"),
    (SimpleNamespace(success=True), "the answer is a SimpleNamespace, not a PaymentResult"),
    (with_(success="yes"), "success is not true or false"),
    (with_(success=1), "success is not true or false"),
    (with_(success=None), "success is not true or false"),
    (with_(status=None), "status is not a text"),
    (with_(status=200), "status is not a text"),
    (with_(transaction_id=17), "transaction_id is not a text"),
    (with_(transaction_id="t" * 256), "transaction_id is longer than 255 characters"),
    (with_(error_code=404), "error_code is not a text"),
    (with_(error_code="c" * 256), "error_code is longer than 255 characters"),
    (with_(error_message=b"no"), "error_message is not a text"),
    (with_(currency=986), "currency is not a text"),
    (with_(reference=object()), "reference is not a text"),
    (with_(captured_q=True), "captured_q is not a whole number of the smallest unit"),
    (with_(captured_q=10.0), "captured_q is not a whole number of the smallest unit"),
    (with_(captured_q=float("nan")), "captured_q is not a whole number of the smallest unit"),
    (with_(captured_q="1000"), "captured_q is not a whole number of the smallest unit"),
    (with_(captured_q=-1), "captured_q is not a whole number of the smallest unit"),
    (with_(authorized_q=10**16), "authorized_q is not a whole number of the smallest unit"),
    (with_(refunded_q=-1000), "refunded_q is not a whole number of the smallest unit"),
    (with_(held_q=-1), "held_q is not a whole number of the smallest unit"),
    (with_(disputed_q=1.5), "disputed_q is not a whole number of the smallest unit"),
    (with_(amount_q=10**400), "amount_q is not a whole number of the smallest unit"),
    (with_(expires_at=NOW.replace(tzinfo=None)), "expires_at is not an aware datetime"),
    (with_(expires_at="tomorrow"), "expires_at is not an aware datetime"),
    (with_(hold_expires_at=1_767_225_600), "hold_expires_at is not an aware datetime"),
    (with_(refunds="none"), "refunds is not a list"),
    (with_(refunds=({"amount_q": 5},)), "refunds holds something else than a RefundSnapshot"),
    (
        with_(refunds=(RefundSnapshot("re", -5, "succeeded"),)),
        "a refund's amount_q is not a whole number of the smallest unit",
    ),
    (
        with_(refunds=(RefundSnapshot("re", 5, "maybe"),)),
        "a refund's reference or status is not known",
    ),
    (with_(next_action="redirect"), "next_action is not a NextAction"),
    (with_(next_action=NextAction("redirect", {"to": object()})), "next_action is not JSON"),
    (
        with_(next_action=NextAction("redirect", {"to": "x" * MAX_METADATA})),
        f"next_action is not an object of at most {MAX_METADATA} characters",
    ),
]


@pytest.mark.parametrize(("answer", "message"), GARBAGE, ids=[str(i) for i in range(len(GARBAGE))])
@pytest.mark.parametrize("method", ["authorize", "capture", "refund", "cancel", "get_status"])
def test_garbage_is_an_unknown_outcome_and_the_plugins_fault(
    answer: Any, message: str, method: str
) -> None:
    assert outcome(answer, method) == Unknown(message, plugin_fault=True)


@pytest.mark.parametrize("answer", [None, 5, "", "i" * 256, GOOD, b"id"])
def test_an_address_that_is_none_is_garbage(answer: Any) -> None:
    assert outcome(answer, "prepare") == Unknown(
        "prepare() did not return a transaction id", plugin_fault=True
    )
    assert outcome("pi_1", "prepare") == Prepared("pi_1")


@pytest.mark.parametrize("answer", [None, GOOD, {"a": GOOD}, iter([GOOD]), "txn-1"])
def test_a_search_that_finds_no_list_is_garbage(answer: Any) -> None:
    assert outcome(answer, "find") == Unknown("find() did not return a list", plugin_fault=True)


def test_a_search_is_checked_item_by_item_and_bounded() -> None:
    assert outcome([], "find") == Found(())
    assert outcome((GOOD,), "find") == Found((GOOD,))
    assert len(outcome([GOOD] * 100_000, "find").results) == 100
    assert isinstance(outcome([GOOD, None], "find"), Unknown)


def recursive() -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    metadata["self"] = metadata
    return metadata


def nested() -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for _ in range(100_000):
        metadata = {"in": metadata}
    return metadata


class Shy(dict[str, Any]):
    """A mapping that cannot be read."""

    def items(self) -> Any:
        raise ValueError("no")


@pytest.mark.parametrize(
    "metadata",
    [
        lambda: {"intent": object()},
        lambda: {"blob": "x" * 10_000_000},
        recursive,
        nested,
        lambda: ["a", "list"],
        lambda: "text",
        lambda: {"raw": b"bytes"},
        lambda: {("a", "tuple"): 1},
        lambda: Shy(a=1),
        lambda: {"set": {1, 2}},
    ],
    ids=["object", "10 MB", "recursive", "nested", "list", "text", "bytes", "keys", "shy", "set"],
)
def test_metadata_that_cannot_be_kept_is_left_out_and_the_money_counts(
    metadata: Callable[[], Any],
) -> None:
    assert outcome(with_(metadata=metadata())) == Answered(GOOD)


def test_a_result_class_of_its_own_is_taken_over() -> None:
    @dataclass
    class Theirs:
        success: bool
        transaction_id: str | None
        status: str
        captured_q: int = 700

    answer = Theirs(True, "txn-1", "authorized")
    assert outcome(answer) == Answered(with_(captured_q=700))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (PaymentResult(False, None, "failed", "card_declined", "no"), "card_declined"),
        (PaymentResult(False, "txn-1", "pending", "card_declined", "no"), "card_declined"),
        (PaymentResult(False, "txn-1", "cancelled", None, "no"), ""),
        (PaymentResult(False, "txn-1", "expired", None, "no"), ""),
    ],
)
def test_a_final_no_is_a_refusal(answer: PaymentResult, code: str) -> None:
    for method in ("authorize", "capture", "charge", "refund", "cancel"):
        assert outcome(answer, method) == Refused(code, "no", answer)
    assert outcome(answer, "get_status") == Answered(answer)


def test_no_success_without_a_reason_or_an_end_is_no_refusal() -> None:
    answer = PaymentResult(False, "txn-1", "pending")
    assert outcome(answer) == Answered(answer)


# -- what is handed over -----------------------------------------------------------------------


def test_a_plugin_that_changes_its_arguments_changes_its_own_copy() -> None:
    class Vandal:
        def authorize(self, **arguments: Any) -> PaymentResult:
            arguments["payment_method"]["card"]["tags"].append("b")
            arguments["payment_method"].clear()
            arguments["metadata"]["basket"].clear()
            arguments["metadata"]["payment_id"] = "pay-2"
            return GOOD

    asked = request()
    before = deepcopy((dict(asked.payment_method), dict(asked.metadata)))
    call_backend(Vandal(), abilities_of(Vandal()), asked)
    assert (dict(asked.payment_method), dict(asked.metadata)) == before


def test_each_method_is_called_with_what_its_signature_takes() -> None:
    seen: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    class Spy:
        def __getattr__(self, name: str) -> Any:
            return lambda *args, **kwargs: seen.append((name, args, kwargs))

    every = frozenset(["prepare", "authorize", "capture", "refund", "cancel"])
    plain = Abilities(every, frozenset(), frozenset())
    keyed = Abilities(every, every, frozenset(["authorize"]))
    whole = Abilities(every, every, frozenset(["authorize"]), frozenset(["capture"]), True)
    for method in ("capture", "refund", "cancel", "get_status"):
        call_backend(Spy(), keyed, request(method))
    call_backend(Spy(), plain, request("capture"))
    call_backend(Spy(), keyed, request("authorize", transaction_id="mine"))
    call_backend(Spy(), keyed, request("prepare", capture=True))
    call_backend(Spy(), plain, request("find"))
    call_backend(Spy(), whole, request("capture"))
    call_backend(Spy(), whole, request("capture", final=False))
    opening = {
        "amount_q": 1000,
        "currency": "BRL",
        "order_ref": "O1",
        "payment_method": {"token": "tok_visa", "card": {"brand": "visa", "tags": ["a"]}},
        "metadata": {"basket": [1, 2], "payment_id": "pay-1"},
        "idempotency_key": "omp_key",
    }
    captured = {"amount_q": 1000, "idempotency_key": "omp_key"}
    assert seen == [
        ("capture", ("txn-1",), captured),
        (
            "refund",
            ("txn-1",),
            {"amount_q": 1000, "reason": "broken", "idempotency_key": "omp_key"},
        ),
        ("cancel", ("txn-1",), {"idempotency_key": "omp_key"}),
        ("get_status", ("txn-1",), {}),
        ("capture", ("txn-1",), {"amount_q": 1000}),
        ("authorize", (), {**opening, "transaction_id": "mine"}),
        ("prepare", (), {**opening, "capture": True}),
        ("find", ("O1",), {}),
        ("capture", ("txn-1",), {**captured, "currency": "BRL"}),
        ("capture", ("txn-1",), {**captured, "currency": "BRL", "final": False}),
    ]


# -- texts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RuntimeError, OutcomeUnknownError, NotAttemptedError,
                                  InvalidRequestError, ConfigurationError,
                                  TransactionNotFoundError])  # fmt: skip
def test_a_text_comes_in_scrubbed_on_one_line_and_bounded(kind: type[Exception]) -> None:
    text = f"bad key {SECRET}\r\nINFO forged line 4111 1111 1111 1111 " + "x" * 100_000
    message = raised(kind(text)).message
    assert SECRET not in message
    assert "4111 1111" not in message
    assert message.isprintable()
    assert len(message) < 2100
    assert "bad key" in message


@pytest.mark.parametrize("method", ["authorize", "capture", "get_status"])
@pytest.mark.parametrize("success", [True, False])
def test_the_texts_of_an_answer_come_in_scrubbed(method: str, success: bool) -> None:
    answer = PaymentResult(
        success, "txn-1", "failed", f"code {SECRET}", f"card 4111 1111 1111 1111, key {SECRET}\n"
    )
    assert SECRET not in repr(outcome(answer, method))
    assert "4111 1111 1111 1111" not in repr(outcome(answer, method))
    assert SECRET not in repr(outcome([answer], "find"))


def test_what_a_plugin_says_of_a_payment_method_is_not_repeated() -> None:
    asked = request(
        payment_method={
            "type": "card",
            "token": "tok_canary_1",
            "holder": {"email": "ana@example.org", "cpf": "123.456.789-09"},
            "numbers": ["5555-0100-22"],
        }
    )

    def perform() -> Any:
        raise RuntimeError(
            "card tok_canary_1 of ana@example.org (123.456.789-09, 5555-0100-22) was declined"
        )

    message = outcome_of(asked, perform, scrub).message
    for detail in ("tok_canary_1", "ana@example.org", "123.456.789-09", "5555-0100-22"):
        assert detail not in message
    assert "card" in message
    assert "was declined" in message


# -- the same, through the whole engine --------------------------------------------------------


class Hostile(MockPaymentBackend):
    """Does what it is asked, and answers the first call of a method with something else."""

    strange: Any = None
    method = "authorize"

    def _send(self, method: str, scope: str, faults: Any, request: Any) -> Any:
        answer = super()._send(method, scope, faults, request)
        if method == self.method and not self.gateway.count(f"hostile-{method}") > 1:
            if isinstance(self.strange, BaseException):
                raise self.strange
            return self.strange
        return answer


HOSTILE: list[Any] = [
    *(answer for answer, _ in GARBAGE),
    *(error for error, expected in RAISED if isinstance(expected, Unknown)),
]


@pytest.mark.parametrize("strange", HOSTILE, ids=[str(i) for i in range(len(HOSTILE))])
@pytest.mark.parametrize("method", ["authorize", "capture", "refund", "get_status"])
def test_a_strange_answer_after_the_effect_neither_loses_nor_doubles_it(
    method: str, strange: Any
) -> None:
    kind = type("Strange", (Hostile,), {"strange": strange, "method": method})
    shop = Shop(backend=kind)
    shop.order()
    for enqueue in (shop.hold, shop.confirm, lambda: shop.refund(400)):
        number = enqueue()
        shop.settle_down()
        assert shop.directive(number).status == DirectiveStatus.COMPLETED
        shop.sync()
    shop.settle_down()
    assert shop.moved_q() == 600
    assert (shop.payment().captured_q, shop.payment().refunded_q) == (1000, 400)
    assert len(shop.gateway.transactions()) == 1


@pytest.mark.parametrize("method", ["authorize", "capture", "get_status"])
def test_an_answer_about_another_transaction_is_not_believed(method: str) -> None:
    other = PaymentResult(
        True, "somebody-elses", "captured", amount_q=1000, authorized_q=1000, captured_q=1000
    )
    shop = Shop(backend=type("Confused", (Hostile,), {"strange": other, "method": method}))
    shop.order()
    shop.hold()
    shop.settle_down()
    if method == "capture":
        shop.confirm()
        shop.settle_down()
    elif method == "get_status":
        shop.sync()
    assert shop.payment().captured_q == shop.moved_q()
    assert shop.payment().transaction_id != "somebody-elses"
    (flag,) = shop.flags("transaction_mismatch")
    assert flag.message == (
        f"asked about transaction {shop.payment().transaction_id}, the gateway answered about "
        "another: 'somebody-elses'"
    )
