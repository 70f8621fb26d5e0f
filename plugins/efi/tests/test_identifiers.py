"""Names of charges and refunds: made from our keys alone, in the forms that API Pix takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from omniman_payment_efi import EfiBackend
from omniman_payment_efi.identifiers import REFUND_ID, TXID, refund_id_of, txid_of

keys = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300)


@given(keys)
def test_the_same_key_gives_the_same_names_of_the_right_form(key: str) -> None:
    txid, refund_id = txid_of(key), refund_id_of(key)
    assert (txid, refund_id) == (txid_of(key), refund_id_of(key))
    assert TXID.fullmatch(txid)
    assert REFUND_ID.fullmatch(refund_id)
    assert len(txid) == 32
    assert txid == txid.lower()


@given(keys)
def test_a_charge_and_a_refund_with_one_key_have_different_names(key: str) -> None:
    assert txid_of(key) != refund_id_of(key)


@given(keys, keys)
def test_different_keys_give_different_names(one: str, other: str) -> None:
    assert (one == other) == (txid_of(one) == txid_of(other))
    assert (one == other) == (refund_id_of(one) == refund_id_of(other))


def test_the_names_never_change_from_one_release_to_the_next() -> None:
    # A payment in flight while the shop upgrades is looked up by its name.
    assert txid_of("omp_pay-1_charge") == "7f48660636b79fc93fb9780790738bf1"
    assert refund_id_of("omp_pay-1_refund_1") == "72cd0bb619e77cb3664e6b8f734ad100"


def test_the_backend_chooses_these_names(backend: EfiBackend) -> None:
    assert backend.choose_transaction_id("k") == txid_of("k")
    assert backend.choose_refund_id("k") == refund_id_of("k")
