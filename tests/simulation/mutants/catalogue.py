"""All design mutants, each with the schedules that are most likely to notice it."""

from __future__ import annotations

from . import books, money, sending
from .hunting import Mutant

_KEYED = ("full", "no_proof", "unaddressed")

MUTANTS = (
    Mutant(sending.key_for_each_attempt, ("charge",)),
    Mutant(sending.key_without_ordinal, ("two_partial_captures",)),
    Mutant(sending.nothing_is_written_ahead, ("hold_and_confirm",)),
    Mutant(sending.timeout_is_failure, ("charge",)),
    Mutant(sending.doubt_is_forgotten, ("charge",)),
    Mutant(sending.absence_is_proof_at_once, ("charge",), ("finds",)),
    Mutant(sending.look_is_as_new_as_its_settling, ("slow_look_beside_a_late_request",)),
    Mutant(
        sending.silence_is_absence,
        ("two_partial_captures", "two_partial_refunds"),
        ("five_methods_proof",),
    ),
    Mutant(sending.key_is_trusted_for_ever, ("answer_lost_and_a_day_of_rest",), ("unaddressed",)),
    Mutant(sending.parameters_are_not_frozen, ("opened_twice_otherwise",), _KEYED),
    Mutant(sending.rate_limit_is_a_no, ("charge",)),
    Mutant(sending.vague_no_is_final, ("charge",)),
    Mutant(sending.stale_answer_takes_back, ("old_attempt_beside_a_cancellation",)),
    Mutant(sending.fence_is_skipped, ("worker_asleep_before_it_writes_down",)),
    Mutant(
        sending.facts_of_an_old_fence_are_dropped,
        ("worker_asleep_before_it_writes_down",),
        ("five_methods",),
    ),
    Mutant(
        sending.lease_is_not_checked_before_sending,
        ("worker_asleep_before_its_call",),
        ("unaddressed", "five_methods", "full"),
    ),
    Mutant(sending.dead_workers_lease_is_kept, ("charge",)),
    Mutant(sending.operation_for_each_delivery, ("hold_and_confirm",)),
    Mutant(money.refunds_are_not_reserved, ("refunds_beyond_the_capture",)),
    Mutant(money.refund_is_not_limited, ("refunds_beyond_the_capture",)),
    Mutant(money.capture_is_not_limited, ("captures_beyond_the_hold",)),
    Mutant(money.captures_do_not_wait_for_each_other, ("two_partial_captures",)),
    Mutant(money.refunds_do_not_wait_for_each_other, ("two_partial_refunds",)),
    Mutant(money.capture_waits_behind_a_parked_hold, ("hold_and_confirm",), ("five_methods",)),
    Mutant(money.capture_after_the_cancellation, ("capture_after_the_order_was_cancelled",)),
    Mutant(money.opened_after_the_cancellation, ("cancelled_while_the_hold_is_made",)),
    Mutant(money.second_payment_beside_a_living_one, ("second_attempt_beside_the_first",)),
    Mutant(money.cancel_forgets_what_is_in_flight, ("cancelled_while_the_hold_is_made",)),
    Mutant(money.late_hold_is_kept, ("authenticated_after_the_cancellation",)),
    Mutant(money.late_money_is_ignored, ("paid_after_the_code_expired",)),
    Mutant(money.refund_failing_later_is_ignored, ("refund_that_fails_later",)),
    Mutant(money.refused_refund_stays_reserved, ("refund_refused",)),
    Mutant(money.exhaustion_is_failure, ("gateway_that_never_answers",)),
    Mutant(money.currency_is_believed, ("charge",), ("full",)),
    Mutant(money.amount_is_believed, ("charge",), ("full",)),
    Mutant(money.any_transaction_is_ours, ("charge",), ("full",)),
    Mutant(money.another_attempts_money_is_adopted, ("declined_then_tried_anew",), ("finds",)),
    Mutant(money.rerouted_by_the_configuration, ("account_replaced_meanwhile",)),
    Mutant(money.lapse_is_ignored, ("hold_that_lapses",)),
    Mutant(books.every_look_is_a_new_fact, ("charge_paid_by_code",)),
    Mutant(books.sum_without_a_fact, ("charge",)),
    Mutant(books.fact_is_written_twice, ("charge",)),
    Mutant(books.summary_is_not_rebuilt, ("charge",)),
    Mutant(books.trigger_fires_again),
    Mutant(books.part_counts_as_all, ("two_partial_captures",)),
    Mutant(books.parked_without_a_flag, ("charge",), ("five_methods",)),
    Mutant(books.nobody_looks_again, ("paid_and_nobody_knocks",)),
    Mutant(books.knock_during_a_look_is_lost, ("paid_while_being_looked_at",)),
    Mutant(books.told_before_the_commit, ("charge",)),
    Mutant(books.notice_is_forgotten_first, ("charge",)),
    Mutant(books.nobody_tells_again, ("charge",)),
)
