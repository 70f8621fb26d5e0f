"""The shop's URLs: its own pages, the host's as any project has them, and the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from .views import failures
from .views.buying import home
from .views.ledger import ledger
from .views.orders import ask, order, play

urlpatterns = [
    path("", home, name="home"),
    path("favicon.ico", RedirectView.as_view(url="/static/shop/icon.svg")),
    path("orders/<str:ref>/", order, name="order"),
    path("orders/<str:ref>/ask/", ask, name="ask"),
    path("orders/<str:ref>/play/", play, name="play"),
    path("ledger/", ledger, name="ledger"),
    path("payments/", include("omniman_payment_django.urls")),
    path("admin/", admin.site.urls),
]
handler404 = failures.missing
handler500 = failures.broken
