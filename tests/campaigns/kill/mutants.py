"""Workers that are broken on purpose, to show that the audit would tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from omniman_payment_core.decisions import operations
from omniman_payment_core.engine import Answer, Engine, Work


def fresh_keys(engine: Engine) -> None:
    """Each attempt carries a key of its own, and nobody looks before trying again."""
    perform = engine.perform

    def with_another_key(work: Work) -> Answer:
        request, operation = work.request, work.request.operation
        if operation is None:
            return perform(work)
        sent = replace(operation, key=f"attempt_{uuid4().hex}")
        answer = perform(replace(work, request=replace(request, operation=sent)))
        call = replace(answer.call, operation_key=operation.key)
        return replace(answer, work=work, call=call)

    def does_not_look(*_: Any) -> bool:
        return False

    vars(operations)["look"] = does_not_look
    engine.perform = with_another_key  # type: ignore[method-assign]


MUTANTS: dict[str, Callable[[Engine], None]] = {"fresh-keys": fresh_keys}
