"""The demo: wrong lines are reported, the others are traded, and the two books agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Done = subprocess.CompletedProcess[str]


def demo(*arguments: str, run: Sequence[str] = ("-m", "examples.demo")) -> Done:
    # A process of its own: the demo brings its own settings.
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, *run, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def orders(tmp_path: Path, *lines: Any) -> str:
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    return str(path)


def sale(channel: str = "pos", **more: Any) -> dict[str, Any]:
    return {"channel": channel, "items": [{"sku": "A", "qty": 2, "price_q": 500}], **more}


def test_our_orders_reach_every_end_and_both_books_agree() -> None:
    done = demo()
    assert done.returncode == 0, done.stdout + done.stderr
    channels = ("ecommerce", "pos", "pix-like", "stripe", "stripe-charge", "pix", "pix-hold")
    for word in (*channels, "captured", "refunded", "failed", "cancelled"):
        assert word in done.stdout
    for side in ("the mock gateway", "the Stripe simulator", "the Pix simulator"):
        for what in ("moved", "held"):
            (line,) = (x for x in done.stdout.splitlines() if x.startswith(f"money {what}: {side}"))
            assert line.endswith(": equal")
            assert (" 0.00 BRL" in line) == (what == "held")
    assert done.stderr == ""


def test_wrong_lines_are_reported_with_their_number_and_the_others_go_on(tmp_path: Path) -> None:
    path = orders(
        tmp_path,
        sale(),
        "{oops",
        sale("moon"),
        sale(payment_method={"number": "4111 1111 1111 1111"}),
        sale(payment_method={"behaviour": {"decline": "expired_card"}}),
        sale("pix-like", then={"refund": 300}),
        sale("stripe", payment_method={"type": "card", "pm": "pm_card_visa"}),
        sale("stripe", payment_method={"type": "card", "payment_method_id": "pm_card_visa"}),
        sale("pix", payment_method={"type": "pix", "debtor": {"name": "Ana", "cpf": "1"}}),
        sale("pix", payment_method={"type": "pix"}),
    )
    done = demo("--orders", path)
    assert done.returncode == 0, done.stdout + done.stderr
    reported = done.stderr.splitlines()
    assert [line.split(":")[0] for line in reported] == [
        f"mine.jsonl, line {number}" for number in (2, 3, 4)
    ]
    assert "4111" not in done.stderr
    assert "DEMO-001  pos       10.00 BRL  captured" in done.stdout
    assert "DEMO-005: payment.charge failed: " in done.stdout
    assert "partially_refunded" in done.stdout
    assert "the mock gateway says 17.00 BRL, our ledger says 17.00 BRL: equal" in done.stdout
    assert "DEMO-007: payment.hold failed: payment_method has entries that" in done.stdout
    assert "the Stripe simulator says 10.00 BRL, our ledger says 10.00 BRL: equal" in done.stdout
    assert "DEMO-009: payment.charge failed: payment_method" in done.stdout
    assert "the Pix simulator says 10.00 BRL, our ledger says 10.00 BRL: equal" in done.stdout


def test_what_a_bank_decides_after_the_payment_is_in_both_books(tmp_path: Path) -> None:
    def with_card(name: str, channel: str = "stripe", **more: Any) -> dict[str, Any]:
        return sale(
            channel, payment_method={"type": "card", "payment_method_id": f"pm_card_{name}"}, **more
        )

    path = orders(
        tmp_path,
        with_card("refundFail", then={"refund": 1}),
        with_card("pendingRefund", then={"refund": 20}),
        with_card("createDispute", "stripe-charge"),
        with_card("threeDSecureRequiredChargeDeclined"),
    )
    done = demo("--orders", path)
    assert done.returncode == 0, done.stdout + done.stderr
    first, second, third, fourth = (
        line for line in done.stdout.splitlines() if line.startswith("DEMO-") and ">" in line
    )
    assert first.endswith("captured > refunded > refund_failed")
    assert second.endswith("captured > refund_pending > refunded")
    assert third.endswith("captured > dispute_opened")
    assert fourth.endswith("action_required > failed")
    for ref, kind in (("DEMO-001", "refund_failed"), ("DEMO-003", "disputed")):
        assert f"{ref}: a person should look: {kind}: " in done.stdout
    assert "the Stripe simulator says 19.80 BRL, our ledger says 19.80 BRL: equal" in done.stdout


def test_what_the_shop_refuses_to_do_with_an_order_is_reported_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    paid_at_once, too_much = sale("pos", then="cancel"), sale(then={"refund": 1001})
    paid_and_kept = sale("pix-like", then="cancel")
    done = demo(
        "--orders", orders(tmp_path, paid_at_once, too_much, sale("ecommerce"), paid_and_kept)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Somebody has to decide about money that a cancelled order keeps.
    assert "DEMO-004: a person should look: cancelled_but_paid: " in done.stdout
    first, second = sorted(done.stderr.splitlines())
    assert first.startswith("mine.jsonl, line 1: ")
    assert "cancelled" in first
    assert second.startswith('mine.jsonl, line 2: "then" refunds 1001')
    assert "DEMO-001  pos        10.00 BRL  captured" in done.stdout
    assert "DEMO-003  ecommerce  10.00 BRL  captured" in done.stdout


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    done = demo("--orders", str(tmp_path / "none.jsonl"))
    assert done.returncode == 2
    assert "there is no such file" in done.stderr


def test_a_difference_between_the_books_is_named_and_is_exit_code_1(tmp_path: Path) -> None:
    # Somebody refunds in the gateway's dashboard, and nobody tells the shop.
    code = (
        "import sys\n"
        "from examples.demo import __main__ as demo\n"
        "real = demo._run\n"
        "def run(path, stripe, pix):\n"
        "    from examples.demo import report\n"
        "    compare = report.compare\n"
        "    def after(sold, sides):\n"
        "        gateway = sides['card'].gateway\n"
        "        gateway.refund_outside(gateway.transactions()[0], 1)\n"
        "        return compare(sold, sides)\n"
        "    report.compare = after\n"
        "    return real(path, stripe, pix)\n"
        "demo._run = run\n"
        "sys.exit(demo.main(sys.argv[1:]))\n"
    )
    done = demo("--orders", orders(tmp_path, sale()), run=("-c", code))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "DIFFERENT" in done.stdout
    assert "DEMO-001: moved 9.99 BRL at the gateway, 10.00 BRL in our ledger" in done.stdout


def test_after_a_failure_neither_the_simulator_nor_the_shop_listens_any_more(
    tmp_path: Path,
) -> None:
    code = (
        "import socket, sys, threading\n"
        "from urllib.parse import urlsplit\n"
        "from examples.demo import __main__ as demo\n"
        "real, found = demo._run, []\n"
        "def listens(url):\n"
        "    with socket.socket() as s:\n"
        "        parts = urlsplit(url)\n"
        "        return s.connect_ex((parts.hostname, parts.port)) == 0\n"
        "def run(path, stripe, pix):\n"
        "    from examples.demo import shop\n"
        "    def broken(*given):\n"
        "        (endpoint,) = stripe.control.webhook_endpoints()\n"
        "        found.extend([stripe.url, endpoint['url']])\n"
        "        print('before:', [listens(url) for url in found])\n"
        "        raise RuntimeError('the lights went out')\n"
        "    shop.trade = broken\n"
        "    return real(path, stripe, pix)\n"
        "demo._run = run\n"
        "try:\n"
        "    demo.main(sys.argv[1:])\n"
        "finally:\n"
        "    print('after:', [listens(url) for url in found])\n"
        "    print('threads:', sum(not t.daemon for t in threading.enumerate()))\n"
    )
    done = demo("--orders", orders(tmp_path, sale()), run=("-c", code))
    assert done.returncode == 1
    assert "RuntimeError: the lights went out" in done.stderr
    assert done.stdout.splitlines() == [
        "before: [True, True]",
        "after: [False, False]",
        "threads: 1",
    ]
