"""The calls of API Pix: from a checked request to the state, and back to what is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import segno

from . import asked, filters, shapes
from .errors import efi, location_not_found, problem, refund_not_found, webhook_not_found
from .notifying import Notifying
from .records import OPEN, REMOVED, Account, Charge, Payment, Webhook
from .state import State

Json = dict[str, Any]
Answer = tuple[int, Json | None]
Call = Callable[..., Any]


class Endpoints:
    """One method for each call; each gets the account that asks, the places of its route, the
    query, the body and the headers."""

    def __init__(self, state: State, notifying: Notifying) -> None:
        self._state = state
        self._notifying = notifying
        cob, pix, hook = r"/v2/cob", r"/v2/pix", r"/v2/webhook"
        self._routes: Sequence[tuple[str, re.Pattern[str], Call]] = [
            (method, re.compile(route), call)
            for method, route, call in (
                ("PUT", f"{cob}/([^/]+)", self.create_charge),
                ("POST", cob, self.create_named_charge),
                ("GET", f"{cob}/([^/]+)", self.read_charge),
                ("PATCH", f"{cob}/([^/]+)", self.change_charge),
                ("GET", cob, self.list_charges),
                ("GET", pix, self.list_received),
                ("GET", f"{pix}/([^/]+)", self.read_received),
                ("PUT", f"{pix}/([^/]+)/devolucao/([^/]+)", self.create_refund),
                ("GET", f"{pix}/([^/]+)/devolucao/([^/]+)", self.read_refund),
                ("GET", r"/v2/loc", self.list_locations),
                ("GET", r"/v2/loc/([0-9]+)", self.read_location),
                ("GET", r"/v2/loc/([0-9]+)/qrcode", self.read_qr_code),
                ("PUT", f"{hook}/([^/]+)", self.set_webhook),
                ("GET", f"{hook}/([^/]+)", self.read_webhook),
                ("DELETE", f"{hook}/([^/]+)", self.delete_webhook),
                ("GET", hook, self.list_webhooks),
                ("POST", r"/v2/gn/webhook/reenviar", self.resend),
            )
        ]

    def find(self, method: str, path: str) -> tuple[Call, tuple[str, ...]]:
        """The call of a request, and the places of its route."""
        allowed = False
        for verb, route, call in self._routes:
            match = route.fullmatch(path)
            if match and verb == method:
                return call, match.groups()
            allowed |= match is not None
        if allowed:
            raise efi(405, "metodo_nao_permitido", "Método não permitido para este recurso")
        raise problem(404, "NaoEncontrado", "Não encontrado", "O recurso solicitado não existe.")

    # Charges

    def create_charge(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str], name: str
    ) -> Answer:
        txid = asked.txid(name)
        wanted = asked.charge(body)
        if (account.cnpj, txid) in self._state.charges:
            raise efi(
                409,
                "txid_duplicado",
                "Campo txid informado já foi utilizado em outra cobrança",
            )
        return self._open(account, txid, body, wanted)

    def create_named_charge(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str]
    ) -> Answer:
        """The institution chooses the name: a second request is a second charge."""
        wanted = asked.charge(body)
        return self._open(account, f"{self._state.next_number():032x}", body, wanted)

    def read_charge(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str], name: str
    ) -> Answer:
        charge = self._state.charge(account.client_id, asked.txid(name))
        filters.revision(query, charge)
        return 200, self._shown(charge)

    def change_charge(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str], name: str
    ) -> Answer:
        charge = self._state.charge(account.client_id, asked.txid(name))
        wanted = asked.charge(body, changing=True)
        if charge.status != OPEN:
            raise efi(
                400, "status_cobranca_invalido", "A cobrança não está mais com o status ATIVA"
            )
        if "chave" in body:
            self._own(account, body["chave"])
            charge.key = body["chave"]
        if "status" in body:
            charge.status = REMOVED
        if "valor" in body:
            charge.amount_q = wanted.amount_q
        if "calendario" in body:
            charge.lives = wanted.lives
        charge.body = {**charge.body, **{k: v for k, v in body.items() if k != "status"}}
        charge.revision += 1
        return 200, self._shown(charge)

    def list_charges(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str]
    ) -> Answer:
        mine = self._state.charges_of(account.client_id)
        found = filters.charges(query, mine)
        return 200, self._listed("cobs", found, self._shown, query)

    # Payments

    def list_received(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str]
    ) -> Answer:
        found = filters.payments(query, self._state.payments(account.client_id))
        return 200, self._listed("pix", found, shapes.payment, query)

    def read_received(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str], name: str
    ) -> Answer:
        return 200, shapes.payment(self._state.payment(account.client_id, asked.e2eid(name)))

    def create_refund(
        self,
        account: Account,
        query: Json,
        body: Json,
        headers: Mapping[str, str],
        name: str,
        number: str,
    ) -> Answer:
        payment, number = self._returning(account, name, number)
        if any(refund.id == number for refund in payment.refunds):
            raise efi(
                409,
                "devolucao_id_duplicado",
                "O id informado já foi utilizado em outra devolução",
            )
        amount_q = asked.refund(body, payment.left_q)
        asked.refund_in_time(payment.at, self._state.now())
        refund = self._state.give_back(payment, number, amount_q, str(body.get("descricao") or ""))
        return 201, shapes.refund(refund)

    def read_refund(
        self,
        account: Account,
        query: Json,
        body: Json,
        headers: Mapping[str, str],
        name: str,
        number: str,
    ) -> Answer:
        payment, number = self._returning(account, name, number)
        for refund in payment.refunds:
            if refund.id == number:
                return 200, shapes.refund(refund)
        raise refund_not_found()

    # Locations

    def list_locations(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str]
    ) -> Answer:
        begin, end = filters.period(query)
        found = [
            charge
            for charge in self._state.charges_of(account.client_id)
            if begin <= charge.created_at <= end
        ]
        return 200, self._listed("loc", found, shapes.location, query)

    def read_location(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str], number: str
    ) -> Answer:
        return 200, shapes.location(self._at(account, number))

    def read_qr_code(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str], number: str
    ) -> Answer:
        code = shapes.br_code(self._at(account, number), account)
        return 200, {
            "qrcode": code,
            "imagemQrcode": segno.make_qr(code).png_data_uri(scale=4),
            "linkVisualizacao": f"https://{shapes.HOST}/cob/pagar/{number}",
        }

    # Registered addresses

    async def set_webhook(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str], key: str
    ) -> Answer:
        self._own(account, key)
        url = asked.webhook_url(body)
        skip = headers.get("x-skip-mtls-checking", "false").lower() == "true"
        await self._notifying.try_out(url, skip_mtls=skip)
        account.webhooks[key] = Webhook(url, self._state.now(), skip)
        return 201, {"webhookUrl": url}

    def read_webhook(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str], key: str
    ) -> Answer:
        self._own(account, key)
        if key not in account.webhooks:
            raise webhook_not_found()
        return 200, shapes.webhook(account.webhooks[key], key, account)

    def delete_webhook(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str], key: str
    ) -> Answer:
        self._own(account, key)
        if account.webhooks.pop(key, None) is None:
            raise webhook_not_found()
        return 204, None

    def list_webhooks(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str]
    ) -> Answer:
        begin, end = filters.period(query)
        found = [
            (key, hook) for key, hook in account.webhooks.items() if begin <= hook.created_at <= end
        ]
        return 200, self._listed(
            "webhooks", found, lambda pair: shapes.webhook(pair[1], pair[0], account), query
        )

    def resend(
        self, account: Account, query: Json, body: Json, headers: Mapping[str, str]
    ) -> Answer:
        """One notification for each key, about all of its payments that were named."""
        named = [
            self._state.payment(account.client_id, name)
            for name in dict.fromkeys(asked.resending(body))
        ]
        for key in account.keys:
            told = [shapes.payment(payment) for payment in named if payment.key == key]
            if told:
                self._notifying.tell(account, key, told)
        return 202, None

    # Inside

    def _open(self, account: Account, txid: str, body: Json, wanted: asked.Asked) -> Answer:
        if self._state.declines:
            raise asked.refused(self._state.declines.pop(0))
        self._own(account, body["chave"])
        charge = self._state.open(
            account.client_id, txid, dict(body), wanted.amount_q, wanted.lives
        )
        shown = self._shown(charge)
        if self._state.auto_pay and wanted.amount_q <= 1000:
            self._state.pay(charge)
        return 201, shown

    def _shown(self, charge: Charge) -> Json:
        return shapes.charge(charge, self._state.accounts[charge.owner])

    def _at(self, account: Account, number: str) -> Charge:
        for charge in self._state.charges.values():
            if charge.owner == account.client_id and charge.location == int(number):
                return charge
        raise location_not_found()

    def _returning(self, account: Account, name: str, number: str) -> tuple[Payment, str]:
        """Both names are looked at first: a payment without returns has none to compare with."""
        name, number = asked.e2eid(name), asked.refund_id(number)
        return self._state.payment(account.client_id, name), number

    def _own(self, account: Account, key: str) -> None:
        if key not in account.keys:
            raise asked.refused("chave_invalida")

    def _listed(
        self, name: str, found: Sequence[Any], show: Callable[[Any], Json], query: Json
    ) -> Json:
        page = filters.page(query)
        return {
            "parametros": {
                **filters.shown(query),
                "paginacao": {
                    "paginaAtual": page.number,
                    "itensPorPagina": page.size,
                    "quantidadeDePaginas": page.count(found),
                    "quantidadeTotalDeItens": len(found),
                },
            },
            name: [show(each) for each in page.of(found)],
        }
