"""A folder of made-up distributions on ``sys.path``, as an installer would leave them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from textwrap import dedent

BACKEND = """
from omniman_payment_core.contracts import BackendRegistration, Option
from omniman_payment_core.hookspecs import hookimpl

class Backend:
    def __init__(self, config): self.config = dict(config)
    def authorize(self, amount_q, currency, order_ref, payment_method, metadata=None): ...
    def capture(self, transaction_id, amount_q=None): ...
    def charge(self, amount_q, currency, order_ref, payment_method, metadata=None): ...
    def refund(self, transaction_id, amount_q=None, reason=None): ...
    def get_status(self, transaction_id): ...

@hookimpl
def register_backend():
    return BackendRegistration(NAME, Backend, options=OPTIONS)
"""


class Site:
    """Writes distributions into one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(
        self,
        distribution: str,
        version: str = "1.0",
        *,
        backends: dict[str, str] | None = None,
        observers: dict[str, str] | None = None,
        modules: dict[str, str] | None = None,
        entry_points: str = "",
    ) -> None:
        """One distribution: its metadata, its entry points and its modules' sources."""
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n\nName: decoy\n"
        )
        lines = []
        for group, points in (("backends", backends), ("hooks", observers)):
            if points:
                lines.append(f"[omniman_payment.{group}]")
                lines += [f"{name} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n" + entry_points)
        for name, source in (modules or {}).items():
            (self.folder / f"{name}.py").write_text(dedent(source))
        importlib.invalidate_caches()

    def add_backend(
        self, name: str, *, distribution: str = "", version: str = "1.0", options: str = "()"
    ) -> None:
        """A distribution with one working backend in ``<name>_plugin.py``."""
        self.add(
            distribution or f"acme-{name}",
            version,
            backends={name: f"{name}_plugin"},
            modules={
                f"{name}_plugin": BACKEND.replace("NAME", repr(name)).replace("OPTIONS", options)
            },
        )


def forget_modules_of(folder: Path) -> None:
    """Drop what was imported from a folder, so that the next test imports its own."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]
