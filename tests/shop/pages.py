"""What a person sees of one of the shop's pages, read from its HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Form:
    """A form with the values it would send, and the words on its button."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    button: str = ""


class Page(HTMLParser):
    """An answer of the shop."""

    def __init__(self, url: str, status: int, headers: Mapping[str, str], body: str) -> None:
        super().__init__()
        self.url = url
        self.status = status
        self.headers = headers
        self.body = body
        self.forms: list[Form] = []
        self.payment = ""
        self._by_id: dict[str, str] = {}
        self._texts: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(body)

    @property
    def text(self) -> str:
        """Everything there is to read."""
        return " ".join(" ".join(self._texts).split())

    @property
    def problem(self) -> str:
        """What the page says is wrong with what was sent."""
        return self.part("problem")

    @property
    def books(self) -> str:
        """``equal``, ``different`` and so on, of an order's page."""
        said = self.part("money")
        return next((word for word in ("equal", "different", "catching up") if word in said), "")

    def part(self, id: str) -> str:
        """The text of the element with this id; any white space is one space."""
        return " ".join(self._by_id.get(id, "").split())

    def offers(self, button: str) -> bool:
        """Whether there is such a button."""
        return any(button in form.button for form in self.forms)

    def form(self, button: str) -> Form:
        """The form whose button has these words on it."""
        for form in self.forms:
            if button in form.button:
                return form
        raise AssertionError(f"no button {button!r} among {[form.button for form in self.forms]}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if given.get("id") == "payment-status":
            self.payment = given["data-status"]
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "input" and "name" in given and self._inside("form"):
            self._take(given)
        if tag not in ("input", "img", "link", "meta", "br"):
            self._open.append((tag, given.get("id", "")))

    def _take(self, given: Mapping[str, str]) -> None:
        if given.get("type") != "radio" or "checked" in given:
            self.forms[-1].fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self._texts.append(data)
        for _, id in self._open:
            if id:
                self._by_id[id] = f"{self._by_id.get(id, '')} {data}"
        if self._inside("button") and self._inside("form"):
            self.forms[-1].button += data

    def _inside(self, tag: str) -> bool:
        return any(name == tag for name, _ in self._open)
