"""The kit is worth what it catches: each wrong backend fails the case that names its fault.

All of them run in one other pytest, whose report is read here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from omniman_payment_core.conformance import BackendConformance

HERE = Path(__file__).parent

SUITE = """
import pytest
import broken_backends as broken
from omniman_payment_core.conformance import BackendConformance

class Given(BackendConformance):
    planted_secrets = (broken.SECRET,)
    backend_class = broken.Sound

    @pytest.fixture
    def registration(self):
        return self.backend_class.registration

    @pytest.fixture
    def far_side(self):
        clock = broken.Clock()
        return broken.MockGateway(clock=clock, webhook_secret=broken.SECRET), clock

    @pytest.fixture
    def driver(self, far_side):
        return broken.Driver(*far_side)

    @pytest.fixture
    def make_backend(self, far_side):
        gateway, clock = far_side
        config = {"webhook_secret": broken.SECRET}
        return lambda: self.backend_class(config, gateway=gateway, clock=clock)

class TestSound(Given):
    pass

class TestPrepares(Given):
    backend_class = broken.Prepares

class TestLetsGo(Given):
    backend_class = broken.LetsGo

class TestNamesAndTells(Given):
    backend_class = broken.NamesAndTells

class TestOneCaseSwitchedOff(Given):
    test_the_same_key_charges_once = None

class TestOneCaseReplaced(Given):
    def test_the_same_key_charges_once(self):
        pass

class TestOneCaseSkipped(Given):
    @pytest.mark.skip(reason="it fails")
    def test_the_same_key_charges_once(self):
        pass

class TestAKnownGap(Given):
    backend_class = broken.ClosesOnce

    @pytest.mark.xfail(reason="the SDK closes only once")
    def test_closing_twice_does_no_harm(self, make_backend):
        super().test_closing_twice_does_no_harm(make_backend)

class TestADeclinedFeature(Given):
    @pytest.fixture
    def registration(self):
        no = broken.Feature.no("This scheme settles at once.")
        return broken.make_registration(
            features={"hold": no, "partial_capture": no, "multiple_captures": no}
        )
"""
WHOLE = [
    "TestSound",
    "TestPrepares",
    "TestLetsGo",
    "TestNamesAndTells",
    "TestOneCaseSwitchedOff",
    "TestOneCaseReplaced",
    "TestOneCaseSkipped",
    "TestAKnownGap",
    "TestADeclinedFeature",
]

CAUGHT_BY = {
    "ChargesAgainUnderTheSameKey": "test_the_same_key_charges_once",
    "HoldsAgainUnderTheSameKey": "test_the_same_key_holds_once",
    "RefundsAgainUnderTheSameKey": "test_the_same_key_refunds_once",
    "ClaimsACaptureThatMovesNothing": "test_capture_moves_exactly_what_was_held",
    "TakesTheMoneyWhenAskedToHoldIt": "test_authorize_holds_and_moves_nothing",
    "IgnoresThePartOfAPartialCapture": "test_a_partial_capture_moves_exactly_that_part",
    "RefundsBeyondTheCapture": "test_more_than_was_taken_cannot_be_refunded",
    "ReportsATimeoutAsAFailure": (
        "test_a_lost_charge_repeated_with_its_key_is_carried_out_once[after]"
    ),
    "LetsTheLibrarysTimeoutThrough": (
        "test_a_lost_capture_repeated_with_its_key_is_carried_out_once[after]"
    ),
    "RaisesADecline": "test_a_declined_charge_is_a_result_with_its_reason",
    "DeclinesWithoutAReason": "test_a_declined_hold_is_a_result_with_its_reason",
    "PutsAnSdkObjectIntoMetadata": "test_authorize_holds_and_moves_nothing",
    "ShowsItsSecret": "test_a_charge_takes_its_amount_or_waits_for_the_shopper",
    "AnswersFloatAmounts": "test_the_status_of_a_paid_charge_has_its_amounts",
    "ConvertsThroughFloat": "test_the_smallest_amount_and_an_odd_one_arrive_to_the_cent",
    "AnswersInAnotherCurrency": "test_a_charge_takes_its_amount_or_waits_for_the_shopper",
    "CallsAnUnknownTransactionFailed": (
        "test_reading_an_unknown_transaction_says_that_it_is_unknown"
    ),
    "InventsAStatus": "test_the_status_of_a_hold_has_its_amounts",
    "CallsEverythingPaid": "test_the_status_of_a_hold_has_its_amounts",
    "ForgetsRefundsInItsStatus": "test_a_refund_made_outside_is_seen",
    "CancelsOnPaperOnly": "test_cancel_releases_the_hold_for_good",
    "FindsOtherPeoplesPayments": ("test_find_answers_an_orders_transactions_and_no_others"),
    "AddsToTheCallersMetadata": "test_what_the_caller_gave_is_not_changed",
    "ReplaysAnotherRequestUnderTheKey": "test_the_same_key_with_another_amount_is_an_error",
    "MovesMoneyWhenPreparing": "test_a_prepared_transaction_moves_nothing",
    "KeepsTheRestOfALastPart": "test_a_final_part_lets_go_of_the_rest",
    "ChoosesARandomId": "test_a_chosen_transaction_id_is_pure",
    "ClosesOnce": "test_closing_twice_does_no_harm",
    "SharesOneBookBetweenAccounts": (
        "test_two_backends_do_not_share_their_state_through_the_class"
    ),
    "BelievesForgedWebhooks": "test_a_changed_body_is_not_authentic",
    "BelievesOldWebhooks": "test_an_old_or_early_notification_is_not_authentic[age0]",
    "CrashesOnAnOddHeader": "test_garbage_is_turned_away_and_never_a_crash",
    "CrashesOnDeepJson": "test_garbage_is_turned_away_and_never_a_crash",
    "NamesARefundAnewEachTime": "test_a_chosen_refund_id_is_pure_and_the_refunds_reference",
    "InventsEventsWhenPolled": ("test_polling_tells_of_a_payment_each_time_with_the_same_event"),
    "DeclinesAFeatureWithoutASentence": "test_every_feature_is_answered",
    "DeclaresAFeatureThatDoesNotExist": "test_every_feature_is_answered",
}

Outcomes = dict[str, dict[str, str]]
"""For each class the outcome of each of its cases: ``passed``, or what happened and why."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    directory = tmp_path_factory.mktemp("kit")
    suite, report = directory / "test_suite.py", directory / "report.xml"
    wrong = (f"class Test{n}(Given):\n    backend_class = broken.{n}\n" for n in CAUGHT_BY)
    suite.write_text(SUITE + "\n" + "\n".join(wrong))
    wanted = [f"{suite}::{name}" for name in WHOLE]
    wanted += [f"{suite}::Test{name}::{case}" for name, case in CAUGHT_BY.items()]
    options = ("-q", "--tb=short", "-p", "no:cacheprovider", f"--rootdir={directory}")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--junit-xml={report}", *wanted],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout[-3000:] + run.stderr
    found: Outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        cases = found.setdefault(case.attrib["classname"].rsplit(".", 1)[-1], {})
        cases[case.attrib["name"]] = "passed"
        for what in case:
            cases[case.attrib["name"]] = f"{what.tag}: {what.attrib.get('message', '')}"
    return found


