"""Payers: taken out of notifications before they are kept, whatever a gateway writes of them."""

from __future__ import annotations

import json
import time

import pytest

from omniman_payment_django.webhooks.persons import MASK, without_persons

PERSON = {
    "name": 'Maria "Mia" Canária',
    "billing_details": {"email": "maria@example.test", "phone": "+5511987654321", "name": "M C"},
    "pagador": {"cpf": "52998224725", "nome": "Maria Canária"},
    "address": {"line1": "Rua das Flores 1", "city": "Recife", "postal_code": "50000-000"},
    "infoPagador": "pedido da Maria Canária",
    "customer_email": "maria@example.test",
    "ip_address": "203.0.113.77",
    "note": "write to maria@example.test",
}
TOLD = (
    "Mia", "Canária", "Can\\u00e1ria", "maria@", "987654321", "52998224725", "Flores", "Recife",
    "50000", "203.0.113.77",
)  # fmt: skip
KEPT = {"id": "evt_1", "object": "event", "amount": 1000, "txid": "a" * 32, "status": "paid"}


@pytest.mark.parametrize(
    "written",
    [
        json.dumps({**KEPT, "data": [PERSON]}),
        json.dumps({**KEPT, "data": [PERSON]}, ensure_ascii=False, indent=2),
        json.dumps({**KEPT, "data": json.dumps(PERSON)}),
        json.dumps({**KEPT, "data": json.dumps({"inner": json.dumps(PERSON)})}),
        repr({**KEPT, "data": [PERSON]}),
        repr(json.dumps({**KEPT, "data": [PERSON]}).encode()),
        str([json.dumps({**KEPT, "data": [PERSON]}).encode()]),
    ],
)
def test_what_fields_say_of_people_is_not_kept(written: str) -> None:
    kept = without_persons(written)
    assert [told for told in TOLD if told in kept] == []
    assert MASK in kept
    assert [value for value in KEPT.values() if str(value) not in kept] == []


def test_what_is_masked_is_json_as_before() -> None:
    kept = json.loads(without_persons(json.dumps({**KEPT, "pix": [PERSON, {"cpf": 52998224725}]})))
    assert kept["pix"][0]["pagador"] == {"cpf": MASK, "nome": MASK}
    assert kept["pix"][1] == {"cpf": MASK}
    assert kept.items() >= KEPT.items()


@pytest.mark.parametrize("text", ['"name":"' * 8_000, '\\"name\\":\\"' * 6_000, "a" * 65_536 + "@"])
def test_a_notification_made_to_cost_time_costs_little(text: str) -> None:
    began = time.thread_time()
    without_persons(text)
    # Thousands of times more than it takes, and far less than without the bound.
    assert time.thread_time() - began < 20


def test_a_value_that_never_ends_is_masked_as_far_as_it_goes() -> None:
    assert "Maria" not in without_persons('{"name": "Maria')
