"""Tries four mutants of one method and says what became of them; a program of its own."""

from __future__ import annotations

import ast
import os
import sys
import time

import django

from tools.mutants import trials
from tools.mutants.changes import Change
from tools.mutants.grounds import Ground
from tools.mutants.sources import Mutant, Source

METHOD = "def learn(self, account, outcome, now):\n    "


def main() -> None:
    os.environ["CI"] = "1"
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.django_settings"
    django.setup()
    source = Source("omniman_payment_core/engine/breaker.py")
    (same,) = (
        node
        for node in ast.walk(ast.parse(source.file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name == "learn"
    )
    texts = {
        "same": ast.unparse(same),
        "endless": f"{METHOD}while True: pass",
        "wrong": f"{METHOD}raise ZeroDivisionError",
        "same_again": ast.unparse(same),
    }
    mutants = [mutant(source.path, name, text, same) for name, text in texts.items()]
    elsewhere = Change("unreached", "", range(1, 2), same)
    mutants.append(Mutant(source.path, "Breaker.learn", elsewhere))
    ground = Ground("small", (source.path,), ("tests/core/test_breaker.py",), ("an_hour",))
    trials._MOST_CPU = 0.5
    trials.Trials(ground, mutants, 2, time.monotonic() + 90, say).run()


def mutant(path: str, name: str, text: str, at: ast.FunctionDef) -> Mutant:
    (tree,) = ast.parse(text).body
    lines = range(at.lineno, (at.end_lineno or at.lineno) + 1)
    return Mutant(path, "Breaker.learn", Change(name, "", lines, tree))


def say(trial: trials.Trial) -> None:
    reached = "reached" if trial.reached else "unreached"
    noticed_by = trial.noticed_by or "SURVIVED"
    sys.stdout.write(f"{trial.mutant.change.line}: {reached}: {noticed_by}\n")


if __name__ == "__main__":
    main()
