"""``payments backends``: the configured accounts and the installed plugins; imports no plugin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser, OutputWrapper

from omniman_payment_core.errors import ConfigurationError
from omniman_payment_core.plugins import installed
from omniman_payment_django.runtime import get_registry

HELP = "List the configured accounts and the installed plugins, without loading any."


def add_arguments(parser: CommandParser) -> None:
    """For people by default."""
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Print both lists."""
    try:
        settings = get_registry().settings
    except ConfigurationError as error:
        raise CommandError(str(error)) from None
    accounts = [
        {
            "account": account.name,
            "plugin": account.plugin,
            "class": account.class_path,
            "default": account.name == settings.default,
        }
        for account in settings.accounts.values()
    ]
    plugins = [
        {"name": entry.name, "distribution": entry.distribution, "version": entry.version}
        for entry in installed.backends()
    ]
    observers = [
        {
            "name": entry.name,
            "distribution": entry.distribution,
            "version": entry.version,
            "disabled": entry.name in settings.hooks_disabled,
        }
        for entry in installed.observers()
    ]
    if options["json"]:
        out.write(
            json.dumps({"accounts": accounts, "plugins": plugins, "observers": observers}, indent=2)
        )
        return
    out.write("accounts:")
    for account in accounts:
        default = "  (default)" if account["default"] else ""
        out.write(f"  {account['account']}: {account['class'] or account['plugin']}{default}")
    if not accounts:
        out.write('  none; configure settings.OMNIMAN["PAYMENT_BACKENDS"]')
    out.write("installed plugins:")
    for plugin in plugins:
        out.write(f"  {plugin['name']}: {plugin['distribution']} {plugin['version']}")
    if not plugins:
        out.write("  none")
    for observer in observers:
        off = "  (disabled)" if observer["disabled"] else ""
        out.write(
            f"observer {observer['name']}: {observer['distribution']} {observer['version']}{off}"
        )
