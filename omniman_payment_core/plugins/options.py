"""Checks an account's options against what its backend declares; never shows a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from ..contracts import BackendRegistration, Option
from ..errors import BackendOptionsError
from ..secrets import Secret
from .settings import AccountSettings, place_of
from .wording import kind_of, listed, nearest, quoted

_UNDECLARED_SECRET = 8
"""Of a class that declares no options, shorter texts ("brl") are taken for ordinary words."""


def checked_options(
    registration: BackendRegistration, account: AccountSettings, scrub: Callable[[str], str]
) -> dict[str, Secret]:
    """The options to build with, defaults filled in; raises with every problem at once."""
    options = registration.options
    if options is None:
        return dict(account.config)
    problems: list[str] = []
    known = [option.name for option in options]
    for name in account.config:
        if name not in known:
            problems.append(
                f'unknown option "{name}".{nearest(name, known)} Known: {quoted(known)}'
            )
    values: dict[str, Secret] = {}
    for option in options:
        _take(option, account.config.get(option.name), values, problems, scrub)
    if not problems and registration.check is not None:
        problems += sentences(registration.check, values, scrub)
    if problems:
        where = place_of(account.name, "config")
        raise BackendOptionsError(
            listed(f"{where} is wrong for {registration.name}", problems),
            problems=[f"{where}: {problem}" for problem in problems],
        )
    return values


def _take(
    option: Option,
    given: Secret | None,
    values: dict[str, Secret],
    problems: list[str],
    scrub: Callable[[str], str],
) -> None:
    if given is None or given.reveal() is None:
        if option.required:
            problems.append(f'option "{option.name}" is missing{_help(option)}')
        elif option.default is not None:
            values[option.name] = Secret(deepcopy(option.default))
        return
    if option.required and given.reveal() == "":
        problems.append(f'option "{option.name}" is empty{_help(option)}')
        return
    if option.kind is list and isinstance(given.reveal(), str):
        # A list of secrets while they are rolled over; a single one is written plainly.
        given = Secret([given.reveal()])
    elif option.kind is list and isinstance(given.reveal(), tuple):
        given = Secret(list(given.reveal()))
    problem = _problem(option, given, scrub)
    if problem:
        problems.append(f'option "{option.name}" {problem}')
    else:
        values[option.name] = given


def _help(option: Option) -> str:
    return f" ({option.help})" if option.help else ""


def _problem(option: Option, given: Secret, scrub: Callable[[str], str]) -> str | None:
    # A boolean is an integer to Python, and "False" in an environment is not false.
    is_bool = isinstance(given.reveal(), bool)
    if not isinstance(given.reveal(), option.kind) or (is_bool and option.kind is not bool):
        return f"must be {option.kind.__name__}, not {kind_of(given.reveal())}"
    if option.choices and given.reveal() not in option.choices:
        return "must be one of " + ", ".join(repr(choice) for choice in option.choices)
    if option.check is None:
        return None
    try:
        problem = option.check(deepcopy(given.reveal()))
    except Exception as error:
        return f"could not be checked: {type(error).__name__}"
    return scrub(str(problem)) if problem else None


def sentences(
    check: Callable[[Mapping[str, Any]], Any],
    values: Mapping[str, Secret],
    scrub: Callable[[str], str],
) -> list[str]:
    """What a plugin's own check says of all options together."""
    try:
        return [scrub(str(problem)) for problem in check(revealed(values)) or ()]
    except Exception as error:
        return [f"the options could not be checked together: {type(error).__name__}"]


def revealed(values: Mapping[str, Secret]) -> dict[str, Any]:
    """Plain copies, for the one call that needs them."""
    return {name: deepcopy(value.reveal()) for name, value in values.items()}


def secret_texts(
    registration: BackendRegistration | None, config: Mapping[str, Secret]
) -> Iterator[str]:
    """The texts in a config that nobody may see; without a declaration, nearly all of them."""
    if registration is None or registration.options is None:
        for value in config.values():
            yield from (text for text in _texts(value.reveal()) if len(text) >= _UNDECLARED_SECRET)
        return
    harmless = {option.name for option in registration.options if not option.secret}
    for name, value in config.items():
        if name not in harmless:
            yield from _texts(value.reveal())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        yield from _texts(value.reveal())
    elif isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("latin-1")
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _texts(item)
