"""All orders: the gateways' truth beside our ledger."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from examples.shop.books import books_of
from omniman_payment_django.models import Order

SHOWN = 200


@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    """One line for each order, newest first."""
    orders = list(Order.objects.select_related("channel").order_by("-pk")[:SHOWN])
    context = {"books": books_of(orders), "shown": SHOWN, "more": Order.objects.count() > SHOWN}
    return render(request, "shop/ledger.html", context)
