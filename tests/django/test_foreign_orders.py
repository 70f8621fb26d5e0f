"""Another project's orders in the place of ours, behind the order port."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models
from django.test import override_settings

from omniman_payment_core.records import ChannelView, NewDirective, OrderView, Topic, Trigger
from omniman_payment_django.models import Flag, Payment
from omniman_payment_django.orders import Problem
from omniman_payment_django.runtime import get_store

from .shop import CARD, Shop


class Sale(models.Model):
    """An order as somebody else would have it: no data field, no channel."""

    number = models.CharField(max_length=20, unique=True)
    state = models.CharField(max_length=20, default="new")
    cents = models.IntegerField()
    paid_note = models.JSONField(default=dict)

    class Meta:
        app_label = "sales"
        managed = False


class SaleOrders:
    """The adapter such a project writes."""

    def __init__(self, using: str = "default") -> None:
        self.using = using
        self.channel = ChannelView(
            "till",
            {
                "payment_backend": "mock",
                "order_flow": {"auto_transitions": {"on_payment_hold": "held"}},
            },
        )

    def load(
        self, refs: Collection[str], *, lock: bool, wait: bool = True
    ) -> Mapping[str, OrderView]:
        sales = Sale.objects.using(self.using).filter(number__in=refs)
        if lock:
            sales = sales.select_for_update(skip_locked=not wait)
        return {
            sale.number: OrderView(sale.number, self.channel, sale.state, "BRL", sale.cents)
            for sale in sales
        }

    def write_summaries(self, summaries: Mapping[str, Mapping[str, Any]]) -> None:
        for ref, summary in summaries.items():
            Sale.objects.using(self.using).filter(number=ref).update(paid_note=dict(summary))

    def fire(self, triggers: Mapping[str, Sequence[Trigger]]) -> Sequence[Problem]:
        for ref in triggers:
            Sale.objects.using(self.using).filter(number=ref).update(state="held")
        return []


class BrokenOrders(SaleOrders):
    """One that fails at everything a payment does not need."""

    def write_summaries(self, summaries: Mapping[str, Mapping[str, Any]]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")

    def fire(self, triggers: Mapping[str, Sequence[Trigger]]) -> Sequence[Problem]:
        Sale.objects.update(state="half done")
        raise RuntimeError("the sales hub is on fire")


@pytest.fixture
def sale(database: object) -> Iterator[Sale]:
    with connection.schema_editor() as editor:
        editor.create_model(Sale)
    yield Sale.objects.create(number="S-1", cents=500)
    with connection.schema_editor() as editor:
        editor.delete_model(Sale)


def pay(orders: Any) -> None:
    shop = Shop(orders)
    shop.store.enqueue([NewDirective(Topic.HOLD, "S-1", {"payment_method": CARD}, "open:S-1")])
    shop.run()


def test_a_payment_runs_on_another_projects_order(sale: Sale) -> None:
    pay(SaleOrders())
    sale.refresh_from_db()
    assert sale.state == "held"
    assert sale.paid_note["status"] == "authorized"
    assert sale.paid_note["amount_q"] == 500
    assert not Flag.objects.exists()


def test_an_order_hub_that_fails_is_flagged_and_undoes_no_payment(sale: Sale) -> None:
    pay(BrokenOrders())
    sale.refresh_from_db()
    assert (sale.state, sale.paid_note) == ("new", {})
    assert Payment.objects.get().status == "authorized"
    flags = {flag.kind: flag.message for flag in Flag.objects.all()}
    assert "the sales hub is on fire" in flags["transition_refused"]
    assert "no_such_table" in flags["summary_not_written"]


def test_the_adapter_is_named_in_the_settings(database: object) -> None:
    path = f"{__name__}.SaleOrders"
    with override_settings(OMNIMAN={"ORDER_ADAPTER": path}):
        assert isinstance(get_store()._orders._orders, SaleOrders)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.Orders", 'OMNIMAN."ORDER_ADAPTER".: "nowhere.Orders" cannot be used'),
        ("builtins.str", "has no load, write_summaries, fire"),
        (7, "is a int"),
    ],
)
def test_a_wrong_adapter_is_a_clear_error(database: object, path: Any, message: str) -> None:
    with (
        override_settings(OMNIMAN={"ORDER_ADAPTER": path}),
        pytest.raises(ImproperlyConfigured, match=message),
    ):
        get_store()
