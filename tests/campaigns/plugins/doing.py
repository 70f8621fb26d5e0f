"""Backends that do their work, and something else that nobody asked them for."""

from __future__ import annotations

import decimal
import gc
import locale
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .stage import CARD, PATIENCE, SECRET, Call, Misbehaviour, Stage

log = logging.getLogger("a_plugin_of_somebody")


def _shares_its_secrets(stage: Stage) -> None:
    sys.stdout.write(f"{SECRET} {CARD}\n")
    sys.stderr.write(f"{SECRET}\n")
    for level in range(0, 60, 10):
        log.log(level, "key %s card %s", SECRET, CARD, exc_info=True, stack_info=True)
    warnings.warn(f"key {SECRET}", stacklevel=1)


def _closes_what_is_open(stage: Stage) -> None:
    sys.stdout.close()
    sys.stderr.close()
    sys.stdin = None


def _moves_house(stage: Stage) -> None:
    os.chdir("/")
    os.umask(0o777)
    os.environ.clear()
    os.environ["TZ"] = "Pacific/Kiritimati"
    time.tzset()


def _speaks_another_language(stage: Stage) -> None:
    for name in ("pt_BR.UTF-8", "de_DE.UTF-8", "C"):
        with suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, name)
    decimal.getcontext().prec = 1
    random.seed(0)


def _takes_over_signals(stage: Stage) -> None:
    # Only the main thread may; elsewhere it raises, which is a misbehaviour of its own.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _lets_no_socket_wait(stage: Stage) -> None:
    socket.setdefaulttimeout(0.000_001)


def _stops_collecting(stage: Stage) -> None:
    gc.disable()
    gc.set_threshold(1)
    sys.setswitchinterval(1.0)
    threading.stack_size(64 * 1024)


def _silences_all_logs(stage: Stage) -> None:
    logging.disable(logging.CRITICAL)
    logging.raiseExceptions = True
    logging.getLogger().handlers.clear()


def _makes_warnings_errors(stage: Stage) -> None:
    warnings.simplefilter("error")


def _hooks_into_exceptions(stage: Stage) -> None:
    def hook(*_: object) -> None:
        raise SystemExit(9)

    sys.excepthook = threading.excepthook = hook


def _spawns_threads(stage: Stage) -> None:
    for _ in range(20):
        thread = threading.Thread(target=stage.release.wait, args=(PATIENCE,), daemon=True)
        thread.start()
        stage.litter.append(thread)


def _spawns_a_thread_that_dies(stage: Stage) -> None:
    def die() -> None:
        raise SystemExit(1)

    thread = threading.Thread(target=die)
    thread.start()
    thread.join()


def _starts_a_process(stage: Stage) -> None:
    subprocess.run(["true"], check=True)


def forks(stage: Stage) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        process = os.fork()
    if process:
        stage.litter.append(process)


def _calls_the_engine(stage: Stage) -> None:
    stage.engine.run_until_idle()


def _takes_the_work_of_others(stage: Stage) -> None:
    stage.engine.claim(10)


def _looks_after_the_store(stage: Stage) -> None:
    stage.engine.maintain()
    stage.store.arm_checks(100)


def _sleeps_past_its_lease(stage: Stage) -> None:
    stage.advance_quietly(minutes=3)


DEEDS: dict[str, Callable[[Stage], None]] = {
    "prints and logs its secrets": _shares_its_secrets,
    "closes what is open": _closes_what_is_open,
    "moves house": _moves_house,
    "speaks another language": _speaks_another_language,
    "takes over signals": _takes_over_signals,
    "lets no socket wait": _lets_no_socket_wait,
    "stops the garbage collector": _stops_collecting,
    "silences all logs": _silences_all_logs,
    "makes warnings errors": _makes_warnings_errors,
    "hooks into exceptions": _hooks_into_exceptions,
    "spawns threads": _spawns_threads,
    "spawns a thread that dies": _spawns_a_thread_that_dies,
    "starts a process": _starts_a_process,
    "forks": forks,
    "calls the engine": _calls_the_engine,
    "takes the work of others": _takes_the_work_of_others,
    "looks after the store": _looks_after_the_store,
    "sleeps past its lease": _sleeps_past_its_lease,
}


def _does(name: str, deed: Callable[[Stage], None]) -> Misbehaviour:
    def before_the_effect(stage: Stage, call: Call) -> Any:
        deed(stage)
        return call()

    def after_the_effect(stage: Stage, call: Call) -> Any:
        answer = call()
        deed(stage)
        return answer

    return Misbehaviour(name, before_the_effect, after_the_effect)


def _hangs_and_goes_on(stage: Stage, call: Call) -> Any:
    stage.overrun()
    stage.wait(stage.written_off, "the call is written off")
    return call()


def _hangs_with_the_answer(stage: Stage, call: Call) -> Any:
    answer = call()
    stage.overrun()
    stage.wait(stage.written_off, "the call is written off")
    return answer


def _never_comes_back(stage: Stage, call: Call) -> Any:
    stage.overrun()
    stage.release.wait(PATIENCE)
    raise TimeoutError("at last")


def _never_comes_back_with_the_answer(stage: Stage, call: Call) -> Any:
    answer = call()
    stage.overrun()
    stage.release.wait(PATIENCE)
    return answer


DOING = [
    *(_does(name, deed) for name, deed in DEEDS.items()),
    Misbehaviour("hangs past the deadline", _hangs_and_goes_on, _hangs_with_the_answer),
    Misbehaviour("never comes back", _never_comes_back, _never_comes_back_with_the_answer),
]


@contextmanager
def as_it_was() -> Iterator[None]:
    """What a backend did to the process is undone."""
    cwd, environ, umask = os.getcwd(), dict(os.environ), os.umask(0o022)
    os.umask(umask)
    streams, hooks = (sys.stdin, sys.stdout, sys.stderr), (sys.excepthook, threading.excepthook)
    timeout, language = socket.getdefaulttimeout(), locale.setlocale(locale.LC_ALL)
    threshold, interval, stack = gc.get_threshold(), sys.getswitchinterval(), threading.stack_size()
    handlers, luck = list(logging.getLogger().handlers), random.getstate()
    with open(os.devnull, "w") as out, open(os.devnull, "w") as err, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.stdout, sys.stderr = out, err
        threading.excepthook = lambda *_: None
        try:
            yield
        finally:
            sys.stdin, sys.stdout, sys.stderr = streams
            sys.excepthook, threading.excepthook = hooks
            os.chdir(cwd)
            os.umask(umask)
            os.environ.clear()
            os.environ.update(environ)
            time.tzset()
            socket.setdefaulttimeout(timeout)
            locale.setlocale(locale.LC_ALL, language)
            gc.enable()
            gc.set_threshold(*threshold)
            sys.setswitchinterval(interval)
            threading.stack_size(stack)
            logging.disable(logging.NOTSET)
            logging.getLogger().handlers[:] = handlers
            random.setstate(luck)
