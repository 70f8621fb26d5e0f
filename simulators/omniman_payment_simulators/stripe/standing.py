"""Where a PaymentIntent stands, and what Stripe says to whoever asks for more than that allows."""

from __future__ import annotations

from .errors import ApiError, invalid, unvalidated
from .objects import intent_of
from .records import Intent
from .state import State

UNEXPECTED = "payment_intent_unexpected_state"

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)


def unexpected(
    state: State, intent: Intent, what: str, allowed: tuple[str, ...], done: str
) -> ApiError:
    """The status does not allow it."""
    return invalid(
        f"{what} because it has a status of {intent.status}. Only a PaymentIntent with one of the "
        f"following statuses may be {done}: {', '.join(allowed)}.",
        code=UNEXPECTED,
        payment_intent=intent_of(state, intent),
    )


def bad_choice(param: str, choices: tuple[str, ...]) -> ApiError:
    """A parameter that is one of a few words, and was another."""
    *others, last = choices
    listed = f"{', '.join(others)}, or {last}" if len(others) > 1 else " or ".join(choices)
    return unvalidated(f"Invalid {param}: must be one of {listed}", code=None, param=param)
