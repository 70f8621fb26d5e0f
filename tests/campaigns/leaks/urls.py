"""The project's URLs, and two views of a shop that fail with what they know."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from omniman_payment_django.runtime import get_registry

from . import canaries as c


def careless(request: HttpRequest) -> HttpResponse:
    """Asks for an account and breaks down over it, causes and all."""
    account = get_registry().account("stripe")
    backend = account.backend
    config = {"certificate": c.EFI_PASSWORD, "list": [c.STRIPE_SIGNING, c.EFI_HOOK.encode()]}
    try:
        raise KeyError(c.STRIPE_KEY)
    except KeyError as error:
        raise RuntimeError(f"{backend} of {account} {config}") from error


urlpatterns = [
    path("admin/", admin.site.urls),
    path("payments/", include("omniman_payment_django.urls")),
    path("careless/", careless),
]
