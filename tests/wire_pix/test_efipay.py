"""An unmodified efipay, alone in an environment of its own, works with the simulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from omniman_payment_simulators.pix import PixSimulator

from . import drive_efipay

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has efipay and what it asks for, and nothing of ours."""
    environment = tmp_path_factory.mktemp("efipay") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    interpreter = environment / "bin" / "python"
    constraints = ROOT / "constraints.txt"
    pip = [sys.executable, "-m", "pip", "--python", interpreter, "install", "--quiet"]
    subprocess.run([*pip, "--constraint", constraints, "efipay"], check=True)
    return interpreter


def drive(python: Path, simulator: PixSimulator, **asked: Any) -> dict[str, Any]:
    """Let the SDK do its part; what it brought."""
    told = {
        "url": simulator.url,
        "pix_key": simulator.pix_key,
        "credentials": {
            "client_id": simulator.client_id,
            "client_secret": simulator.client_secret,
            "certificate": str(simulator.certificate),
        },
        **asked,
    }
    done = subprocess.run(
        [python, "-I", drive_efipay.__file__],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], "REQUESTS_CA_BUNDLE": str(simulator.ca_certificate)},
    )
    assert done.returncode == 0, done.stderr
    came: dict[str, Any] = json.loads(done.stdout)
    return came


def test_it_has_nothing_of_ours(python: Path) -> None:
    script = (
        "import importlib.util as u; print([n for n in ('omniman_payment_efi', "
        "'omniman_payment_core', 'omniman_payment_simulators') if u.find_spec(n)])"
    )
    found = subprocess.run([python, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_it_charges_reads_and_returns(python: Path, listening: str) -> None:
    with PixSimulator() as simulator:
        came = drive(python, simulator)
        txid = drive_efipay.TXID
        assert came["created"]["txid"] == came["detail"]["txid"] == txid
        assert came["created"]["status"] == "ATIVA"
        assert came["again"]["nome"] == "txid_duplicado"
        assert came["named"]["txid"] != txid
        assert came["qr"]["qrcode"] == came["created"]["pixCopiaECola"]
        assert came["qr"]["imagemQrcode"].startswith("data:image/png;base64,")
        assert len(came["charges"]["cobs"]) == 2

        paid = simulator.control.pay(txid)["endToEndId"]
        came = drive(python, simulator, e2eid=paid, hook=listening)
        assert [pix["endToEndId"] for pix in came["received"]["pix"]] == [paid]
        assert came["payment"]["valor"] == "10.00"
        assert came["refund"]["status"] == came["refund_detail"]["status"] == "DEVOLVIDO"
        assert came["hook"]["webhookUrl"] == came["hook_detail"]["webhookUrl"] == listening
        assert [hook["webhookUrl"] for hook in came["hooks"]["webhooks"]] == [listening]
        assert simulator.control.ledger()["movements"][-1]["amount_q"] == 400
