"""System checks of the pay page, called by the host's own."""

from __future__ import annotations

from collections.abc import Iterator

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

from omniman_payment_django.conf import omniman

from .options import PAY_PAGE, pay_page, problems_of
from .presenters import load


def messages() -> list[checks.CheckMessage]:
    """Every problem of ``OMNIMAN["PAY_PAGE"]``, and of what the page needs of the project."""
    found: list[checks.CheckMessage] = [
        checks.Error(
            f"{problem}.",
            hint=f'Correct settings.OMNIMAN["{PAY_PAGE}"]; no pay page is shown until then.',
            id="omniman_payment.E005",
        )
        for problem in _problems()
    ]
    if _is_routed() and not _has_static_files():
        found.append(
            checks.Warning(
                "The pay page is part of the URLs, and its static files have no address.",
                hint='Put "django.contrib.staticfiles" into INSTALLED_APPS and set STATIC_URL.',
                id="omniman_payment.W002",
            )
        )
    return found


def _problems() -> Iterator[str]:
    try:
        stated = omniman().get(PAY_PAGE, {})
    except ImproperlyConfigured:
        # The setting as a whole is no dict: the host's own check says so.
        return
    problems = list(problems_of(stated))
    yield from problems
    if problems:
        return
    for path in sorted(set(pay_page().presenters.values())):
        try:
            load(path)
        except ImproperlyConfigured as error:
            yield f'OMNIMAN["{PAY_PAGE}"]["presenters"]: {error}'


def _is_routed() -> bool:
    try:
        reverse("omniman_payment:pay", args=["token"])
    except (NoReverseMatch, AttributeError, ImportError):
        # AttributeError: a process that serves no pages may have no ROOT_URLCONF.
        return False
    return True


def _has_static_files() -> bool:
    try:
        address = static("omniman_payment_django/pay/page.css")
    except ImproperlyConfigured:
        return False
    except ValueError:
        # A manifest that has not been collected yet: the address will be right when it is.
        return True
    return address.startswith(("/", "http://", "https://"))
