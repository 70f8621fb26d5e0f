"""The page's HTTP headers: a strict policy that allows what a presenter needs and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import HttpResponse
from django.templatetags.static import static

from .options import PayPage, is_source, origin_of
from .presenters import Presentation

_FROM_OUR_FILES = ("script-src", "style-src", "img-src")


def protect(
    response: HttpResponse, options: PayPage, presentation: Presentation | None = None
) -> HttpResponse:
    """Let nothing else run, frame, learn the address, or keep the answer."""
    headers = response.headers
    headers["Content-Security-Policy"] = content_security_policy(options, presentation)
    headers["Permissions-Policy"] = _permissions(presentation)
    # The address is the permission: no other site may learn it from a Referer.
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["X-Robots-Tag"] = "noindex, nofollow"
    headers["Cache-Control"] = "no-store"
    return response


def content_security_policy(options: PayPage, presentation: Presentation | None = None) -> str:
    """The policy of one page; raises ``ValueError`` for a source that would end a directive."""
    sources: dict[str, list[str]] = {"default-src": []}
    for name in _FROM_OUR_FILES:
        sources[name] = ["'self'", *_storage()]
    sources["connect-src"] = ["'self'"]
    sources |= {"base-uri": [], "form-action": ["'self'"], "frame-ancestors": []}
    _allow(sources, options.csp)
    if presentation is not None:
        _allow(sources, presentation.csp)
    return "; ".join(f"{name} {' '.join(allowed) or _NONE}" for name, allowed in sources.items())


_NONE = "'none'"


def _storage() -> list[str]:
    """Where static files come from, if that is another host."""
    origin = origin_of(static("omniman_payment_django/pay/page.css"))
    return [origin] if origin else []


def _allow(sources: dict[str, list[str]], more: Mapping[str, Sequence[str]]) -> None:
    for name, allowed in more.items():
        wrong = [source for source in allowed if not is_source(source)]
        if wrong or not is_source(name):
            raise ValueError(f"{name} has a source with a space, a comma or a semicolon")
        known = sources.setdefault(name, [])
        known += [source for source in allowed if source not in known]


def _permissions(presentation: Presentation | None) -> str:
    origins = () if presentation is None else presentation.payment_origins
    allowed = " ".join(["self", *(f'"{origin}"' for origin in origins)]) if origins else ""
    return f"payment=({allowed}), camera=(), geolocation=(), microphone=()"
