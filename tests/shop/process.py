"""The shop as a process of its own, as ``make shop`` starts it, and a person who visits it."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .pages import Form, Page

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 20.0
BEGINNING = re.compile(r"shop +(\S+)\nledger +(\S+)\nadmin +(\S+) +user (\S+), password (\S+)\n")


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The process; its temporary files go to ``folder``, and its children to its own group."""
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    return subprocess.Popen(
        [sys.executable, "-m", "examples.shop", *arguments],
        cwd=ROOT,
        env={**environment, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


class Running:
    """A shop that has said where it is."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        said = "".join(process.stdout.readline() for _ in range(4))
        found = BEGINNING.match(said)
        if found is None:
            process.kill()
            raise AssertionError(f"the shop did not begin: {said}{process.communicate()[1]}")
        self.url, self.ledger_url, self.admin_url, self.user, self.password = found.groups()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code, and what it complained about."""
        self.process.send_signal(number)
        try:
            complaints = self.process.communicate(timeout=PATIENCE_SECONDS)[1]
        finally:
            self.process.kill()
        return self.process.returncode, complaints


@contextmanager
def running_shop(folder: Path, *arguments: str) -> Iterator[Running]:
    """A shop on a free port, until the block ends."""
    process = start(folder, "--port", "0", *arguments)
    try:
        yield Running(process)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


class Visitor:
    """A browser without JavaScript: keeps cookies, sends forms, follows redirects."""

    def __init__(self, shop: Running) -> None:
        self.shop = shop
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def get(self, path: str) -> Page:
        return self._open(urllib.request.Request(self._url(path)))

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Page:
        body = urllib.parse.urlencode(fields).encode()
        return self._open(urllib.request.Request(self._url(path), body, headers))

    def send(self, page: Page, form: Form, **typed: str) -> Page:
        """Submit a form of a page as it stands, with some fields filled in."""
        return self.post(form.action or page.url, {**form.fields, **typed})

    def buy(self, way: str, **quantities: str) -> str:
        """Buy two mugs, or something else; the order's reference."""
        window = self.get("/")
        form = window.form("Buy")
        basket = {"COFFEE": "0", "MUG": "2"} | quantities
        bought = self.send(window, form, way=way, **basket)
        assert bought.status == 200, bought.problem
        found = re.search(r"SHOP-\d+", bought.text)
        assert found is not None
        return found[0]

    def order(self, ref: str) -> Page:
        return self.get(f"/orders/{ref}/")

    def press(self, ref: str, button: str, amount: str | None = None) -> Page:
        """A button of the order's page, once it is there."""
        page = self.until(ref, lambda page: page.offers(button), f"no button {button!r}")
        typed = {} if amount is None else {"amount": amount}
        return self.send(page, page.form(button), **typed)

    def until(self, ref: str, done: Callable[[Page], bool], what: str) -> Page:
        """The order's page, as soon as it shows something."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done(page := self.order(ref)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{ref}: {what}: {page.text}")
            time.sleep(0.05)
        return page

    def until_payment(self, ref: str, status: str) -> Page:
        """The order's page once its payment has come so far and both books agree."""
        return self.until(
            ref,
            lambda page: page.payment == status and page.books == "equal",
            f"the payment is not {status}, or the books differ",
        )

    def until_says(self, ref: str, part: str, words: str) -> Page:
        """The order's page once a part of it has these words."""
        return self.until(ref, lambda page: words in page.part(part), f"{part} without {words!r}")

    def _url(self, path: str) -> str:
        return urllib.parse.urljoin(self.shop.url, path)

    def _open(self, request: urllib.request.Request) -> Page:
        try:
            answer = self._opener.open(request, timeout=PATIENCE_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Page(answer.url, answer.status, dict(answer.headers), answer.read().decode())
