"""Ability parse_webhook: authentic notifications are understood, anything else is turned away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ..errors import WebhookError, WebhookVerificationError
from ..values import WebhookEvent
from .base import ConformanceCase
from .driver import GatewayDriver

_LONG_AGO = datetime(2020, 11, 1, tzinfo=UTC)

Delivery = tuple[Mapping[str, str], bytes]

_GARBAGE = (
    b"",
    b"null",
    b"[]",
    b"{",
    b"\xff\xfe\x00",
    b'{"a":' * 2000,
    b"[" * 20_000,
    b'{"id": "\\ud800", "type": 7}',
    b"NaN",
    b'{"amount": 1e999}',
    b"9" * 5000,
)
_NOISE = ("", " ", "\x00", "é", "v1,é", "v1,", "t=,v1=", "v1," * 3000, "9" * 400, "-1", "1e9")


class WebhookCases(ConformanceCase):
    """Anybody can send to the endpoint."""

    @pytest.fixture
    def delivery(self, backend: Any, driver: GatewayDriver, order_ref: str) -> Delivery:
        """An authentic notification about a paid transaction."""
        self.need_ability(backend, "parse_webhook")
        self.need_driver(driver, "webhook")
        return driver.webhook(self.paid(backend, driver, order_ref))

    def test_an_authentic_notification_names_its_transaction(
        self, backend: Any, driver: GatewayDriver, order_ref: str
    ) -> None:
        self.need_ability(backend, "parse_webhook")
        self.need_driver(driver, "webhook")
        transaction_id = self.paid(backend, driver, order_ref)
        headers, body = driver.webhook(transaction_id)
        events = backend.parse_webhook(headers, body)
        assert events
        assert all(isinstance(e, WebhookEvent) and e.event_id for e in events)
        assert transaction_id in [e.transaction_id for e in events]

    def test_polling_tells_of_the_same_events_as_a_notification(
        self, backend: Any, delivery: Delivery
    ) -> None:
        self.need_ability(backend, "poll_events")
        told = {e.event_id for e in backend.parse_webhook(*delivery)}
        polled = {e.event_id for e in backend.poll_events(_LONG_AGO)}
        assert told <= polled

    def test_a_second_delivery_has_the_same_event_ids(
        self, backend: Any, delivery: Delivery
    ) -> None:
        first, second = (backend.parse_webhook(*delivery) for _ in range(2))
        assert [e.event_id for e in first] == [e.event_id for e in second]

    def test_header_names_are_read_in_any_case(self, backend: Any, delivery: Delivery) -> None:
        headers, body = delivery
        assert backend.parse_webhook({k.upper(): v for k, v in headers.items()}, body)
        assert backend.parse_webhook({k.lower(): v for k, v in headers.items()}, body)

    def test_a_changed_body_is_not_authentic(self, backend: Any, delivery: Delivery) -> None:
        headers, body = delivery
        self.need_signature(backend, delivery)
        for changed in (body + b" ", body.replace(b"false", b"true", 1) + b"\n", b"{}"):
            with pytest.raises(WebhookVerificationError):
                backend.parse_webhook(headers, changed)

    def test_a_changed_header_is_not_authentic(self, backend: Any, delivery: Delivery) -> None:
        headers, body = delivery
        self.need_signature(backend, delivery)
        signing = [name for name in headers if not self.is_optional(backend, delivery, name)]
        for name in signing:
            value = headers[name]
            middle = len(value) // 2
            other = "A" if value[middle] != "A" else "B"
            changed = value[:middle] + other + value[middle + 1 :]
            with pytest.raises(WebhookVerificationError):
                backend.parse_webhook({**headers, name: changed}, body)

    def test_an_unsigned_delivery_is_not_authentic(self, backend: Any, delivery: Delivery) -> None:
        self.need_signature(backend, delivery)
        with pytest.raises(WebhookVerificationError):
            backend.parse_webhook({}, delivery[1])

    @pytest.mark.parametrize("age", [timedelta(days=2), timedelta(days=-2)])
    def test_an_old_or_early_notification_is_not_authentic(
        self, backend: Any, driver: GatewayDriver, delivery: Delivery, age: timedelta
    ) -> None:
        self.need_signature(backend, delivery)
        self.need_driver(driver, "advance")
        driver.advance(age)
        with pytest.raises(WebhookVerificationError):
            backend.parse_webhook(*delivery)

    def test_garbage_is_turned_away_and_never_a_crash(
        self, backend: Any, delivery: Delivery
    ) -> None:
        headers, body = delivery
        for wrong in _GARBAGE:
            self.turn_away(backend, headers, wrong)
            self.turn_away(backend, {}, wrong)
        for name in headers:
            for noise in _NOISE:
                self.turn_away(backend, {**headers, name: noise}, body, may_be_accepted=True)

    def test_an_error_shows_neither_body_nor_secret(self, backend: Any, delivery: Delivery) -> None:
        headers, _ = delivery
        with pytest.raises(WebhookError) as caught:
            backend.parse_webhook(headers, b'{"card": "4242424242424242"')
        shown: BaseException | None = caught.value
        while shown is not None:
            text = f"{shown!r} {shown} {vars(shown)}"
            assert "4242424242424242" not in text, "the error carries the body"
            self.check_no_secret(text)
            shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)

    def turn_away(
        self,
        backend: Any,
        headers: Mapping[str, str],
        body: bytes,
        *,
        may_be_accepted: bool = False,
    ) -> None:
        """Deliver something wrong: only the two webhook errors may come back."""
        try:
            events = backend.parse_webhook(headers, body)
        except WebhookError:
            return
        except Exception as error:  # anything else would be answered with a 500
            pytest.fail(f"a hostile delivery raised {type(error).__name__}: {error}")
        assert may_be_accepted or not events, "a delivery without sense was taken for an event"

    def need_signature(self, backend: Any, delivery: Delivery) -> None:
        """Skip where authenticity is not in the headers (mutual TLS, a token in the URL)."""
        if not delivery[0]:
            pytest.skip("the gateway signs nothing: authenticity is the endpoint's business")

    def is_optional(self, backend: Any, delivery: Delivery, name: str) -> bool:
        """Whether a header takes no part in the signature."""
        headers, body = delivery
        try:
            backend.parse_webhook({k: v for k, v in headers.items() if k != name}, body)
        except WebhookVerificationError:
            return False
        return True
