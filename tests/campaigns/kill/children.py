"""Processes forked from a warm parent: one costs milliseconds, and can be killed at any moment.

The parent imports everything once, opens no connection and starts no thread; so a child begins
where a fresh process would stand half a second later, and shares nothing with its siblings.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")


class ChildError(RuntimeError):
    """What was asked of a child failed there; the message is its traceback."""


_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """However the parent ends, this process does not outlive it (Linux)."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def freeze() -> None:
    """Called once before the first fork: no child walks through, and copies, what it inherits."""
    gc.collect()
    gc.freeze()


@dataclass(slots=True)
class Child:
    """A process of ours. ``stopped`` while it is paused."""

    pid: int
    stopped: bool = False
    ended: bool = field(default=False)

    def alive(self) -> bool:
        """Whether it still runs; one that has ended is waited for."""
        if not self.ended:
            pid, _ = os.waitpid(self.pid, os.WNOHANG)
            self.ended = pid != 0
        return not self.ended

    def strike(self) -> None:
        """SIGKILL, whatever it is doing; its remains are waited for later."""
        if not self.ended:
            os.kill(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL, and wait: nothing of it is left to happen afterwards."""
        self.strike()
        self.wait()

    def wait(self) -> None:
        """Until it has ended."""
        if not self.ended:
            os.waitpid(self.pid, 0)
            self.ended = True

    def pause(self) -> None:
        """SIGSTOP: every thread of it stands still, with whatever it holds."""
        os.kill(self.pid, signal.SIGSTOP)
        # Only when the kernel says so do its threads stand still.
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self.stopped = True

    def go_on(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)
        self.stopped = False


def fork(run: Callable[[], object], log: Path) -> Child:
    """A child that does this and ends; what it writes goes to the log."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Child(pid)
    status = 1
    try:
        die_with_parent()
        # However busy they are, whoever kills them is not late.
        os.nice(2)
        written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(written, 1)
        os.dup2(written, 2)
        run()
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def ask(question: Callable[[], _T], log: Path) -> _T:
    """The answer of a child: the parent never opens a database that its children would inherit."""
    reading, writing = os.pipe()

    def answer() -> None:
        os.close(reading)
        try:
            told = pickle.dumps((True, question()))
        except BaseException:
            told = pickle.dumps((False, traceback.format_exc()))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(told)

    child = fork(answer, log)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    child.wait()
    if not told:
        raise ChildError("it ended without an answer")
    good, result = pickle.loads(told)
    if not good:
        raise ChildError(result)
    return result  # type: ignore[no-any-return]
