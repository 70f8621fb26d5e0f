"""System checks: ``manage.py check`` finds a wrong payment setting before a customer does.

``manage.py check --database default`` also reads the channels that are stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import django.db
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.urls import NoReverseMatch, reverse

from omniman_payment_core.channels import ChannelConfigError, read_channel
from omniman_payment_core.errors import (
    BackendNotFoundError,
    BackendOptionsError,
    ConfigurationError,
)
from omniman_payment_core.records import ChannelView

from . import conf, sqlite

TAG = "omniman_payment"

_SECRET_NAME = re.compile(
    r"api[_-]?key|secret|certificate|password|passphrase|private[_-]?key|credential"
    r"|(^|[_-])token$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(r"^(sk|rk)_(live|test)_|^whsec_|-----BEGIN [A-Z ]*PRIVATE KEY")


@checks.register(TAG)
def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """The ``OMNIMAN`` setting: every problem of every account, without a value."""
    from .runtime import get_registry

    try:
        problems: Sequence[str] = get_registry().check()
    except BackendOptionsError as error:
        problems = error.problems
    except ConfigurationError as error:
        problems = [str(error)]
    return [
        checks.Error(
            problem,
            hint='Correct settings.OMNIMAN; "manage.py payments backends" lists what is installed.',
            id="omniman_payment.E001",
        )
        for problem in problems
    ]


@checks.register(TAG)
def check_what_ends(**_: Any) -> list[checks.CheckMessage]:
    """What works today and will not soon: a certificate that ends, by its plugin's own words."""
    from .runtime import get_registry

    try:
        advice = get_registry().advice()
    except ConfigurationError:
        return []
    return [checks.Warning(text, id="omniman_payment.W003") for text in advice]


@checks.register(TAG)
def check_sqlite(**_: Any) -> list[checks.CheckMessage]:
    """SQLite is a durable queue only with the right options."""
    alias = conf.database()
    connection = connections[alias]
    if connection.vendor != "sqlite" or _in_memory(connection.settings_dict):
        return []
    problems = sqlite.missing_options(connection.settings_dict.get("OPTIONS") or {})
    if not problems:
        return []
    return [
        checks.Warning(
            f'DATABASES["{alias}"]["OPTIONS"]: {"; ".join(problems)}.',
            hint=f'Set DATABASES["{alias}"]["OPTIONS"] = {dict(sqlite.OPTIONS)!r}, which is '
            "dict(omniman_payment_django.sqlite.OPTIONS).",
            id="omniman_payment.W001",
        )
    ]


@checks.register(TAG)
def check_webhook_route(**_: Any) -> list[checks.CheckMessage]:
    """Without the route no gateway can knock; payments are then only found by asking."""
    try:
        reverse("omniman_payment:webhook", args=["account"])
    except (NoReverseMatch, AttributeError, ImportError):
        # AttributeError: a process that serves no pages may have no ROOT_URLCONF.
        return [
            checks.Info(
                "The webhook endpoint is not part of the URLs of this project.",
                hint='Put path("payments/", include("omniman_payment_django.urls")) into them.',
                id="omniman_payment.I001",
            )
        ]
    return []


@checks.register(TAG)
def check_pay_page(**_: Any) -> list[checks.CheckMessage]:
    """The pay page's settings, its presenters, and its static files."""
    from .pay.checks import messages

    return messages()


@checks.register(TAG)
def check_the_worker_and_its_people(**_: Any) -> list[checks.CheckMessage]:
    """When the worker reconciles, and which refunds take a second person."""
    from . import approvals
    from .reconciling import options

    try:
        omniman = conf.omniman()
    except ImproperlyConfigured:
        # The setting as a whole is no dict: the check of the accounts says so.
        return []
    return [
        checks.Error(f"{problem}.", hint=f"Correct settings.OMNIMAN; {effect}.", id=number)
        for number, effect, problems in (
            (
                "omniman_payment.E006",
                "nothing is reconciled until then",
                options.problems_of(omniman.get(options.RECONCILE, {})),
            ),
            (
                "omniman_payment.E007",
                "nothing can be refunded until then",
                approvals.problems_of(omniman.get(approvals.ABOVE_Q, {})),
            ),
        )
        for problem in problems
    ]


@checks.register(TAG, checks.Tags.database)
def check_channels(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """The channels in the database: known account, flow and transitions, and no secret."""
    from .models import Channel

    alias = conf.database()
    if alias not in (databases or ()):
        return []
    try:
        if Channel._meta.db_table not in connections[alias].introspection.table_names():
            return []
        channels = list(Channel.objects.using(alias).order_by("code").values_list("code", "config"))
    except django.db.Error:
        # Before the migrations have run, or without a database: others report that better.
        return []
    found: list[checks.CheckMessage] = []
    for code, config in channels:
        found += _check_channel(ChannelView(code, config))
    return found


def _check_channel(channel: ChannelView) -> Iterator[checks.CheckMessage]:
    where = f'Channel "{channel.code}"'
    try:
        read_channel(channel)
    except ChannelConfigError as error:
        for problem in error.problems:
            yield checks.Error(
                f"{where}: {problem}.",
                hint="Correct the channel's config; its orders cannot be paid until then.",
                id="omniman_payment.E002",
            )
    config: object = channel.config
    if not isinstance(config, Mapping):
        return
    problem = account_problem(channel)
    if problem:
        yield checks.Error(
            problem,
            hint='Name an account of settings.OMNIMAN["PAYMENT_BACKENDS"].',
            id="omniman_payment.E003",
        )
    for path in secret_paths(config):
        yield checks.Error(
            f"{where}: config{path} looks like a secret, and the database is no place for one.",
            hint='Move it to settings.OMNIMAN["PAYMENT_BACKENDS"][...]["config"], from the '
            "environment, and replace it at the gateway: it may have been copied.",
            id="omniman_payment.E004",
        )


def account_problem(channel: ChannelView) -> str:
    """Why no account serves a channel; one that is only badly configured is told by E001."""
    from .runtime import get_registry

    try:
        get_registry().account_for(channel)
    except BackendNotFoundError as error:
        return str(error)
    except ConfigurationError:
        return ""
    return ""


def secret_paths(value: object, path: str = "") -> Iterator[str]:
    """Where in a channel's config secrets stand, by their names or their look."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            here = f'{path}["{name}"]'
            if item and _SECRET_NAME.search(str(name)):
                yield here
            else:
                yield from secret_paths(item, here)
    elif isinstance(value, str):
        if _SECRET_VALUE.search(value):
            yield path
    elif isinstance(value, Iterable):
        for position, item in enumerate(value):
            yield from secret_paths(item, f"{path}[{position}]")


def _in_memory(settings: Mapping[str, Any]) -> bool:
    name = str(settings.get("NAME", ""))
    return name == ":memory:" or "mode=memory" in name
