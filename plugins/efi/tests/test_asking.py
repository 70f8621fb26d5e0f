"""The bodies of our requests: exactly the documented fields, and no mistake goes to the gateway."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efi_testing.account import options
from efi_testing.objects import PIX_KEY
from omniman_payment_core.errors import InvalidRequestError
from omniman_payment_efi import asking
from omniman_payment_efi.amounts import AmountError
from omniman_payment_efi.config import read_config


def charge(amount_q: int = 1990, order_ref: str = "O1", /, **method: Any) -> dict[str, Any]:
    shown = method.pop("option", None)
    config = read_config(options(**({} if shown is None else {"shown_to_payer": shown})))
    return asking.charge(config, amount_q, order_ref, method)


def test_a_charge_asks_for_what_is_documented_and_nothing_else() -> None:
    assert charge() == {
        "calendario": {"expiracao": 3600},
        "valor": {"original": "19.90"},
        "chave": PIX_KEY,
        "solicitacaoPagador": "Pedido O1",
        "infoAdicionais": [{"nome": "order_ref", "valor": "O1"}],
    }


def test_everything_that_can_be_said_of_a_payment_method_is_carried() -> None:
    body = charge(
        1,
        "O2",
        type="pix",
        debtor={"cpf": "123.456.789-09", "name": "Fulano de Tal"},
        expires_in_seconds=900,
        extra_info={"Mesa": "7"},
        shown_to_payer="Bom apetite",
    )
    assert body == {
        "calendario": {"expiracao": 900},
        "valor": {"original": "0.01"},
        "chave": PIX_KEY,
        "solicitacaoPagador": "Bom apetite",
        "infoAdicionais": [
            {"nome": "order_ref", "valor": "O2"},
            {"nome": "Mesa", "valor": "7"},
        ],
        "devedor": {"cpf": "12345678909", "nome": "Fulano de Tal"},
    }


@pytest.mark.parametrize(
    ("debtor", "sent"),
    [
        (
            {"cnpj": "12.345.678/0001-95", "name": "Loja"},
            {"cnpj": "12345678000195", "nome": "Loja"},
        ),
        (
            {"cnpj": "12.abc.345/01de-35", "name": "Loja"},
            {"cnpj": "12ABC34501DE35", "nome": "Loja"},
        ),
        ({"cpf": "12345678909", "cnpj": "", "name": "F"}, {"cpf": "12345678909", "nome": "F"}),
    ],
)
def test_a_debtor_is_named_by_either_number(debtor: dict[str, str], sent: dict[str, str]) -> None:
    assert charge(debtor=debtor)["devedor"] == sent


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ({"card": "4242"}, "does not know: card"),
        ({"type": "card"}, '"type"] has to be "pix"'),
        *(
            ({"expires_in_seconds": n}, '"expires_in_seconds"] is not a whole number from 60')
            for n in (59, 0, 2_592_001, "3600", 3600.0, True)
        ),
        *(
            ({"debtor": d}, 'payment_method["debtor"]')
            for d in (
                "planted",
                {},
                {"cpf": "12345678909"},
                {"name": "planted"},
                {"name": "", "cpf": "12345678909"},
                {"name": "x" * 201, "cpf": "12345678909"},
                {"name": "F", "cpf": "planted"},
                {"name": "F", "cpf": "1234567890"},
                {"name": "F", "cnpj": "12345678909"},
                {"name": "F", "cpf": "12345678909", "cnpj": "12345678000195"},
                {"name": "F", "cpf": "12345678909", "email": "planted"},
            )
        ),
        *(
            ({"extra_info": e}, 'payment_method["extra_info"]')
            for e in (
                ["planted"],
                {"": "x"},
                {"x": ""},
                {"x" * 51: "y"},
                {"x": "y" * 201},
                {"order_ref": "planted"},
                {"x": 7},
                {7: "x"},
                {str(n): "x" for n in range(50)},
            )
        ),
        *(({"shown_to_payer": s}, '"shown_to_payer"] is not a text') for s in ("x" * 141, 7)),
    ],
)
def test_a_mistake_is_named_and_nothing_quoted(method: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        charge(**method)
    assert said in str(caught.value)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("order_ref", ["", "x" * 201])
def test_an_order_that_does_not_fit_is_refused(order_ref: str) -> None:
    with pytest.raises(InvalidRequestError, match="order_ref"):
        charge(1990, order_ref)


@pytest.mark.parametrize("amount_q", [0, -1, 10**12])
def test_an_amount_that_pix_cannot_write_is_refused(amount_q: int) -> None:
    with pytest.raises(AmountError):
        charge(amount_q)


def test_nothing_need_be_shown_to_the_payer() -> None:
    assert "solicitacaoPagador" not in charge(option="")
    assert "solicitacaoPagador" not in charge(shown_to_payer="")


@given(st.text(min_size=1, max_size=200))
def test_whatever_the_order_is_called_the_text_for_the_payer_fits(order_ref: str) -> None:
    body = charge(1990, order_ref)
    assert len(body["solicitacaoPagador"]) <= 140
    assert body["infoAdicionais"] == [{"nome": "order_ref", "valor": order_ref}]


def test_a_refund_says_how_much_and_why() -> None:
    assert asking.refund(300, None) == {"valor": "3.00"}
    assert asking.refund(300, "") == {"valor": "3.00"}
    assert asking.refund(300, "Faltou um item") == {"valor": "3.00", "descricao": "Faltou um item"}
    assert len(asking.refund(300, "x" * 500)["descricao"]) == 140
