"""Notifications: believed for where they come from, and of them only which charge to look at."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efi_testing.account import WEBHOOK_SECRET, options
from efi_testing.objects import E2EID, OTHER_KEY, SECOND_E2EID, TXID, devolucao, pix
from omniman_payment_core.errors import (
    WebhookError,
    WebhookPayloadError,
    WebhookVerificationError,
)
from omniman_payment_core.values import WebhookEvent
from omniman_payment_efi import EfiBackend
from omniman_payment_efi.config import EFI_ADDRESS, read_config
from omniman_payment_efi.webhooks import MAX_BODY, MAX_ENTRIES, address

OLD = "old_planted_webhook_secret_01234"
PROXY = "10.1.2.3"
BODY = json.dumps({"pix": [pix()]}).encode()


def hmac_account(**more: Any) -> EfiBackend:
    given = {"webhook_mode": "hmac", "webhook_secret": WEBHOOK_SECRET, **more}
    return EfiBackend(options(**given))


def mtls_account(**more: Any) -> EfiBackend:
    return EfiBackend(options(webhook_mode="mtls", webhook_proxies=["10.0.0.0/8"], **more))


def from_efi(**more: str) -> dict[str, str]:
    """As the Django host hands a request over."""
    return {
        "content-type": "application/json",
        ":query": f"hmac={WEBHOOK_SECRET}&ignorar=/pix",
        ":peer": EFI_ADDRESS,
        **{
            name.replace("_", ":", 1) if name.startswith("_") else name: v
            for name, v in more.items()
        },
    }


def behind(proxy: str, **more: str) -> dict[str, str]:
    return {":query": "", ":peer": proxy, "x-ssl-client-verify": "SUCCESS", **more}


def events(*entries: Any) -> list[WebhookEvent]:
    body = json.dumps({"pix": list(entries)}).encode()
    return list(hmac_account().parse_webhook(from_efi(), body))


# -- hmac ----------------------------------------------------------------------------------


def test_the_secret_from_efis_address_is_believed() -> None:
    (event,) = hmac_account().parse_webhook(from_efi(), BODY)
    assert event.transaction_id == TXID


@pytest.mark.parametrize(
    "query",
    [
        f"hmac={WEBHOOK_SECRET}",
        f"hmac={WEBHOOK_SECRET}/pix",
        f"hmac={WEBHOOK_SECRET}&ignorar=",
        f"ignorar=/pix&hmac={WEBHOOK_SECRET}",
        f"a=1&hmac={WEBHOOK_SECRET}%2Fpix",
    ],
)
def test_wherever_efi_appends_its_suffix_the_secret_is_found(query: str) -> None:
    assert hmac_account().parse_webhook(from_efi(_query=query), BODY)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "hmac=",
        "hmac=/pix",
        f"HMAC={WEBHOOK_SECRET}",
        f"hmac={WEBHOOK_SECRET[:-1]}",
        f"hmac={WEBHOOK_SECRET}x",
        f"hmac={WEBHOOK_SECRET}/pix/pix",
        f"hmac={WEBHOOK_SECRET.upper()}",
        f"hmac={WEBHOOK_SECRET}&hmac={WEBHOOK_SECRET}",
        f"hmac=wrong&hmac={WEBHOOK_SECRET}",
        f"hmac={WEBHOOK_SECRET}&hmac=wrong",
        "hmac=" + "\u00e9" * 40,
        "hmac=\ud800",
        "&".join(["hmac=x"] * 1000),
        "x" * 100_000,
        f"{'x=1&' * 2000}hmac={WEBHOOK_SECRET}",
    ],
)
def test_without_the_one_secret_nothing_is_believed_nor_told(query: str) -> None:
    with pytest.raises(WebhookVerificationError) as caught:
        hmac_account().parse_webhook(from_efi(_query=query), BODY)
    assert WEBHOOK_SECRET not in str(caught.value)
    assert "planted" not in repr(caught.value)


@pytest.mark.parametrize("secret", [OLD, WEBHOOK_SECRET])
def test_while_a_secret_is_replaced_both_are_believed(secret: str) -> None:
    account = hmac_account(webhook_secret=[WEBHOOK_SECRET, OLD])
    assert account.parse_webhook(from_efi(_query=f"hmac={secret}&ignorar=/pix"), BODY)


def test_a_secret_that_was_replaced_is_not_believed_any_more() -> None:
    with pytest.raises(WebhookVerificationError, match="does not fit"):
        hmac_account().parse_webhook(from_efi(_query=f"hmac={OLD}"), BODY)


@pytest.mark.parametrize(
    "peer",
    ["34.193.116.227", "127.0.0.1", "", "planted", "::ffff:34.193.116.227", "::1"],
)
def test_the_secret_from_elsewhere_is_not_believed(peer: str) -> None:
    with pytest.raises(WebhookVerificationError, match="webhook_sources"):
        hmac_account().parse_webhook(from_efi(_peer=peer), BODY)


def test_no_peer_at_all_is_not_believed() -> None:
    headers = from_efi()
    del headers[":peer"]
    with pytest.raises(WebhookVerificationError, match="webhook_sources"):
        hmac_account().parse_webhook(headers, BODY)


def test_an_ipv4_address_written_as_ipv6_is_the_same() -> None:
    assert hmac_account().parse_webhook(from_efi(_peer=f"::ffff:{EFI_ADDRESS}"), BODY)
    account = hmac_account(webhook_proxies=["10.0.0.0/8"])
    headers = from_efi(_peer=f"::ffff:{PROXY}", **{"x-forwarded-for": EFI_ADDRESS})
    assert account.parse_webhook(headers, BODY)


def test_with_no_sources_listed_the_secret_alone_counts() -> None:
    assert hmac_account(webhook_sources=[]).parse_webhook(from_efi(_peer="203.0.113.9"), BODY)


@pytest.mark.parametrize(
    ("peer", "forwarded", "believed"),
    [
        (PROXY, EFI_ADDRESS, True),
        (PROXY, f"203.0.113.9, {EFI_ADDRESS}", True),
        (PROXY, f"{EFI_ADDRESS}, 10.9.9.9", True),
        # Somebody writes Efi's address into the header; our proxy adds who it really was.
        (PROXY, f"{EFI_ADDRESS}, 203.0.113.9", False),
        (PROXY, f"{EFI_ADDRESS}, 203.0.113.9, 10.9.9.9", False),
        # Nobody between them and us: the header is their own.
        ("203.0.113.9", EFI_ADDRESS, False),
        ("203.0.113.9", f"{EFI_ADDRESS}, {PROXY}", False),
        (PROXY, "", False),
        (PROXY, "planted", False),
        (PROXY, f"{EFI_ADDRESS},", False),
        (PROXY, ", ".join([EFI_ADDRESS] * 5000), True),
    ],
)
def test_forwarded_addresses_are_believed_as_far_as_our_own_proxies_wrote_them(
    peer: str, forwarded: str, believed: bool
) -> None:
    account = hmac_account(webhook_proxies=["10.0.0.0/8"])
    headers = from_efi(_peer=peer, **{"x-forwarded-for": forwarded})
    if believed:
        assert account.parse_webhook(headers, BODY)
    else:
        with pytest.raises(WebhookVerificationError, match="webhook_sources"):
            account.parse_webhook(headers, BODY)


def test_the_address_to_register_carries_the_newest_secret_and_room_for_the_suffix() -> None:
    config = read_config(options(webhook_mode="hmac", webhook_secret=[WEBHOOK_SECRET, OLD]))
    registered = address("https://loja.test/efi/", config)
    assert registered == f"https://loja.test/efi/?hmac={WEBHOOK_SECRET}&ignorar="
    query = (registered + "/pix").partition("?")[2]
    assert hmac_account().parse_webhook(from_efi(_query=query), BODY)
    plain = read_config(options(webhook_mode="mtls", webhook_proxies=[PROXY]))
    assert address("https://loja.test/efi/", plain) == "https://loja.test/efi/"


# -- mtls ----------------------------------------------------------------------------------


def test_what_our_proxy_verified_is_believed() -> None:
    assert mtls_account().parse_webhook(behind(PROXY), BODY)
    assert mtls_account().parse_webhook(behind(f"::ffff:{PROXY}"), BODY)


@pytest.mark.parametrize("peer", ["203.0.113.9", "", "planted", EFI_ADDRESS, "::1"])
def test_the_header_is_believed_from_nobody_else(peer: str) -> None:
    with pytest.raises(WebhookVerificationError, match="webhook_proxies"):
        mtls_account().parse_webhook(behind(peer), BODY)


def test_a_forwarded_address_makes_nobody_a_proxy() -> None:
    headers = behind("203.0.113.9", **{"x-forwarded-for": PROXY})
    with pytest.raises(WebhookVerificationError, match="webhook_proxies"):
        mtls_account().parse_webhook(headers, BODY)


@pytest.mark.parametrize(
    "value",
    ["NONE", "FAILED:unable to verify", "", "success", "SUCCESS,SUCCESS", "SUCCESS ", "x" * 9999],
)
def test_a_certificate_that_was_not_verified_is_not_believed(value: str) -> None:
    headers = behind(PROXY, **{"x-ssl-client-verify": value})
    with pytest.raises(WebhookVerificationError, match="does not tell of a verified"):
        mtls_account().parse_webhook(headers, BODY)


def test_every_header_that_is_asked_for_has_to_fit() -> None:
    account = mtls_account(webhook_mtls_headers={"X-Verified": "yes", "X-Client-Subject": "CN=efi"})
    fits = {":peer": PROXY, "X-VERIFIED": "yes", "x-client-subject": "CN=efi"}
    assert account.parse_webhook(fits, BODY)
    for name in ("X-VERIFIED", "x-client-subject"):
        with pytest.raises(WebhookVerificationError):
            account.parse_webhook({**fits, name: "no"}, BODY)


def test_the_secret_of_the_other_mode_counts_for_nothing() -> None:
    account = mtls_account(webhook_secret=[WEBHOOK_SECRET])
    with pytest.raises(WebhookVerificationError):
        account.parse_webhook(from_efi(), BODY)


def test_without_a_mode_nothing_is_believed() -> None:
    account = EfiBackend(options(webhook_secret=[WEBHOOK_SECRET], webhook_proxies=[PROXY]))
    for headers in (from_efi(), behind(PROXY)):
        with pytest.raises(WebhookVerificationError, match='no option "webhook_mode"'):
            account.parse_webhook(headers, BODY)


# -- what is read --------------------------------------------------------------------------


def test_a_payment_is_one_event() -> None:
    (event,) = events(pix())
    assert (event.event_id, event.kind) == (f"pix:{E2EID}", "pix.received")
    assert event.transaction_id == TXID
    assert event.occurred_at is not None
    assert event.occurred_at.isoformat() == "2026-11-23T12:05:00+00:00"


def test_several_payments_are_several_events_and_a_repeated_one_is_one() -> None:
    found = events(pix(), pix(endToEndId=SECOND_E2EID), pix())
    assert [event.event_id for event in found] == [f"pix:{E2EID}", f"pix:{SECOND_E2EID}"]


def test_every_state_of_a_refund_is_an_event_of_its_own() -> None:
    numbers = set()
    for word in ("EM_PROCESSAMENTO", "DEVOLVIDO", "NAO_REALIZADO"):
        payment, refund = events(pix(devolucoes=[devolucao(status=word)]))
        assert payment.event_id == f"pix:{E2EID}"
        assert (refund.kind, refund.transaction_id) == (f"pix.refund.{word.lower()}", TXID)
        numbers.add(refund.event_id)
    assert len(numbers) == 3
    twice = events(pix(devolucoes=[devolucao(), devolucao(id="r2")]))
    assert len({event.event_id for event in twice}) == 3


@pytest.mark.parametrize(
    "entry",
    [
        pix(txid=None),
        pix(txid="static1"),
        pix(txid="x" * 36),
        pix(txid="../../v2/gn/saldo" + "a" * 12),
        pix(txid=7),
        pix(txid=[TXID]),
        pix(chave=OTHER_KEY),
        pix(chave=None),
        pix(chave=["x"]),
    ],
)
def test_a_payment_that_is_not_of_a_charge_of_ours_points_at_none(entry: dict[str, Any]) -> None:
    (event,) = events(entry)
    assert (event.kind, event.transaction_id) == ("pix.received", None)


def test_a_payment_to_a_former_key_is_ours() -> None:
    account = hmac_account(former_pix_keys=[OTHER_KEY])
    body = json.dumps({"pix": [pix(chave=OTHER_KEY)]}).encode()
    (event,) = account.parse_webhook(from_efi(), body)
    assert event.transaction_id == TXID


def test_a_payment_that_we_sent_ourselves_points_at_no_charge() -> None:
    # As Efi documents it: with an id of 26 characters, and without a moment when it was refused.
    for status, horario in (("REALIZADO", "2021-03-04T20:39:47.000Z"), ("NAO_REALIZADO", None)):
        (event,) = events(
            {
                "endToEndId": "E090893562021030PIf25a7868",
                "chave": pix()["chave"],
                "tipo": "SOLICITACAO",
                "status": status,
                "valor": "0.01",
                "horario": horario,
                "gnExtras": {"idEnvio": "123ABC"},
            }
        )
        assert (event.kind, event.transaction_id) == ("pix.sent", None)


def test_an_entry_of_odd_length_does_not_hide_the_others() -> None:
    found = events(
        pix(endToEndId="E1803615022211340s08793XPJ", txid="fc9a43k6ff384ryP5f41719"), pix()
    )
    assert [event.transaction_id for event in found] == [None, TXID]


@pytest.mark.parametrize(
    "body", [b"", b" \n", b"{}", b'{"pix": []}', b'{"evento": "teste_webhook"}']
)
def test_the_test_of_a_new_address_is_no_event(body: bytes) -> None:
    assert list(hmac_account().parse_webhook(from_efi(), body)) == []


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[1]",
        b'"x"',
        b"{",
        b"\xff\xfe\xfd",
        b"[" * 100_000,
        b"9" * 5000,
        b'{"pix": {}}',
        b'{"pix": null}',
        b'{"pix": [1]}',
        b'{"pix": [{}]}',
        b'{"pix": [{"endToEndId": 7}]}',
        b'{"pix": [{"endToEndId": "../x"}]}',
        b'{"pix": [{"endToEndId": ""}]}',
        json.dumps({"pix": [pix(devolucoes={})]}).encode()[:-3] + b"x",
        json.dumps({"pix": [pix(devolucoes="x")]}).encode(),
        json.dumps({"pix": [pix(devolucoes=[None])]}).encode(),
        json.dumps({"pix": [pix(devolucoes=[{"id": "a b"}])]}).encode(),
        json.dumps({"pix": [pix()] * (MAX_ENTRIES + 1)}).encode(),
        b" " * (MAX_BODY + 1),
        "text",
        None,
    ],
)
def test_what_is_no_notification_says_so_and_quotes_nothing(body: Any) -> None:
    with pytest.raises(WebhookPayloadError) as caught:
        hmac_account().parse_webhook(from_efi(), body)
    assert len(str(caught.value)) < 200
    assert E2EID not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_before_the_origin_is_certain_nothing_is_read() -> None:
    with pytest.raises(WebhookVerificationError):
        hmac_account().parse_webhook({}, b"not json")


names = st.sampled_from(
    ["pix", "endToEndId", "txid", "chave", "valor", "horario", "devolucoes", "id", "status", "tipo"]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from([E2EID, TXID, "0001-01-01T00:00:00+14:00", "DEVOLVIDO", "r1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
    max_leaves=10,
)


@given(st.dictionaries(names, values, max_size=8), values)
def test_hostile_json_raises_only_the_two_errors_of_webhooks(
    changes: dict[str, Any], anything: Any
) -> None:
    account = hmac_account()
    for content in (
        {"pix": [{**pix(), **changes}]},
        {"pix": [changes]},
        {"pix": anything},
        anything,
    ):
        try:
            found = account.parse_webhook(from_efi(), json.dumps(content).encode())
        except WebhookError:
            continue
        assert all(event.transaction_id in (TXID, None) or event.transaction_id for event in found)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=200) | st.integers()), st.binary())
def test_nothing_that_a_stranger_sends_is_believed_or_crashes(headers: Any, body: bytes) -> None:
    for account in (hmac_account(), mtls_account()):
        with pytest.raises(WebhookVerificationError):
            account.parse_webhook(headers, body)


@given(st.text(max_size=120), st.text(max_size=60), st.text(max_size=120))
def test_whatever_query_peer_and_path_say_only_verification_fails(
    query: str, peer: str, forwarded: str
) -> None:
    headers = {":query": query, ":peer": peer, "x-forwarded-for": forwarded}
    for account in (hmac_account(webhook_proxies=["10.0.0.0/8"]), mtls_account()):
        with pytest.raises(WebhookVerificationError):
            account.parse_webhook(headers, BODY)
