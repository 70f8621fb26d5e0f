"""Stripe's errors, with their envelope, their codes and their words."""

from __future__ import annotations

from typing import Any

INVALID = "invalid_request_error"


class ApiError(Exception):
    """An answer other than 200. ``kept``: the idempotency key remembers it."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kept: bool = True,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.headers = headers or {}
        self.error: dict[str, Any] = {"type": kind, "message": message}
        for name, value in (("code", code), ("param", param), *more.items()):
            if value is not None:
                self.error[name] = value

    @property
    def body(self) -> dict[str, Any]:
        """The envelope."""
        return {"error": self.error}


def invalid(
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    kept: bool = True,
    **more: Any,
) -> ApiError:
    """A request that was carried out far enough to be refused."""
    return ApiError(400, INVALID, message, code=code, param=param, kept=kept, **more)


def unvalidated(message: str, *, code: str | None, param: str | None) -> ApiError:
    """A request that failed before anything began; its key is free again."""
    return invalid(message, code=code, param=param, kept=False)


def missing_resource(kind: str, number: str, param: str, status: int = 404) -> ApiError:
    """There is no such object."""
    return ApiError(
        status, INVALID, f"No such {kind}: '{number}'", code="resource_missing", param=param
    )
