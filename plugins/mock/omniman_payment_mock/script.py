"""The script of a mock payment: a small, checked vocabulary for what shall happen to it.

A behaviour is a mapping, given as ``payment_method["behaviour"]`` for one payment or as
``config["script"]`` for all of an account's payments (the payment's own entries win).

=====================  ==========================================================================
entry                  what happens
=====================  ==========================================================================
``decline``            the opening is refused with this ``DeclineCode``
``authenticate``       ``True``: 3-D Secure; ``requires_action`` until ``gateway.confirm_3ds``
``qr``                 ``True``: pending, ``next_action`` shows a QR code, until ``gateway.pay``
``pending``            ``True``: pending, nothing to do for the shopper, until ``gateway.pay``
``pays_after_reads``   the n-th ``get_status`` finds it paid (with ``qr`` or ``pending``)
``pays_after_seconds`` paid once the gateway's clock has moved on this far (ditto)
``pays_amount_q``      what the shopper then pays, if not the amount that was asked
``expires_in``         seconds until an unpaid charge, or a hold, lapses
``refund``             ``"pending"`` (until ``gateway.settle_refund``), ``"fails_later"``
                       (succeeds, the next ``get_status`` shows it failed), or a ``DeclineCode``
``faults``             a fault or a list of them: what goes wrong between backend and gateway
=====================  ==========================================================================

A fault is a mapping with ``kind`` and:

=================  ==========================================================================
``kind``           what the caller sees
=================  ==========================================================================
``timeout``        ``OutcomeUnknownError``; ``when``: ``"before"`` or ``"after"`` the effect
``late``           ``OutcomeUnknownError``; the request arrives ``seconds`` later, or when
                   ``gateway.deliver_late()`` is called
``rate_limit``     ``RateLimitedError`` with ``retry_after`` seconds; no effect
``not_attempted``  ``NotAttemptedError``; no effect
``crash``          ``RuntimeError``, as a bug in a backend would; ``when`` as above
``slow``           the call takes ``seconds`` longer
=================  ==========================================================================

``on`` names the method it strikes (default ``"opening"``: authorize and charge;
``"mutating"``: whatever changes something), ``times`` how many calls with the same key, or
for the same order or transaction without one (default 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from omniman_payment_core.errors import InvalidRequestError
from omniman_payment_core.values import DeclineCode

FAULT_KINDS = ("timeout", "late", "rate_limit", "not_attempted", "crash", "slow")
METHODS = (
    "opening",
    "mutating",
    "authorize",
    "charge",
    "capture",
    "refund",
    "cancel",
    "get_status",
    "find",
    "list_transactions",
)
MOMENTS = ("before", "after")
_GROUPS = {
    "opening": ("authorize", "charge"),
    "mutating": ("authorize", "charge", "capture", "refund", "cancel"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong between the backend and the gateway."""

    kind: str
    on: str = "opening"
    when: str = "before"
    times: int = 1
    retry_after: int | None = None
    seconds: float = 0

    def strikes(self, method: str) -> bool:
        """Whether a call of this method can meet the fault."""
        return self.on == method or method in _GROUPS.get(self.on, ())


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A parsed script; the module's docstring says what each entry does."""

    decline: DeclineCode | None = None
    authenticate: bool = False
    qr: bool = False
    pending: bool = False
    pays_after_reads: int | None = None
    pays_after_seconds: int | None = None
    pays_amount_q: int | None = None
    expires_in: int | None = None
    refund: str | None = None
    faults: tuple[Fault, ...] = ()
    source: Mapping[str, Any] | None = None
    """The mapping this was parsed from, for a store that writes it down."""

    @property
    def waiting(self) -> str:
        """What the shopper has to do first."""
        if self.authenticate:
            return "3ds"
        return "qr" if self.qr else "pending" if self.pending else ""

    @property
    def refund_declined(self) -> DeclineCode | None:
        """The reason refunds are refused with, where they are."""
        return self.refund if isinstance(self.refund, DeclineCode) else None


NO_BEHAVIOUR = Behaviour()
_DECLINES = tuple(DeclineCode)
_FLAGS = ("authenticate", "qr", "pending")
_NUMBERS = ("pays_after_reads", "pays_after_seconds", "pays_amount_q", "expires_in")
_ENTRIES = tuple(f.name for f in fields(Behaviour) if f.name != "source")
_FAULT_ENTRIES = tuple(f.name for f in fields(Fault))


def parse(
    source: object, defaults: Mapping[str, Any] | None = None, *, where: str = "behaviour"
) -> Behaviour:
    """Check a script and give it a form; every problem is named in one error."""
    if not isinstance(source, Mapping):
        raise InvalidRequestError(f"{where}: a mapping is expected, not {type(source).__name__}")
    merged = {**defaults, **source} if defaults else dict(source)
    problems = find_problems(merged)
    if problems:
        raise InvalidRequestError(f"{where}: " + "; ".join(problems))
    values = dict(merged)
    if "decline" in values:
        values["decline"] = DeclineCode(values["decline"])
    if values.get("refund") in _DECLINES:
        values["refund"] = DeclineCode(values["refund"])
    values["faults"] = tuple(Fault(**fault) for fault in _fault_list(merged))
    return Behaviour(**values, source=merged)


def find_problems(source: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a script, each as a sentence."""
    problems = [
        f"unknown entry {name!r} (known: {', '.join(_ENTRIES)})"
        for name in source
        if name not in _ENTRIES
    ]
    if "decline" in source and source["decline"] not in _DECLINES:
        problems.append("'decline' must be a DeclineCode value such as 'insufficient_funds'")
    problems += [
        f"{name!r} must be true or false"
        for name in _FLAGS
        if not isinstance(source.get(name, False), bool)
    ]
    problems += [
        f"{name!r} must be a whole number above zero"
        for name in _NUMBERS
        if name in source and not _is_positive(source[name])
    ]
    allowed = ("pending", "fails_later", *_DECLINES)
    if "refund" in source and source["refund"] not in allowed:
        problems.append("'refund' must be 'pending', 'fails_later' or a DeclineCode value")
    ways = [name for name in ("decline", *_FLAGS) if source.get(name)]
    if len(ways) > 1:
        problems.append(f"only one of {', '.join(ways)} can happen to one payment")
    if any(n in source for n in _NUMBERS[:3]) and not (source.get("qr") or source.get("pending")):
        problems.append("'pays_...' entries need 'qr' or 'pending'")
    for number, fault in enumerate(_fault_list(source), 1):
        problems += [f"fault {number}: {p}" for p in _fault_problems(fault)]
    return problems


def _fault_list(source: Mapping[str, Any]) -> list[Any]:
    faults = source.get("faults", ())
    return list(faults) if isinstance(faults, list | tuple) else [faults]


def _fault_problems(fault: object) -> list[str]:
    if not isinstance(fault, Mapping):
        return ["a mapping is expected"]
    problems = [f"unknown entry {name!r}" for name in fault if name not in _FAULT_ENTRIES]
    for name, choices in (("kind", FAULT_KINDS), ("on", METHODS), ("when", MOMENTS)):
        if (name == "kind" or name in fault) and fault.get(name) not in choices:
            problems.append(f"{name!r} must be one of {', '.join(choices)}")
    if not _is_positive(fault.get("times", 1)):
        problems.append("'times' must be a whole number above zero")
    if "retry_after" in fault and not _is_positive(fault["retry_after"]):
        problems.append("'retry_after' must be a whole number above zero")
    seconds = fault.get("seconds", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
        problems.append("'seconds' must be a number, zero or more")
    return problems


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
