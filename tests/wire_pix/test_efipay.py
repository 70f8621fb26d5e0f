"""An unmodified efipay, alone in an environment of its own, works with the simulator."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from omniman_payment_simulators.pix import PixSimulator

from . import differences
from .conftest import with_tokens
from .differences import unexcused
from .judge import Exchange, Judge, call_of

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
SCRIPT = Path(__file__).with_name("drive_efipay.py")
TXID = "sdk0123456789abcdef0123456789abc"

WHAT_IS_THERE = """
import base64, hashlib, importlib.metadata, importlib.util, json, sys

def as_published(file):
    digest = hashlib.new(file.hash.mode, file.locate().read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value

efipay = importlib.metadata.distribution("efipay")
files = [file for file in efipay.files if file.hash]
print(json.dumps({
    "version": efipay.version,
    "modules": len([file for file in files if file.suffix == ".py"]),
    "changed": [str(file) for file in files if not as_published(file)],
    "ours": [name for name in sys.argv[1:] if importlib.util.find_spec(name)],
}))
"""


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has efipay and what it asks for, and nothing of ours.

    It is kept from run to run for as long as the pins and the interpreter are the same.
    """
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    if cache is None:
        return _installed(tmp_path_factory.mktemp("efipay") / "venv")
    made_of = f"{sys.version} {sys.base_prefix} {CONSTRAINTS.read_text()}"
    name = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    kept = cache.mkdir("efipay") / name
    if not kept.exists():
        # Installed beside it and renamed when it is whole: an interrupted run leaves no half one.
        half = Path(tempfile.mkdtemp(dir=kept.parent))
        try:
            _installed(half)
            with suppress(OSError):  # another run was faster
                half.rename(kept)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    return kept / "bin" / "python"


def _installed(environment: Path) -> Path:
    interpreter = environment / "bin" / "python"
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        interpreter,
        "install",
        "--quiet",
    ]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    subprocess.run([*pip, "--constraint", CONSTRAINTS, "efipay"], check=True)
    return interpreter


def run(python: Path, *arguments: str | Path, **options: Any) -> Any:
    """What a script of that interpreter printed, which knows nothing of our environment."""
    done = subprocess.run(
        [python, "-I", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], **options.pop("env", {})},
        **options,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def drive(python: Path, simulator: PixSimulator, part: str, **asked: Any) -> dict[str, Any]:
    """Let the SDK do its part; what it brought."""
    told = {
        "part": part,
        "txid": TXID,
        "url": simulator.url,
        "pix_key": simulator.pix_key,
        "credentials": {
            "client_id": simulator.client_id,
            "client_secret": simulator.client_secret,
            "certificate": str(simulator.certificate),
            **asked.pop("credentials", {}),
        },
        **asked,
    }
    ca = {"REQUESTS_CA_BUNDLE": str(simulator.ca_certificate)}
    came: dict[str, Any] = run(python, SCRIPT, input=json.dumps(told), env=ca)
    return came


@dataclass(frozen=True, slots=True)
class Drive:
    """What the SDK brought, what went over the wire, and what the simulator's books say."""

    came: Mapping[str, Any]
    exchanges: list[Exchange]
    e2eid: str
    moved_q: list[int]


@pytest.fixture(scope="module")
def driven(python: Path, listening: str) -> Drive:
    with PixSimulator() as simulator:
        before = drive(python, simulator, "before_it_is_paid")
        paid = simulator.control.pay(TXID)["endToEndId"]
        after = drive(python, simulator, "after_it_was_paid", e2eid=paid, hook=listening)
        wrong = {"client_secret": "wrong"}
        refused = drive(python, simulator, "with_wrong_credentials", credentials=wrong)
        return Drive(
            came={**before, **after, **refused},
            exchanges=with_tokens(simulator.control.requests()),
            e2eid=paid,
            moved_q=[each["amount_q"] for each in simulator.control.ledger()["movements"]],
        )


def test_it_is_as_published_and_has_nothing_of_ours(python: Path) -> None:
    ours = ("omniman_payment_efi", "omniman_payment_core", "omniman_payment_simulators")
    there = run(python, "-c", WHAT_IS_THERE, *ours)
    assert f"efipay=={there['version']}" in CONSTRAINTS.read_text().splitlines()
    assert there["modules"] > 5
    assert (there["changed"], there["ours"]) == ([], [])


def test_it_charges_shows_the_code_and_withdraws(driven: Drive) -> None:
    came = driven.came
    assert came["created"]["txid"] == came["detail"]["txid"] == TXID
    assert came["created"]["status"] == came["detail"]["status"] == "ATIVA"
    assert came["chosen"]["txid"] != TXID
    assert came["withdrawn"]["status"] == "REMOVIDA_PELO_USUARIO_RECEBEDOR"
    assert came["qr"]["qrcode"] == came["created"]["pixCopiaECola"]
    assert came["qr"]["imagemQrcode"].startswith("data:image/png;base64,")
    listed = {cob["txid"] for cob in came["charges"]["cobs"]}
    assert listed == {TXID, came["chosen"]["txid"]}


def test_it_finds_payments_and_returns_them(driven: Drive) -> None:
    came = driven.came
    assert [pix["endToEndId"] for pix in came["received"]["pix"]] == [driven.e2eid]
    assert came["payment"]["valor"] == "10.00"
    assert came["refund"]["status"] == came["refund_detail"]["status"] == "DEVOLVIDO"
    assert driven.moved_q == [1000, 400]


def test_it_registers_shows_and_removes_an_address(driven: Drive, listening: str) -> None:
    came = driven.came
    assert came["hook"]["webhookUrl"] == came["hook_detail"]["webhookUrl"] == listening
    assert [hook["webhookUrl"] for hook in came["hooks"]["webhooks"]] == [listening]


def test_it_understands_what_it_is_told_when_it_is_told_no(driven: Drive) -> None:
    came = driven.came
    assert came["again"]["nome"] == "txid_duplicado"
    assert came["unknown"]["nome"] == "cobranca_nao_encontrada"
    assert came["no_hook"]["nome"] == "webhook_nao_encontrado"
    assert came["too_much"]["violacoes"][0]["propriedade"] == "devolucao.valor"
    assert came["refused"] == "UnauthorizedError"


def test_everything_that_went_over_the_wire_is_as_efi_documents_it(
    efis: Judge, driven: Drive
) -> None:
    assert {call_of(each) for each in driven.exchanges} == {
        "POST /oauth/token 200",
        "POST /oauth/token 401",
        "POST /v2/cob 201",
        "PUT /v2/cob/ID 201",
        "PUT /v2/cob/ID 409",
        "PATCH /v2/cob/ID 200",
        "GET /v2/cob/ID 200",
        "GET /v2/cob/ID 400",
        "GET /v2/cob 200",
        "GET /v2/loc/ID/qrcode 200",
        "GET /v2/pix 200",
        "GET /v2/pix/ID 200",
        "PUT /v2/pix/ID/devolucao/ID 201",
        "PUT /v2/pix/ID/devolucao/ID 400",
        "GET /v2/pix/ID/devolucao/ID 200",
        "PUT /v2/webhook/ID 201",
        "GET /v2/webhook/ID 200",
        "GET /v2/webhook/ID 404",
        "GET /v2/webhook 200",
        "DELETE /v2/webhook/ID 204",
    }
    assert unexcused(driven.exchanges, efis.request) == {}
    assert unexcused(driven.exchanges, efis.answer, differences.EFIS) == {}
