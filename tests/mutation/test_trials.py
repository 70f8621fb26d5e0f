"""Mutants live in processes of their own, and the report says which of them may."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutants import survivors
from tools.mutants.changes import Change
from tools.mutants.grounds import GROUNDS
from tools.mutants.report import Report
from tools.mutants.sources import ROOT, Mutant, Source
from tools.mutants.survivors import Survivor
from tools.mutants.trials import ENDLESS, SURVIVED, Trial


def test_each_mutant_is_tried_alone_and_one_without_an_end_is_ended() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.mutation.some_mutants"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = dict(line.split(": ", 1) for line in ran.stdout.splitlines())
    wrong = told.pop("wrong")
    assert wrong.startswith("reached: tests/core/test_breaker.py::")
    assert told == {
        "same": "reached: SURVIVED",
        "endless": f"reached: {ENDLESS}",
        "same_again": "reached: SURVIVED",
        "unreached": "unreached: SURVIVED",
    }


def mutant(number: int) -> Mutant:
    return Mutant("some.py", "f", Change(f"line {number}", "gone", range(1), ast.Pass()))


def report(
    killed: int, lived: int, *, listed: int = 0, equivalent: bool = False, known: int = 0
) -> int:
    """The verdict on so many mutants, of which the last ``listed`` are listed."""
    mutants = [mutant(number) for number in range(killed + lived)]
    keys = [one.key for one in mutants[len(mutants) - listed :]] if listed else []
    listing = {key: Survivor(key, equivalent, "because") for key in keys}
    judge = Report(listing)
    judge.choose(mutants, of=mutants[: known or len(mutants)], modules={"some.py"})
    for number, one in enumerate(mutants):
        noticed_by = "a test" if number < killed else SURVIVED
        judge.add(Trial(one, noticed_by, True, 0.1))
    return judge.print()


def test_one_survivor_that_is_not_listed_is_too_many() -> None:
    assert report(99, 1) == 1
    assert report(99, 1, listed=1) == 0


def test_listed_survivors_count_against_the_rate_unless_nothing_could_notice_them() -> None:
    assert report(95, 5, listed=5) == 0
    assert report(94, 6, listed=6) == 1
    assert report(94, 6, listed=6, equivalent=True) == 0


def test_the_list_has_nothing_in_it_that_is_out_of_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(99, 1, listed=2) == 1
    assert "is noticed now: some.py: f: line 98" in capsys.readouterr().out
    assert report(99, 1, listed=1, known=99) == 1
    assert "is no mutant any more: some.py: f: line 99" in capsys.readouterr().out


def test_what_is_printed_for_the_list_can_be_read_back(tmp_path: Path) -> None:
    ones = [mutant(1), Mutant('a "path"', "f", Change("\\d é", "x -> 'y'", range(1), ast.Pass()))]
    file = tmp_path / "survivors.toml"
    text = survivors.as_entries(ones)
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match="no reason"):
        survivors.read(file)
    file.write_text(text.replace('why = ""', 'why = "it says so"'), "utf-8")
    assert set(survivors.read(file)) == {one.key for one in ones}


def test_the_list_gives_a_reason_for_each_of_modules_that_are_there() -> None:
    modules = {source.path for ground in GROUNDS for source in ground.sources}
    assert all((ROOT / path).is_file() for path in modules)
    assert {key[0] for key in survivors.read()} <= modules


def test_only_what_has_changed_is_tried_when_that_is_asked_for() -> None:
    source = Source("omniman_payment_core/ledger.py")
    everything = [one.key for one in source.mutants()]
    text = source.file.read_text("utf-8")
    assert list(source.mutants_besides(text)) == []
    assert [one.key for one in source.mutants_besides("")] == everything
    other = text.replace("payment.disputed_q > 0", "payment.disputed_q > 1")
    assert {one.function for one in source.mutants_besides(other)} == {"status_of"}
    moved = text.replace("def status_of", "\n\n\ndef status_of")
    assert list(source.mutants_besides(moved)) == []
