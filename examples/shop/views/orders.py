"""One order: everything known about it, the shop's buttons, and the other side's."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from examples.shop import desk, typed
from examples.shop.dossier import dossier_of, summary_text
from examples.shop.far_sides.deeds import DeedRefusedError
from omniman_payment_django.models import Order

_ONCE = re.compile(r"[0-9a-f]{32}")


@require_safe
def order(request: HttpRequest, ref: str) -> HttpResponse:
    """The page; asking for it changes nothing."""
    return _show(request, _order(ref))


@require_POST
def ask(request: HttpRequest, ref: str) -> HttpResponse:
    """The shop asks for a capture, a refund, a cancellation or another attempt."""
    found, form = _order(ref), request.POST
    what, once = form.get("what", ""), form.get("once", "")
    text = form.get("amount", "")
    try:
        if _ONCE.fullmatch(once) is None:
            raise desk.RefusedError("This form is not from the order's page. Load it again.")
        amount_q = typed.amount_q(text) if form.get("how") == "amount" else None
        said = desk.ask(found, what, amount_q, once)
    except (typed.WrongInputError, desk.RefusedError) as error:
        problem = {"side": "ask", "where": what, "message": str(error), "typed": text}
        return _show(request, found, problem, status=400)
    messages.success(request, said)
    return redirect("order", ref=ref)


@require_POST
def play(request: HttpRequest, ref: str) -> HttpResponse:
    """A shopper, a bank or an operator does something at the gateway."""
    found, form = _order(ref), request.POST
    name, subject, text = (form.get(field, "") for field in ("deed", "subject", "amount"))
    try:
        deed = dossier_of(found).deed(name, subject)
        if deed is None:
            raise DeedRefusedError("That is not possible any more; here is how things stand now.")
        deed.run(typed.amount_q(text) if deed.takes_amount else 0)
    except (typed.WrongInputError, DeedRefusedError) as error:
        problem = {"side": "play", "where": name, "message": str(error), "typed": text}
        return _show(request, found, problem, status=400)
    messages.success(request, f"At the gateway: {deed.label[0].lower()}{deed.label[1:]}.")
    return redirect("order", ref=ref)


def _order(ref: str) -> Order:
    return get_object_or_404(Order.objects.select_related("channel"), ref=ref)


def _show(
    request: HttpRequest, found: Order, problem: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "order": found,
        "it": dossier_of(found),
        "summary": summary_text(found),
        "problem": problem,
        "once": uuid.uuid4().hex,
    }
    return render(request, "shop/order.html", context, status=status)
