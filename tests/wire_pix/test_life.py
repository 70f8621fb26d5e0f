"""Whatever the plugin sends and the simulator answers is as API Pix and Efi document it."""

from __future__ import annotations

from collections import Counter

from .judge import Exchange, Judge

UNDOCUMENTED = {405, 429}
"""Statuses of Efi's own making that the document has for no call."""
EFIS_WORDS = {"webhook_invalido", "webhook_nao_encontrado"}
"""Said by Efi of registered addresses, where the document only has Banco Central's shape."""

REGISTERED = ("PUT", 201, "/v2/webhook")
"""Efi creates what Banco Central's document only changes (200)."""


def judged(the_judge: Judge, exchanges: list[Exchange]) -> dict[str, list[str]]:
    """What is wrong with the answers, by what was asked."""
    found = {
        f"{e['method']} {e['path']} {e['status']}": the_judge.answer(e)
        for e in exchanges
        if e["status"] not in UNDOCUMENTED
        and (e["method"], e["status"], e["path"][:11]) != REGISTERED
        and e["response"] is not None
        and e["response"].get("nome") not in EFIS_WORDS
    }
    return {call: faults for call, faults in found.items() if faults}


def test_every_request_of_the_plugin_is_as_documented(
    the_judge: Judge, by_plugin: list[Exchange]
) -> None:
    assert len(by_plugin) > 60
    found = {f"{e['method']} {e['path']}": the_judge.request(e) for e in by_plugin}
    assert {call: faults for call, faults in found.items() if faults} == {}


def test_every_answer_to_the_plugin_is_as_documented(
    the_judge: Judge, by_plugin: list[Exchange]
) -> None:
    assert judged(the_judge, by_plugin) == {}


def test_every_answer_to_anybody_is_as_documented(
    the_judge: Judge, by_hand: list[Exchange]
) -> None:
    assert judged(the_judge, by_hand) == {}


def test_the_life_is_whole(by_plugin: list[Exchange], by_hand: list[Exchange]) -> None:
    """A life in which nothing happens would prove nothing."""
    routes: Counter[tuple[str, str, int]] = Counter()
    for exchange in [*by_plugin, *by_hand]:
        places = exchange["path"].split("/")
        route = "/".join(p if len(p) < 10 and not p.isdigit() else "*" for p in places)
        routes[exchange["method"], route, exchange["status"]] += 1
    for wanted in (
        ("POST", "/oauth/token", 200),
        ("PUT", "/v2/cob/*", 201),
        ("PUT", "/v2/cob/*", 409),
        ("PUT", "/v2/cob/*", 400),
        ("GET", "/v2/cob/*", 200),
        ("GET", "/v2/cob/*", 400),
        ("GET", "/v2/cob/*", 429),
        ("GET", "/v2/cob/*", 500),
        ("PATCH", "/v2/cob/*", 200),
        ("PATCH", "/v2/cob/*", 400),
        ("GET", "/v2/cob", 200),
        ("GET", "/v2/pix", 200),
        ("GET", "/v2/pix/*", 200),
        ("PUT", "/v2/webhook/*", 201),
        ("GET", "/v2/webhook/*", 200),
        ("GET", "/v2/webhook/*", 404),
        ("DELETE", "/v2/webhook/*", 204),
        ("GET", "/v2/webhook", 200),
        ("POST", "/v2/cob", 201),
        ("GET", "/v2/loc/*/qrcode", 200),
    ):
        assert routes[wanted], wanted
    refunds = [
        e["status"]
        for e in [*by_plugin, *by_hand]
        if e["method"] == "PUT" and "/devolucao/" in e["path"]
    ]
    assert {201, 400, 409} == set(refunds)
