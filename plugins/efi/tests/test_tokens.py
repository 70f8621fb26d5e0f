"""The access token: one thread fetches for all, early, and a failure to be early harms nobody."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from efi_testing.clock import Seconds
from omniman_payment_core.errors import NotAttemptedError
from omniman_payment_efi.tokens import EARLY, MARGIN, Token, Tokens


class Gateway:
    """Gives tokens, counts how many, and how many ask at once."""

    def __init__(self, seconds: int = 3600) -> None:
        self.seconds = seconds
        self.given = 0
        self.fails = False
        self.asking = 0
        self.most_at_once = 0
        self.entered = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.lock = threading.Lock()

    def fetch(self) -> Token:
        with self.lock:
            self.asking += 1
            self.most_at_once = max(self.most_at_once, self.asking)
        self.entered.set()
        assert self.open.wait(20)
        with self.lock:
            self.asking -= 1
            if self.fails:
                raise NotAttemptedError("no token today")
            self.given += 1
            return Token(f"token-{self.given}", self.seconds)


class Queue:
    """A lock that tells how many have come to it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.acquire, self.release = self.lock.acquire, self.lock.release
        self.come = threading.Semaphore(0)

    def __enter__(self) -> None:
        self.come.release()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def ask_together(gateway: Gateway, tokens: Tokens, instead_of: str | None = None) -> set[str]:
    """What eight threads get that all come while the first is still fetching."""
    queue = Queue()
    tokens._renewing = queue  # type: ignore[assignment]
    gateway.open.clear()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(tokens.current, instead_of=instead_of) for _ in range(8)]
        for _ in range(8):
            assert queue.come.acquire(timeout=20)
        gateway.open.set()
        return {each.result(20) for each in asked}


def test_a_token_is_fetched_once_and_kept() -> None:
    gateway, clock = Gateway(), Seconds()
    tokens = Tokens(gateway.fetch, clock)
    assert [tokens.current() for _ in range(5)] == ["token-1"] * 5
    clock.passed += 3600 - EARLY - 1
    assert tokens.current() == "token-1"
    assert gateway.given == 1


def test_eight_threads_that_need_the_first_token_fetch_one() -> None:
    gateway = Gateway()
    assert ask_together(gateway, Tokens(gateway.fetch, Seconds())) == {"token-1"}
    assert (gateway.given, gateway.most_at_once) == (1, 1)


def test_one_renews_early_while_the_others_go_on_with_the_old_one() -> None:
    gateway, clock = Gateway(), Seconds()
    tokens = Tokens(gateway.fetch, clock)
    tokens.current()
    clock.passed += 3600 - EARLY + 1
    gateway.open.clear()
    gateway.entered.clear()
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(tokens.current)
        assert gateway.entered.wait(20)
        # The renewal is under way, and would be for ever if anybody waited for it here.
        assert [tokens.current() for _ in range(7)] == ["token-1"] * 7
        gateway.open.set()
        assert renewing.result(20) == "token-2"
    assert tokens.current() == "token-2"
    assert (gateway.given, gateway.most_at_once) == (2, 1)


def test_a_failure_to_renew_early_is_harmless_until_the_end() -> None:
    gateway, clock = Gateway(), Seconds()
    tokens = Tokens(gateway.fetch, clock)
    tokens.current()
    gateway.fails = True
    clock.passed += 3600 - EARLY + 1
    assert tokens.current() == tokens.current() == "token-1"
    clock.passed = 1000 + 3600 - MARGIN
    with pytest.raises(NotAttemptedError, match="no token today"):
        tokens.current()
    gateway.fails = False
    assert tokens.current() == "token-2"


def test_a_refused_token_is_replaced_once_for_all_who_were_refused() -> None:
    gateway = Gateway()
    tokens = Tokens(gateway.fetch, Seconds())
    refused = tokens.current()
    assert ask_together(gateway, tokens, refused) == {"token-2"}
    assert gateway.given == 2


def test_who_was_refused_long_ago_takes_the_token_of_now() -> None:
    gateway = Gateway()
    tokens = Tokens(gateway.fetch, Seconds())
    first = tokens.current()
    assert tokens.current(instead_of=first) == "token-2"
    assert tokens.current(instead_of=first) == "token-2"


@pytest.mark.parametrize("seconds", [-5, 0, 1, 9, 11, 60, 600])
def test_a_short_lived_token_serves_and_is_renewed_in_time(seconds: int) -> None:
    gateway, clock = Gateway(seconds), Seconds()
    tokens = Tokens(gateway.fetch, clock)
    assert tokens.current() == "token-1"
    # Never sent in its last moments, nor after its end.
    clock.passed += max(1, seconds - MARGIN)
    assert tokens.current() == "token-2"


def test_a_token_of_ten_minutes_is_not_renewed_by_every_call() -> None:
    gateway, clock = Gateway(600), Seconds()
    tokens = Tokens(gateway.fetch, clock)
    tokens.current()
    clock.passed += 299
    assert tokens.current() == "token-1"


def test_after_a_failure_the_next_caller_tries_again() -> None:
    gateway = Gateway()
    gateway.fails = True
    tokens = Tokens(gateway.fetch, Seconds())
    for _ in range(2):
        with pytest.raises(NotAttemptedError):
            tokens.current()
    gateway.fails = False
    assert tokens.current() == "token-1"


def test_a_token_does_not_show() -> None:
    assert "planted" not in repr(Token("planted", 3600))
