"""The URLs of a project with the pay page, and its static files as a web server gives them."""

from __future__ import annotations

from django.urls import include, path
from django.views.static import serve

from .catalogue import PACKAGE

urlpatterns = [
    path("payments/", include("omniman_payment_django.urls")),
    path("static/<path:path>", serve, {"document_root": PACKAGE / "static"}),
]
