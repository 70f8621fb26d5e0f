"""Values that must not be seen, and the scrubber that takes them out of texts meant for people.

Knows nothing of settings or plugins. Texts from gateways and plugins pass through a
:class:`Scrubber` before they are logged, stored or shown.
"""

from __future__ import annotations

import base64
import hmac
import html
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn
from urllib.parse import quote, quote_plus

from .numbers import (
    CARD_MASK,
    CARD_RUN,
    MAYBE_CARD,
    MAYBE_TAXPAYER,
    TAXPAYER,
    has_card,
    mask_cards,
    mask_taxpayer,
)

MASK: Final = "[secret]"
SHORTEST: Final = 4
"""Shorter secrets are left alone: they would black out ordinary words."""
MAX_DEPTH: Final = 12
MAX_ITEMS: Final = 1000
_LONG_LINE: Final = 16
_NOTHING: Final = re.compile(r"(?!)")


class Secret:
    """A value that shows itself only when asked: :meth:`reveal`. Cannot be pickled."""

    __slots__ = ("__value",)

    def __init__(self, value: Any) -> None:
        object.__setattr__(self, "_Secret__value", value)

    def reveal(self) -> Any:
        """The value itself; keep it out of variables that outlive the call."""
        return self.__value  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self.reveal(), other.reveal()
        same = hmac.compare_digest(_as_bytes(mine), _as_bytes(theirs))
        return same and type(mine) is type(theirs)

    # A hash would let a guess be confirmed without comparing.
    __hash__ = None  # type: ignore[assignment]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret cannot be changed")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


def _as_bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else repr(value)
    return text.encode("utf-8", "surrogatepass")


class Scrubber:
    """Takes secrets, card and taxpayer numbers and control characters out of texts."""

    __slots__ = ("_known",)

    def __init__(self, secrets: Iterable[str | Secret] = ()) -> None:
        self.know(secrets)

    def know(self, secrets: Iterable[str | Secret]) -> None:
        """Replace the known secrets; safe while other threads scrub."""
        forms: set[str] = set()
        for secret in secrets:
            value = secret.reveal() if isinstance(secret, Secret) else secret
            if isinstance(value, bytes):
                value = value.decode("latin-1")
            if isinstance(value, str) and len(value) >= SHORTEST:
                forms.update(_forms_of(value))
        # The longest first, so that a secret which begins with another one goes whole.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else _NOTHING
        longest = len(ordered[0]) if ordered else 0
        # In one piece, because other threads read it without a lock.
        self._known = (tuple(reversed(ordered)), pattern, longest)

    def __repr__(self) -> str:
        return f"<Scrubber, {len(self._known[0])} forms of secrets>"

    def text(self, text: str, limit: int = 2000) -> str:
        """The text without secrets and card numbers, on one line, at most ``limit`` characters."""
        length = len(text)
        if length > limit:
            text = self._beginning(text, limit)
        else:
            forms, pattern, _ = self._known
            for form in forms:
                if len(form) > length:
                    break
                if form in text:
                    text = pattern.sub(MASK, text)
                    break
        if MAYBE_CARD.search(text) is not None:
            text = CARD_RUN.sub(mask_cards, text)
        if "client_secret" in text:
            text = _CLIENT_SECRET.sub(rf"\1{MASK}", text)
        if MAYBE_TAXPAYER.search(text) is not None:
            text = TAXPAYER.sub(mask_taxpayer, text)
        if not text.isprintable():
            text = "".join(map(_visible, text))
        return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"

    def passage(self, text: str) -> str:
        """A text of any length and many lines, such as a traceback, without secrets and cards."""
        text = self._known[1].sub(MASK, text)
        text = CARD_RUN.sub(mask_cards, text)
        text = _CLIENT_SECRET.sub(rf"\1{MASK}", text)
        return TAXPAYER.sub(mask_taxpayer, text)

    def _beginning(self, text: str, limit: int) -> str:
        """The first ``limit`` characters; a secret across the cut goes whole, not in half."""
        _, pattern, longest = self._known
        # A card number is at most 37 characters with its separators.
        text = text[: limit + max(longest, 40)]
        spans = [match.span() for match in CARD_RUN.finditer(text) if has_card(match.group())]
        cut = min((start for start, end in spans if start < limit < end), default=limit)
        pieces, done = [], 0
        for match in pattern.finditer(text):
            if match.start() >= cut:
                break
            pieces += [text[done : match.start()], MASK]
            done = match.end()
        return "".join(pieces) + text[done : max(cut, done)] + "…"

    def json(self, value: object, limit: int = 2000) -> Any:
        """The value as scrubbed JSON: bounded, and whatever is not JSON by its type's name only."""
        return self._json(value, limit, 0, _Budget(MAX_ITEMS))

    def _json(self, value: object, limit: int, depth: int, budget: _Budget) -> Any:
        try:
            if value is None or isinstance(value, bool):
                return value
            if isinstance(value, str):
                return self.text(str.__str__(value), limit)
            if isinstance(value, int):
                return self._number(int(value))
            if isinstance(value, float):
                return float(value) if math.isfinite(value) else f"[{type(value).__name__}]"
            if isinstance(value, Secret):
                return MASK
            if isinstance(value, (Mapping, list, tuple)):
                if depth >= MAX_DEPTH:
                    return "[too deep]"
                return self._container(value, limit, depth + 1, budget)
        except Exception:
            return f"[{type(value).__name__}]"
        return f"[{type(value).__name__}]"

    def _number(self, value: int) -> int | str:
        if abs(value) < 10**12:
            return value
        if abs(value) >= 10**64:
            return "[long number]"
        shown = str(value)
        return value if self.text(shown) == shown else CARD_MASK

    def _container(self, value: Any, limit: int, depth: int, budget: _Budget) -> Any:
        if isinstance(value, Mapping):
            clean: dict[str, Any] = {}
            for key in value:
                if not budget.take():
                    clean["[more]"] = "[left out]"
                    break
                shown = self.text(key, limit) if isinstance(key, str) else self._key(key)
                clean[shown] = self._json(value[key], limit, depth, budget)
            return clean
        items: list[Any] = []
        for item in value:
            if not budget.take():
                items.append("[more left out]")
                break
            items.append(self._json(item, limit, depth, budget))
        return items

    def _key(self, key: object) -> str:
        if key is None or isinstance(key, (bool, int)):
            return self.text(str(self._json(key, 100, 0, _Budget(1))))
        return f"[{type(key).__name__}]"


