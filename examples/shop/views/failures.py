"""Pages for requests that lead nowhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such page, or no such order."""
    return _say(request, 404, "There is nothing here", "No page and no order has this address.")


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that did not come from this shop's own page, or from one of an earlier run."""
    message = "This form is not from a page of this shop as it runs now. Load the page again."
    return _say(request, 403, "Not taken", message)


def broken(request: HttpRequest) -> HttpResponse:
    """An error in the shop itself."""
    return _say(request, 500, "Something broke", "The shop's log and console say what it was.")


def _say(request: HttpRequest, status: int, title: str, message: str) -> HttpResponse:
    return render(request, "shop/failure.html", {"title": title, "message": message}, status=status)