def failures(cases: dict[str, str]) -> set[str]:
    return {name for name, what in cases.items() if what.startswith(("failure", "error"))}


@pytest.mark.parametrize("name", ["TestSound", "TestPrepares", "TestLetsGo", "TestNamesAndTells"])
def test_a_sound_backend_passes_every_case(outcomes: Outcomes, name: str) -> None:
    cases = outcomes[name]
    assert failures(cases) == set()
    assert sum(what == "passed" for what in cases.values()) > 70


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_a_wrong_backend_is_caught(outcomes: Outcomes, name: str) -> None:
    what = outcomes[f"Test{name}"][CAUGHT_BY[name]]
    assert what.startswith("failure: ")


@pytest.mark.parametrize(
    "name", ["TestOneCaseSwitchedOff", "TestOneCaseReplaced", "TestOneCaseSkipped"]
)
def test_a_case_that_is_overridden_is_named(outcomes: Outcomes, name: str) -> None:
    cases = outcomes[name]
    guard = "test_no_case_is_overridden_without_a_reason"
    assert failures(cases) == {guard}
    assert "test_the_same_key_charges_once" in cases[guard]


def test_a_known_gap_may_be_declared_with_its_reason(outcomes: Outcomes) -> None:
    cases = outcomes["TestAKnownGap"]
    assert failures(cases) == set()
    assert cases["test_closing_twice_does_no_harm"] == "skipped: the SDK closes only once"


def test_between_them_the_sound_backends_leave_no_case_untried(outcomes: Outcomes) -> None:
    tried = {
        case
        for name in (
            "TestSound",
            "TestPrepares",
            "TestLetsGo",
            "TestNamesAndTells",
            "TestADeclinedFeature",
        )
        for case, what in outcomes[name].items()
        if not what.startswith("skipped")
    }
    # The mock's charge is paid at once here; its QR codes are withdrawn in its own tests.
    assert set(outcomes["TestSound"]) - tried == {"test_an_unpaid_charge_can_be_withdrawn"}


def test_a_declined_feature_is_skipped_with_its_own_sentence(outcomes: Outcomes) -> None:
    cases = outcomes["TestADeclinedFeature"]
    skipped = cases["test_authorize_holds_and_moves_nothing"]
    assert skipped == "skipped: feature 'hold' is declined: This scheme settles at once."


def test_a_feature_that_is_declined_and_done_is_a_false_claim(outcomes: Outcomes) -> None:
    # The sound backend does hold money.
    assert failures(outcomes["TestADeclinedFeature"]) == {
        "test_without_holds_authorize_is_refused_or_opens_a_charge"
    }


def test_the_guard_itself_cannot_be_overridden() -> None:
    with pytest.raises(TypeError, match="guards all the others"):
        type(
            "Sly",
            (BackendConformance,),
            {"test_no_case_is_overridden_without_a_reason": lambda self: None},
        )
