"""What a bare client lives through at the simulator: every call, and every way to be told no."""

from __future__ import annotations

from typing import Any

from omniman_payment_simulators.pix import PixSimulator

from .client import Client

SPAN = {"inicio": "2026-01-01T00:00:00Z", "fim": "2099-01-01T00:00:00Z"}
NOBODY = "E" * 32
UNKNOWN = "u" * 32

Json = dict[str, Any]


def live(simulator: PixSimulator, client: Client, listening: str) -> None:
    """The whole story; ``client`` keeps what went over the wire."""
    _charges(simulator, client)
    _lists(simulator, client)
    _payments(simulator, client)
    _webhooks(simulator, client, listening)
    _told_no(simulator, client)
    _other_tenant(simulator, client)
    _tokens(simulator, client)


def charge(simulator: PixSimulator, **changed: Any) -> Json:
    """The body of a charge."""
    return {
        "calendario": {"expiracao": 60},
        "valor": {"original": "1.00"},
        "chave": simulator.pix_key,
        **changed,
    }


def _charges(simulator: PixSimulator, client: Client) -> None:
    """With everything that may be said of one; changed, looked at, withdrawn, expired."""
    whole = charge(
        simulator,
        valor={"original": "37.00", "modalidadeAlteracao": 1},
        devedor={"cnpj": "12345678000195", "nome": "Empresa de Serviços SA"},
        solicitacaoPagador="Serviço realizado.",
        infoAdicionais=[{"nome": "Campo 1", "valor": "Informação"}],
    )
    path = f"/v2/cob/{'whole' * 6}"
    client.call("PUT", path, whole)
    client.call("PUT", path, whole)
    client.call("PATCH", path, {"valor": {"original": "12.34"}, "calendario": {"expiracao": 90}})
    client.call("GET", path, query={"revisao": "1"})
    simulator.control.advance(100)
    client.call("GET", path)
    client.call("PATCH", path, {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"})
    client.call("PATCH", path, {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"})
    client.call("GET", path)
    made = client.call("POST", "/v2/cob", charge(simulator))["response"]
    simulator.control.remove(made["txid"])
    client.call("GET", f"/v2/cob/{made['txid']}")
    client.call("GET", f"/v2/loc/{made['loc']['id']}")
    client.call("GET", f"/v2/loc/{made['loc']['id']}/qrcode")


def _lists(simulator: PixSimulator, client: Client) -> None:
    """In pages, down to the one after the last, and by every filter."""
    for _ in range(2):
        client.call("POST", "/v2/cob", charge(simulator))
    for number in range(5):
        page = {"paginacao.paginaAtual": str(number), "paginacao.itensPorPagina": "1"}
        client.call("GET", "/v2/cob", query={**SPAN, **page})
    for filters in (
        {"status": "ATIVA"},
        {"status": "REMOVIDA_PELO_USUARIO_RECEBEDOR"},
        {"cpf": "12345678909"},
        {"cnpj": "12345678000195"},
    ):
        client.call("GET", "/v2/cob", query={**SPAN, **filters})
    client.call("GET", "/v2/loc", query=SPAN)


def _payments(simulator: PixSimulator, client: Client) -> None:
    """Returned in parts: at once, waiting and settled, failing; and found again."""
    control = simulator.control
    txid = client.call("POST", "/v2/cob", charge(simulator))["response"]["txid"]
    e2eid = control.pay(txid, payer_info="Obrigado")["endToEndId"]
    client.call("GET", f"/v2/cob/{txid}")
    returns = f"/v2/pix/{e2eid}/devolucao"
    client.call("PUT", f"{returns}/more", {"valor": "2.00"})
    client.call("PUT", f"{returns}/part", {"valor": "0.40", "descricao": "Metade, mais ou menos"})
    client.call("PUT", f"{returns}/part", {"valor": "0.40"})
    control.returns("wait")
    for number, end in (("waits", "DEVOLVIDO"), ("fails", "NAO_REALIZADO")):
        client.call("PUT", f"{returns}/{number}", {"valor": "0.10", "natureza": "ORIGINAL"})
        client.call("GET", f"{returns}/{number}")
        control.settle_return(e2eid, number, end)
        client.call("GET", f"{returns}/{number}")
    control.returns("refuse")
    client.call("PUT", f"{returns}/refused", {"valor": "0.10"})
    control.returns("at_once")
    client.call("GET", f"/v2/pix/{e2eid}")
    for filters in ({}, {"txid": txid}, {"devolucaoPresente": "true"}):
        client.call("GET", "/v2/pix", query={**SPAN, **filters})
    control.advance(91 * 86_400)
    client.log_in(simulator.client_id, simulator.client_secret)
    client.call("PUT", f"{returns}/late", {"valor": "0.10"})


def _webhooks(simulator: PixSimulator, client: Client, listening: str) -> None:
    path = f"/v2/webhook/{simulator.pix_key}"
    client.call("GET", path)
    client.call("PUT", path, {"webhookUrl": "http://shop.example/hook"})
    # Whoever lets everybody in is no place for notifications that prove nothing else.
    client.call("PUT", path, {"webhookUrl": listening})
    client.call("PUT", path, {"webhookUrl": listening}, headers={"x-skip-mtls-checking": "true"})
    client.call("GET", path)
    client.call("GET", "/v2/webhook", query=SPAN)
    paid = client.call("GET", "/v2/pix", query=SPAN)["response"]["pix"][0]
    again = {"tipo": "PIX_RECEBIDO", "e2eids": [paid["endToEndId"]]}
    client.call("POST", "/v2/gn/webhook/reenviar", again)
    simulator.control.flush()
    client.call("DELETE", path)
    client.call("DELETE", path)


def _told_no(simulator: PixSimulator, client: Client) -> None:
    """What is not there, what cannot be, and what makes no sense."""
    client.call("GET", f"/v2/cob/{UNKNOWN}")
    client.call("PATCH", f"/v2/cob/{UNKNOWN}", {"valor": {"original": "1.00"}})
    client.call("GET", "/v2/loc/999999")
    client.call("GET", "/v2/loc/999999/qrcode")
    client.call("GET", f"/v2/pix/{NOBODY}")
    client.call("GET", f"/v2/pix/{NOBODY}/devolucao/1")
    client.call("PUT", f"/v2/pix/{NOBODY}/devolucao/1", {"valor": "1.00"})
    client.call("PUT", "/v2/cob/short", charge(simulator))
    client.call("PUT", f"/v2/cob/{'a' * 40}", charge(simulator))
    for wrong in (
        {"valor": {"original": "10"}},
        {"valor": {"original": 10}},
        {"valor": {"original": "0.00"}},
        {"chave": "not-ours@shop.example"},
        {"calendario": {"expiracao": "soon"}},
        {"devedor": {"cpf": "1", "nome": "Ana"}},
    ):
        client.call("PUT", f"/v2/cob/{UNKNOWN}", charge(simulator, **wrong))
    client.call("PUT", f"/v2/cob/{UNKNOWN}", ["a", "list"])
    client.call("GET", "/v2/cob")
    client.call("GET", "/v2/cob", query={**SPAN, "status": "PAGA"})
    client.call("GET", "/v2/cob", query={"inicio": SPAN["fim"], "fim": SPAN["inicio"]})
    client.call("DELETE", f"/v2/cob/{UNKNOWN}")
    client.call("GET", "/v2/nowhere")


def _other_tenant(simulator: PixSimulator, client: Client) -> None:
    """Whoever else is there sees nothing of ours, and cannot use our key."""
    txid = client.call("POST", "/v2/cob", charge(simulator))["response"]["txid"]
    e2eid = simulator.control.pay(txid)["endToEndId"]
    simulator.control.add_account("other", "their-secret", "other@shop.example")
    client.log_in("other", "their-secret")
    client.call("GET", f"/v2/cob/{txid}")
    client.call("GET", f"/v2/pix/{e2eid}")
    client.call("PUT", f"/v2/pix/{e2eid}/devolucao/theirs", {"valor": "1.00"})
    client.call("POST", "/v2/cob", charge(simulator))
    client.call("GET", f"/v2/webhook/{simulator.pix_key}")
    client.call("GET", "/v2/cob", query=SPAN)
    client.log_in(simulator.client_id, simulator.client_secret)


def _tokens(simulator: PixSimulator, client: Client) -> None:
    """Wrong, missing its kind, over; and credentials that nobody has."""
    client.token(simulator.client_id, "wrong")
    client.token(simulator.client_id, simulator.client_secret, grant="password")
    path = f"/v2/cob/{UNKNOWN}"
    client.call("GET", path, authorization="Bearer nonsense")
    client.call("GET", path, authorization="nonsense")
    simulator.control.expire_tokens()
    client.call("GET", path)
    client.log_in(simulator.client_id, simulator.client_secret)
    simulator.control.fault(kind="rate_limit", path="/v2/cob/*")
    client.call("GET", path)
    for status in (500, 503):
        simulator.control.fault(kind="error", status=status, path="/v2/cob/*")
        client.call("GET", path)
