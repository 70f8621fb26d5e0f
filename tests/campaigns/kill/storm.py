"""The storm: workers are killed and paused at random moments while orders are sold and paid."""

from __future__ import annotations

import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .children import Child, ask, fork
from .databases import Database, OwnPostgres, SqliteFile, end_backend
from .gateway import Gateway, change_the_weather
from .listening import listen
from .shop import trade
from .snapshots import written_ahead
from .working import LEASE, work

WORKERS = 4
GAP_SECONDS = (0.002, 0.045)
"""Between two deaths."""
WEATHER_SECONDS = 0.15
"""How long a fault of the gateway waits for a request that meets it."""
SERVERS = 0.015
"""So many database servers have to die for each worker."""
PAUSED = 0.12
"""Share of the workers that are paused instead of killed."""
STANDSTILLS = 0.1
"""A worker that sleeps with SQLite's write lock stops the whole shop: not every time."""


@dataclass(slots=True)
class Storm:
    """One database, one gateway, and everything that works on them."""

    database: Database
    gateway: Gateway
    folder: Path
    rng: random.Random
    door: socket.socket
    work: Callable[[], None] = work
    done: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    _workers: list[Child] = field(default_factory=list)
    _paused: list[tuple[float, Child]] = field(default_factory=list)
    _dying: list[Child] = field(default_factory=list)
    _shop: Child | None = None
    _listener: Child | None = None
    _due: dict[str, float] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def rage(self, seconds: float, kills: int) -> None:
        """For as long as asked, and until as many workers were killed."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at or not self._killed_enough(kills):
            self._people_the_shop()
            self._wake_the_paused()
            time.sleep(self.rng.uniform(*GAP_SECONDS))
            self._strike_a_worker()
            self._now_and_then("weather", WEATHER_SECONDS, self._change_the_weather)
            self._now_and_then("shop", 1.5, lambda: self._kill_one("shop"))
            self._now_and_then("listener", 2.5, lambda: self._kill_one("listener"))
            self._now_and_then("disaster", 1.6, self._disaster)

    def calm(self) -> None:
        """No more faults; everybody who is left is killed, but for who listens."""
        self.gateway.control.clear_faults()
        self._kill_all()
        self._people("listener")

    def end(self) -> None:
        """Nobody is left."""
        self._kill_all()

    def _killed_enough(self, kills: int) -> bool:
        servers = kills * SERVERS if isinstance(self.database, OwnPostgres) else 0
        return self.done["kills"] >= kills and self.done["server kills"] >= servers

    def _change_the_weather(self) -> None:
        change_the_weather(self.gateway.control, self.rng)

    # People

    def _people_the_shop(self) -> None:
        self._workers = [worker for worker in self._workers if worker.alive()]
        self._dying = [worker for worker in self._dying if worker.alive()]
        while len(self._workers) < WORKERS:
            self._workers.append(fork(self.work, self.log))
        self._people("shop")
        self._people("listener")

    def _people(self, who: str) -> None:
        child: Child | None = getattr(self, f"_{who}")
        if child is None or not child.alive():
            run = trade if who == "shop" else lambda: listen(self.door)
            setattr(self, f"_{who}", fork(run, self.log))

    def _everybody(self) -> list[Child]:
        some = [
            *self._workers,
            *self._dying,
            *(child for _, child in self._paused),
            self._shop,
            self._listener,
        ]
        return [child for child in some if child is not None and child.alive()]

    # Deaths

    def _strike_a_worker(self) -> None:
        worker = self._workers.pop(self.rng.randrange(len(self._workers)))
        if not worker.alive():
            return
        if self.rng.random() < PAUSED:
            worker.pause()
            if self.rng.random() > STANDSTILLS and self.database.stands_still():
                worker.go_on()
                self._workers.append(worker)
                return
            asleep = LEASE.total_seconds() * self.rng.uniform(1.05, 1.4)
            self._paused.append((time.monotonic() + asleep, worker))
            self.done["pauses"] += 1
        else:
            worker.strike()
            self._dying.append(worker)
            self.done["kills"] += 1

    def _wake_the_paused(self) -> None:
        """Whoever slept past its lease goes on where it was, and lives a while among the others."""
        now = time.monotonic()
        for due, worker in [each for each in self._paused if each[0] <= now]:
            self._paused.remove((due, worker))
            if worker.alive():
                worker.go_on()
                self._workers.append(worker)

    def _kill_one(self, who: str) -> None:
        child: Child | None = getattr(self, f"_{who}")
        if child is not None:
            child.kill()
            self.done[f"{who} kills"] += 1

    def _kill_all(self) -> None:
        everybody = self._everybody()
        for child in everybody:
            child.strike()
        for child in everybody:
            child.wait()
        self._workers, self._paused, self._dying = [], [], []

    # Disasters

    def _disaster(self) -> None:
        if isinstance(self.database, OwnPostgres):
            self.rng.choice((self._kill_postgres, self._kill_postgres, self._end_a_backend))()
        elif isinstance(self.database, SqliteFile):
            self.rng.choice((self._power_failure, self._snapshot))()

    def _kill_postgres(self) -> None:
        """The server dies and comes back; what it had told to be committed is there."""
        assert isinstance(self.database, OwnPostgres)
        if self.rng.random() < 0.3:
            self._kill_all()
        self.database.kill()
        self.done["server kills"] += 1
        self.database.start()
        self._look(None)

    def _end_a_backend(self) -> None:
        """A connection is ended by an administrator; or its process is killed, and all with it."""
        assert isinstance(self.database, OwnPostgres)
        backends = self.database.backends()
        number = self.rng.choice((signal.SIGTERM, signal.SIGTERM, signal.SIGKILL))
        if backends and end_backend(self.rng.choice(backends), number):
            self.done["backend kills" if number == signal.SIGKILL else "backends ended"] += 1

    def _power_failure(self) -> None:
        """Everybody at once; the file that is left is sound."""
        assert isinstance(self.database, SqliteFile)
        self._kill_all()
        self.done["power failures"] += 1
        self._look(self.database.path)

    def _snapshot(self) -> None:
        """What a power failure at this very moment would leave behind, looked at elsewhere."""
        assert isinstance(self.database, SqliteFile)
        everybody = [child for child in self._everybody() if not child.stopped]
        for child in everybody:
            child.pause()
        copy = self.database.copy(self.folder)
        movements = self.gateway.control.ledger()["movements"]
        for child in everybody:
            if child.alive():
                child.go_on()
        self.done["snapshots"] += 1
        self.broken += ask(lambda: written_ahead(movements, copy), self.log)

    def _look(self, file: Path | None) -> None:
        movements = self.gateway.control.ledger()["movements"]
        self.broken += ask(lambda: written_ahead(movements, file), self.log)

    def _now_and_then(self, what: str, seconds: float, happens: Callable[[], None]) -> None:
        """About so often, at moments that nobody can foresee."""
        now = time.monotonic()
        due = self._due.get(what)
        if due is not None and now >= due:
            happens()
        if due is None or now >= due:
            self._due[what] = time.monotonic() + self.rng.uniform(0.3, 1.7) * seconds
