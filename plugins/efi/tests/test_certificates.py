"""The client certificate: read in every form, refused with a reason, and its key never shown."""

from __future__ import annotations

import base64
import os
import tempfile
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from efi_testing.account import PASSWORD
from efi_testing.certificates import DAY, Made, as_text, client, make_client, write
from efi_testing.scripted_server import ca_file
from omniman_payment_efi.certificates import (
    CertificateError,
    Identity,
    client_context,
    problem_with,
    read_identity,
)


def number_of(identity: Identity) -> int:
    return identity.certificate.serial_number


def refused(certificate: str, password: str | None = None) -> str:
    """Why a certificate is refused; that nothing of it is told, wherever one looks."""
    with pytest.raises(CertificateError) as caught:
        read_identity(certificate, password)
    error = caught.value
    told = "".join(traceback.format_exception(error)) + repr(error)
    for secret in (*client().secret_texts(), PASSWORD):
        assert secret not in told
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    return str(error)


@pytest.fixture
def made() -> Made:
    return client()


# -- forms ---------------------------------------------------------------------------------


def test_a_pem_by_its_path(made: Made, tmp_path: Path) -> None:
    identity = read_identity(write(tmp_path, "efi.pem", made.pem))
    assert number_of(identity) == made.certificate.serial_number


@pytest.mark.parametrize("order", ["key first", "certificate first", "with notes"])
def test_a_pem_in_any_order(made: Made, tmp_path: Path, order: str) -> None:
    content = {
        "key first": made.key_pem + made.chain_pem,
        "certificate first": made.chain_pem + made.key_pem,
        "with notes": b"Bag Attributes\n  friendlyName: efi\n" + made.chain_pem + made.key_pem,
    }[order]
    identity = read_identity(write(tmp_path, "efi.pem", content))
    assert number_of(identity) == made.certificate.serial_number


def test_the_content_of_a_pem(made: Made) -> None:
    identity = read_identity("\n  " + made.pem.decode())
    assert number_of(identity) == made.certificate.serial_number


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_base64_of_a_pem(made: Made, wrapped: bool) -> None:
    text = base64.encodebytes(made.pem).decode() if wrapped else as_text(made.pem)
    assert number_of(read_identity(text)) == made.certificate.serial_number


def test_the_base64_of_a_p12_without_a_password(made: Made) -> None:
    assert number_of(read_identity(as_text(made.p12()))) == made.certificate.serial_number


def test_the_base64_of_a_p12_with_its_password(made: Made) -> None:
    identity = read_identity(as_text(made.p12(PASSWORD)), PASSWORD)
    assert number_of(identity) == made.certificate.serial_number


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_p12_by_its_path(made: Made, tmp_path: Path, password: str | None) -> None:
    path = write(tmp_path, "efi.p12", made.p12(password))
    assert number_of(read_identity(path, password)) == made.certificate.serial_number


def test_a_pem_whose_key_has_a_password(made: Made, tmp_path: Path) -> None:
    path = write(tmp_path, "efi.pem", made.encrypted_key_pem(PASSWORD) + made.chain_pem)
    assert number_of(read_identity(path, PASSWORD)) == made.certificate.serial_number


def test_of_several_certificates_the_keys_own_is_ours(made: Made, tmp_path: Path) -> None:
    other = make_client("somebody-else")
    identity = read_identity(write(tmp_path, "a.pem", other.chain_pem + made.pem))
    assert number_of(identity) == made.certificate.serial_number
    assert [each.serial_number for each in identity.others] == [other.certificate.serial_number]


# -- what is refused -----------------------------------------------------------------------


def test_a_missing_file(tmp_path: Path) -> None:
    assert refused(str(tmp_path / "none.pem")) == "names a file that does not exist"


def test_a_folder(tmp_path: Path) -> None:
    assert refused(str(tmp_path)).startswith("names a file that cannot be read")


@pytest.mark.parametrize("content", [b"", b"x" * 300_000])
def test_a_file_that_is_empty_or_far_too_large(tmp_path: Path, content: bytes) -> None:
    assert "empty or far too large" in refused(write(tmp_path, "efi.pem", content))