class _Budget:
    """How many items may still be looked at, across all levels."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


def contains_card_number(value: object) -> bool:
    """Whether a JSON value holds what looks like a card number, in a text, number or key."""
    return any(
        has_card(match.group())
        for text in _texts(value, 0, _Budget(10 * MAX_ITEMS))
        for match in CARD_RUN.finditer(text)
    )


def _texts(value: object, depth: int, budget: _Budget) -> Iterator[str]:
    if not budget.take() or depth > 2 * MAX_DEPTH:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, int) and 10**12 <= abs(value) < 10**19:
        yield str(abs(value))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key, depth + 1, budget)
            yield from _texts(item, depth + 1, budget)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item, depth + 1, budget)


# -- the forms a secret takes ---------------------------------------------------------------


def _forms_of(secret: str) -> set[str]:
    forms = {secret}
    lines = [line.strip() for line in secret.splitlines()]
    if len(lines) > 1:
        # A certificate or key: its lines are shown one by one, or with other line ends.
        forms.update(
            line for line in lines if len(line) >= _LONG_LINE and not line.startswith("-----")
        )
    for form in tuple(forms):
        forms.add(json.dumps(form)[1:-1])
        forms.add(json.dumps(form, ensure_ascii=False)[1:-1])
        forms.add(repr(form)[1:-1])
        forms.add(html.escape(form))
        raw = form.encode("utf-8", "surrogatepass")
        for quoted in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
            forms.add(quoted)
            forms.add(_PERCENT.sub(lambda match: match.group().lower(), quoted))
        forms.update(_base64_forms(raw))
    return {form for form in forms if len(form) >= SHORTEST}


_PERCENT = re.compile(r"%[0-9A-F]{2}")


def _base64_forms(raw: bytes) -> Iterator[str]:
    """What stays the same of its base64 wherever it stands in a longer encoded text."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        first = (0, 2, 3)[before]
        last = len(encoded) if (before + len(raw)) % 3 == 0 else len(encoded) - 1
        stable = encoded[first:last]
        if len(stable) >= 6:
            yield stable
            yield stable.replace("+", "-").replace("/", "_")


# Whoever has it can finish a shopper's payment; gateways send it along with much else.
_CLIENT_SECRET = re.compile(r"(client_secret\W{0,4}[=:]\W{0,4})(?!null\b)\w[\w.-]*")


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
