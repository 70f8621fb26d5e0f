"""The shop window: quantities and a way to pay become a session, and the session an order."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from examples.shop import typed
from examples.shop.catalogue import PRODUCTS, WAYS, WayToPay
from examples.shop.far_sides.deeds import side_of
from omniman_payment_django.models import Channel, Order, Session
from omniman_payment_django.pay import pay_url
from omniman_payment_django.sessions import CommitError, commit_session

RECENT = 8
_CART = re.compile(r"cart-[0-9a-f]{32}")


@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """Show what there is, or buy."""
    if request.method != "POST":
        return _show(request, {"way": WAYS[0].code, PRODUCTS[0].sku: "1"})
    try:
        return _buy(request, request.POST)
    except (typed.WrongInputError, CommitError) as error:
        return _show(request, request.POST, problem=str(error), status=400)


def _buy(request: HttpRequest, form: Mapping[str, str]) -> HttpResponse:
    items = [
        {"sku": product.sku, "qty": qty, "price_q": product.price_q}
        for product in PRODUCTS
        if (qty := typed.count(form.get(product.sku, ""), product.name))
    ]
    if not items:
        raise typed.WrongInputError("The basket is empty: take at least one of something.")
    way = _way(form.get("way", ""))
    cart = form.get("cart", "")
    if _CART.fullmatch(cart) is None:
        raise typed.WrongInputError("This form is not from the shop's own page. Load it again.")
    session, made = Session.objects.get_or_create(
        key=cart,
        defaults={"channel": Channel.objects.get(code=way.channel), "items": items},
    )
    # The cart's key is the commit key: a form that is sent twice is one order.
    order = commit_session(
        session,
        commit_key=cart,
        payment_method=way.payment_method,
        ref=f"SHOP-{1000 + session.pk}",
    )
    if not made:
        messages.info(request, "This basket was bought before; here is its order.")
        return redirect("order", ref=order.ref)
    if way.pay_page:
        return redirect(pay_url(order))
    return redirect("order", ref=order.ref)


def _way(code: str) -> WayToPay:
    for way in _ways():
        if way.code == code:
            return way
    raise typed.WrongInputError("Choose how to pay.")


def _ways() -> list[WayToPay]:
    return [way for way in WAYS if side_of(way.account) is not None]


def _show(
    request: HttpRequest, form: Mapping[str, str], problem: str = "", status: int = 200
) -> HttpResponse:
    groups: dict[str, list[WayToPay]] = {}
    for way in _ways():
        groups.setdefault(way.group, []).append(way)
    context: dict[str, Any] = {
        "products": [(product, form.get(product.sku) or "0") for product in PRODUCTS],
        "most": typed.MOST,
        "groups": groups,
        "chosen": form.get("way", ""),
        "cart": f"cart-{uuid.uuid4().hex}",
        "problem": problem,
        "orders": Order.objects.select_related("channel").order_by("-pk")[:RECENT],
    }
    return render(request, "shop/home.html", context, status=status)
