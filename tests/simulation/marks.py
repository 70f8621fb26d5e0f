"""What ten thousand histories have to meet, so that their silence means something."""

from __future__ import annotations

AT_LEAST = 100
"""So often each of them."""

ON_THE_WIRE = (
    *(f"wire:{fault}" for fault in
      ("lost", "unanswered", "late", "limit", "unsent", "crash", "garbage", "denied", "saved",
       "saved_again", "lag", "currency", "stranger", "amount")),
    *(f"wire:{fault}:get_status" for fault in
      ("lost", "unanswered", "limit", "unsent", "crash", "garbage", "lag", "currency",
       "stranger", "down")),
    *(f"wire:{fault}:authorize" for fault in
      ("lost", "unanswered", "limit", "unsent", "garbage", "down")),
    *(f"wire:{fault}:charge" for fault in ("lost", "unanswered", "down")),
    "wire:lost:prepare", "wire:unanswered:prepare",
)  # fmt: skip
"""Between the shop and its gateways: by the kind of call that met it."""

MACHINES = (
    *(f"crash:{where}" for where in
      ("claim:before", "claim:after", "call:before", "call:after", "settle:before",
       "settle:after", "told:before", "while_sent")),
    *(f"store:{fault}:{name}"
      for fault in ("again", "rolled_back", "lost") for name in ("claim", "settle", "told")),
    "store:outage", "store:gone", "settle:one_by_one", "answer:kept", "worker:stops",
    "worker:stops_with_answers", "worker:paused_past_lease", "call:hangs", "fence_lost",
    "told_again", "clock:+108000", "clock:-108000", "clock:+300", "clock:-300",
    "account:gone", "account:down", "account:swapped",
)  # fmt: skip
"""Workers, the store, clocks, and the configuration of accounts."""

NOTIFICATIONS = tuple(
    f"webhook:{fate}" for fate in
    ("once", "twice", "delayed", "lost", "forged", "stale", "elsewhere", "other_mode", "untrue",
     "known", "reordered", "turned_away", "unmatched", "matched_later", "ignored_mode",
     "other_account", "store_away", "woke")
)  # fmt: skip

PEOPLE = (
    *(f"shop:{act}" for act in
      ("confirm", "confirm_part", "refund", "refund_part", "cancel", "cancel_order", "retry",
       "duplicate", "double_opening", "reroute", "nonsense")),
    *(f"payer:{act}" for act in
      ("finish", "fail", "late", "part", "outside", "dispute", "dispute_won")),
    "operator:retry", "operator:abandon", "operator:look", "operator:verdict", "verdict:never",
    "gateway:refund_done", "gateway:refund_failed",
)  # fmt: skip

OUTCOMES = (
    *(f"operation:{kind}:{state}" for kind, states in (
        ("prepare", ("sent", "ok", "planned")),
        ("authorize", ("sent", "pending", "ok", "refused", "abandoned", "parked", "planned")),
        ("charge", ("sent", "pending", "ok", "refused", "abandoned", "parked", "planned")),
        ("capture", ("sent", "ok")),
        ("refund", ("sent", "pending", "ok", "refused")),
        ("cancel", ("sent", "ok")),
    ) for state in states),
    *(f"flag:{kind}" for kind in
      ("outcome_unknown", "account_unusable", "plugin_fault", "currency_mismatch",
       "transaction_mismatch", "refund_failed", "cancelled_but_paid")),
)  # fmt: skip
"""What became of it."""

ALL = (*ON_THE_WIRE, *MACHINES, *NOTIFICATIONS, *PEOPLE, *OUTCOMES)
