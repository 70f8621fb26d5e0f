"""Addresses: those of Efi's own SDK, and no value leads anywhere else."""

from __future__ import annotations

import pytest
from efipay import Constants  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from omniman_payment_core.errors import InvalidRequestError
from omniman_payment_efi import endpoints
from omniman_payment_efi.endpoints import Endpoint

TXID, E2EID = "7978c0c97ea847e78e8849634473c1f1", "E09089356202611231500API0a1b2c3d"


def test_the_hosts_are_the_sdks() -> None:
    assert endpoints.PRODUCTION == "https://pix.api.efipay.com.br"
    assert endpoints.SANDBOX == "https://pix-h.api.efipay.com.br"
    assert Constants.APIS["PIX"]["URL"] == {
        "production": endpoints.PRODUCTION,
        "sandbox": endpoints.SANDBOX,
    }


@pytest.mark.parametrize(
    ("endpoint", "name", "method", "route"),
    [
        (endpoints.AUTHORIZE, "authorize", "POST", "/oauth/token"),
        (endpoints.CREATE_CHARGE, "pix_create_charge", "PUT", "/v2/cob/:txid"),
        (endpoints.READ_CHARGE, "pix_detail_charge", "GET", "/v2/cob/:txid"),
        (endpoints.CHANGE_CHARGE, "pix_update_charge", "PATCH", "/v2/cob/:txid"),
        (endpoints.LIST_CHARGES, "pix_list_charges", "GET", "/v2/cob"),
        (endpoints.LIST_RECEIVED, "pix_list_received", "GET", "/v2/pix"),
        (endpoints.REFUND, "pix_devolution", "PUT", "/v2/pix/:e2eId/devolucao/:id"),
        (endpoints.READ_REFUND, "pix_detail_devolution", "GET", "/v2/pix/:e2eId/devolucao/:id"),
        (endpoints.SET_WEBHOOK, "pix_config_webhook", "PUT", "/v2/webhook/:chave"),
        (endpoints.READ_WEBHOOK, "pix_detail_webhook", "GET", "/v2/webhook/:chave"),
        (endpoints.DELETE_WEBHOOK, "pix_delete_webhook", "DELETE", "/v2/webhook/:chave"),
    ],
)
def test_the_routes_are_the_sdks_and_those_that_the_plugin_was_written_for(
    endpoint: Endpoint, name: str, method: str, route: str
) -> None:
    entry = Constants.APIS["PIX"]["ENDPOINTS"][name]
    assert (entry["method"].upper(), entry["route"]) == (endpoint.method, endpoint.route)
    assert (endpoint.method, endpoint.route) == (method, route)
    assert endpoint.changes == (method != "GET")


def test_places_are_filled() -> None:
    path = endpoints.REFUND.path({"e2eId": E2EID, "id": "r1"})
    assert path == f"/v2/pix/{E2EID}/devolucao/r1"


@pytest.mark.parametrize(
    ("key", "quoted"),
    [
        ("+5511999998888", "%2B5511999998888"),
        ("loja@exemplo.com.br", "loja%40exemplo.com.br"),
        ("7c084cd4-54af-4172-a516-a7d1a12b75cc", "7c084cd4-54af-4172-a516-a7d1a12b75cc"),
        ("çã%2F", "%C3%A7%C3%A3%252F"),
    ],
)
def test_a_key_is_quoted(key: str, quoted: str) -> None:
    assert endpoints.SET_WEBHOOK.path({"chave": key}) == f"/v2/webhook/{quoted}"


@pytest.mark.parametrize(
    ("endpoint", "given"),
    [
        *(
            (endpoints.READ_CHARGE, {"txid": value})
            for value in (
                "../../v2/gn/saldo",
                "..",
                "",
                TXID + "/pix",
                TXID + "\n",
                TXID + "?a=b",
                TXID[:25],
                TXID + "aaaa",
                "é" * 32,
                TXID[:-3] + "%2F",
            )
        ),
        (endpoints.REFUND, {"e2eId": "../x", "id": "r1"}),
        (endpoints.REFUND, {"e2eId": E2EID, "id": "../../../gn/saldo"}),
        (endpoints.REFUND, {"e2eId": E2EID, "id": ""}),
        *(
            (endpoints.SET_WEBHOOK, {"chave": value})
            for value in ("../gn", "a/b", "a?b", "a#b", "a b", "", "x" * 78, ".", "..")
        ),
    ],
)
def test_a_value_that_could_lead_elsewhere_is_refused_and_not_quoted(
    endpoint: Endpoint, given: dict[str, str]
) -> None:
    with pytest.raises(InvalidRequestError, match="has not the form") as caught:
        endpoint.path(given)
    assert all(len(value) < 3 or value not in str(caught.value) for value in given.values())


@given(st.text(max_size=80))
def test_whatever_the_value_the_path_stays_where_it_is(value: str) -> None:
    for endpoint, name in (
        (endpoints.READ_CHARGE, "txid"),
        (endpoints.SET_WEBHOOK, "chave"),
    ):
        try:
            path = endpoint.path({name: value})
        except (InvalidRequestError, UnicodeEncodeError):
            continue
        assert path.count("/") == endpoint.route.count("/")
        assert not set(path) & set("?# \r\n\\")
        assert path.rpartition("/")[2] not in ("", ".", "..")