@pytest.mark.parametrize(
    "text", ["not\0a path", "x" * 300, "!" * 5000, "é" * 400, "https://efi.test/efi.pem", "."]
)
def test_a_text_that_is_nothing(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize("content", [b"hello", b"\x30\x82\x01\x00" + b"\0" * 400, b"\xff" * 400])
def test_content_that_is_no_certificate(tmp_path: Path, content: bytes) -> None:
    assert "neither a PEM nor a .p12" in refused(write(tmp_path, "efi.p12", content))
    if len(content) > 200:
        assert "neither a PEM nor a .p12" in refused(as_text(content))


def test_a_pem_cut_short(made: Made, tmp_path: Path) -> None:
    assert refused(write(tmp_path, "efi.pem", made.pem[: len(made.key_pem) + 300]))
    assert refused(write(tmp_path, "efi.pem", made.chain_pem + made.key_pem[:-40]))


def test_no_key(made: Made, tmp_path: Path) -> None:
    assert refused(write(tmp_path, "efi.pem", made.chain_pem)).startswith("holds no private key")


def test_no_certificate(made: Made, tmp_path: Path) -> None:
    assert refused(write(tmp_path, "efi.pem", made.key_pem)).startswith("holds no certificate")


def test_the_key_of_another_certificate(made: Made, tmp_path: Path) -> None:
    path = write(tmp_path, "efi.pem", made.key_pem + make_client("other").chain_pem)
    assert "do not belong together" in refused(path)


@pytest.mark.parametrize("password", [None, "", "wrong-planted"])
def test_a_p12_with_a_wrong_or_missing_password(
    made: Made, tmp_path: Path, password: str | None
) -> None:
    path = write(tmp_path, "efi.p12", made.p12(PASSWORD))
    assert "certificate_password" in refused(path, password)


@pytest.mark.parametrize("password", [None, "", "wrong-planted"])
def test_a_pem_key_with_a_wrong_or_missing_password(
    made: Made, tmp_path: Path, password: str | None
) -> None:
    path = write(tmp_path, "efi.pem", made.encrypted_key_pem(PASSWORD) + made.chain_pem)
    assert "certificate_password" in refused(path, password)


def test_a_password_for_a_key_that_has_none_is_told(made: Made, tmp_path: Path) -> None:
    assert "the other way round" in refused(write(tmp_path, "efi.pem", made.pem), PASSWORD)


# -- time ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [
        (-DAY, DAY, None),
        (DAY, 2 * DAY, "is not valid before"),
        (-2 * DAY, -DAY, "expired on"),
    ],
)
def test_when_it_can_be_used(begins: timedelta, ends: timedelta, said: str | None) -> None:
    identity = read_identity(make_client(begins=begins, ends=ends).pem.decode())
    problem = problem_with(identity, datetime.now(UTC))
    assert problem is None if said is None else (problem or "").startswith(said)


def test_the_very_moment_it_ends_it_is_over(made: Made) -> None:
    identity = read_identity(made.pem.decode())
    assert problem_with(identity, identity.ends_at - timedelta(seconds=1)) is None
    assert problem_with(identity, identity.ends_at) is not None


# -- nothing shows -------------------------------------------------------------------------


def test_the_key_is_in_no_repr(made: Made) -> None:
    shown = repr(read_identity(made.pem.decode()))
    assert not any(secret in shown for secret in made.secret_texts())
    assert shown == "Identity()"


def test_no_key_lies_on_the_disk_in_the_clear_nor_afterwards_at_all(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    seen: list[tuple[str, int]] = []
    unlink = Path.unlink

    def look_and_unlink(self: Path, *args: Any, **how: Any) -> None:
        seen.append((self.read_text(), self.stat().st_mode & 0o777))
        unlink(self, *args, **how)

    monkeypatch.setattr(Path, "unlink", look_and_unlink)
    context = client_context(read_identity(made.pem.decode()), ca_file(tmp_path))
    assert context.check_hostname
    ((text, mode),) = seen
    assert "ENCRYPTED PRIVATE KEY" in text
    assert "BEGIN PRIVATE KEY" not in text
    assert "BEGIN EC PRIVATE KEY" not in text
    assert not any(secret in text for secret in made.secret_texts())
    assert mode == 0o600
    assert os.listdir(tmp_path / "tmp") == []


def test_the_file_goes_also_when_openssl_refuses_it(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    other = make_client("other")
    wrong = Identity(other.certificate, (), made.key)
    with pytest.raises(CertificateError, match="cannot be used for a TLS connection"):
        client_context(wrong, ca_file(tmp_path))
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_an_authority_that_cannot_be_read_is_named(
    made: Made, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CertificateError, match="names a file that cannot be read") as caught:
        client_context(read_identity(made.pem.decode()), str(path))
    assert caught.value.option == "ca_certificate"
