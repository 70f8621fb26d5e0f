"""What clients may send, checked against the interface: every rule that is broken is named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .errors import ApiError, efi, malformed, not_simulated, problem
from .records import REMOVED
from .shapes import read_amount

TXID = re.compile(r"[a-zA-Z0-9]{26,35}")
E2EID = re.compile(r"[a-zA-Z0-9]{32}")
REFUND_ID = re.compile(r"[a-zA-Z0-9]{1,35}")
_FORMS = {"cpf": re.compile(r"[0-9]{11}"), "cnpj": re.compile(r"[0-9A-Z]{14}")}

DEFAULT_LIFE = 86_400
_CHARGE_FIELDS = frozenset(
    {"calendario", "devedor", "valor", "chave", "solicitacaoPagador", "infoAdicionais"}
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

Json = Mapping[str, Any]
Broken = list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A charge that may be made."""

    amount_q: int
    lives: int


def txid(text: str) -> str:
    """A name that the interface allows."""
    if not TXID.fullmatch(text):
        raise malformed(("pattern", ".params.txid", "deve ter de 26 a 35 letras e algarismos"))
    return text


def e2eid(text: str) -> str:
    if not E2EID.fullmatch(text):
        raise malformed(("pattern", ".params.e2eId", "deve ter 32 letras e algarismos"))
    return text


def refund_id(text: str) -> str:
    if not REFUND_ID.fullmatch(text):
        raise malformed(("pattern", ".params.id", "deve ter de 1 a 35 letras e algarismos"))
    return text


def charge(body: Json, *, changing: bool = False) -> Asked:
    """Check the body of a charge; raises with everything that is wrong at once."""
    if "loc" in body:
        raise not_simulated("loc")
    broken: Broken = []
    _only(body, _CHARGE_FIELDS | ({"status"} if changing else set()), ".body", broken)
    if changing and body.get("status", REMOVED) != REMOVED:
        broken.append(("enum", ".body.status", f"só pode ser {REMOVED}"))
    amount_q = _amount(body, broken, needed=not changing)
    lives = _life(body, broken, needed=not changing)
    _key(body, broken, needed=not changing)
    if "devedor" in body:
        _debtor(body["devedor"], broken)
    _texts(body, broken)
    if broken:
        raise malformed(*broken)
    # What has the right form and makes no sense is refused in other words than what has not.
    if amount_q == 0 and "valor" in body:
        raise efi(400, "valor_invalido", "Campo valor.original deve ser maior que zero")
    if lives < 1:
        raise efi(400, "valor_invalido", "Campo calendario.expiracao deve ser maior que zero")
    return Asked(amount_q, lives)


def refund(body: Json, left_q: int) -> int:
    """Check the body of a return; how much is asked for."""
    if "natureza" in body and body["natureza"] != "ORIGINAL":
        raise not_simulated("natureza")
    broken: Broken = []
    _only(body, {"valor", "natureza", "descricao"}, ".body", broken)
    amount_q = read_amount(body.get("valor"))
    if amount_q is None:
        broken.append(("pattern", ".body.valor", "deve estar no formato 0.00"))
    if "descricao" in body and not _is_text(body["descricao"], 140):
        broken.append(("maxLength", ".body.descricao", "deve ter até 140 caracteres"))
    if broken:
        raise malformed(*broken)
    if not amount_q:
        raise efi(400, "valor_invalido", "Campo valor deve ser maior que zero")
    if amount_q > left_q:
        raise _refund_refused(
            "devolucao.valor", "O valor da devolução ultrapassa o valor restante do Pix"
        )
    return amount_q


def refund_in_time(paid_at: float, now: float) -> None:
    """Pix takes nothing back after ninety days."""
    if now - paid_at > 90 * 86_400:
        raise _refund_refused("devolucao", "O prazo de 90 dias para a devolução do Pix terminou")


def webhook_url(body: Json) -> str:
    """An address of https; plain http on this machine only, which the real one would refuse."""
    broken: Broken = []
    _only(body, {"webhookUrl"}, ".body", broken)
    url = body.get("webhookUrl")
    if not _is_text(url, 2048):
        broken.append(("type", ".body.webhookUrl", "deve ser um texto"))
    if broken:
        raise malformed(*broken)
    try:
        parts = urlsplit(str(url))
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise efi(400, "valor_invalido", "URL inválida")
    if parts.scheme != "https" and (parts.scheme != "http" or host not in _LOOPBACK):
        raise efi(400, "valor_invalido", "A URL do webhook deve usar o protocolo HTTPS")
    return str(url)


def resending(body: Json) -> list[str]:
    """The payments whose notifications are asked for once more."""
    broken: Broken = []
    _only(body, {"tipo", "e2eids"}, ".body", broken)
    named = body.get("e2eids")
    if not isinstance(named, list) or not 1 <= len(named) <= 1000:
        broken.append(("type", ".body.e2eids", "deve ser uma lista de 1 a 1000 itens"))
    elif not all(isinstance(name, str) and E2EID.fullmatch(name) for name in named):
        broken.append(("pattern", ".body.e2eids", "cada um deve ter 32 letras e algarismos"))
    if broken:
        raise malformed(*broken)
    # A notification here tells of a payment together with its returns.
    if body.get("tipo") not in ("PIX_RECEBIDO", "DEVOLUCAO_ENVIADA"):
        raise not_simulated("tipo")
    return list(body["e2eids"])


def refused(name: str) -> ApiError:
    """What a test asked to be said to the next charge."""
    texts = {
        "documento_bloqueado": "O documento desta conta tem bloqueios que impedem a emissão",
        "chave_invalida": "A chave informada não faz referência à conta Efí autenticada",
        "valor_invalido": "O valor da cobrança não é permitido",
    }
    return efi(400, name, texts.get(name, name))


def _only(given: Json, allowed: Set[str], place: str, broken: Broken) -> None:
    for name in sorted(set(given) - set(allowed)):
        broken.append(("additionalProperties", f"{place}.{name}", "propriedade não permitida"))


def _is_text(value: object, longest: int, *, shortest: int = 0) -> bool:
    return isinstance(value, str) and shortest <= len(value) <= longest


def _amount(body: Json, broken: Broken, *, needed: bool) -> int:
    value = body.get("valor")
    if "valor" not in body and not needed:
        return 0
    if not isinstance(value, dict):
        broken.append(("required", ".body.valor", "é obrigatório"))
        return 0
    if "retirada" in value:
        raise not_simulated("valor.retirada")
    _only(value, {"original", "modalidadeAlteracao"}, ".body.valor", broken)
    amount_q = read_amount(value.get("original"))
    if amount_q is None:
        broken.append(("pattern", ".body.valor.original", "deve estar no formato 0.00"))
    mode = value.get("modalidadeAlteracao", 0)
    if type(mode) is not int or mode not in (0, 1):
        broken.append(("enum", ".body.valor.modalidadeAlteracao", "deve ser 0 ou 1"))
    return amount_q or 0


def _life(body: Json, broken: Broken, *, needed: bool) -> int:
    calendar = body.get("calendario")
    if "calendario" not in body and not needed:
        return DEFAULT_LIFE
    if not isinstance(calendar, dict):
        broken.append(("required", ".body.calendario", "é obrigatório"))
        return DEFAULT_LIFE
    _only(calendar, {"expiracao"}, ".body.calendario", broken)
    lives = calendar.get("expiracao", DEFAULT_LIFE)
    if type(lives) is not int or lives > 2**31 - 1:
        broken.append(("type", ".body.calendario.expiracao", "deve ser um inteiro"))
        return DEFAULT_LIFE
    return lives


def _key(body: Json, broken: Broken, *, needed: bool) -> None:
    if "chave" not in body:
        if needed:
            broken.append(("required", ".body.chave", "é obrigatório"))
    elif not _is_text(body["chave"], 77, shortest=1):
        broken.append(("maxLength", ".body.chave", "deve ser um texto de até 77 caracteres"))


def _debtor(debtor: Any, broken: Broken) -> None:
    if not isinstance(debtor, dict):
        broken.append(("type", ".body.devedor", "deve ser um objeto"))
        return
    _only(debtor, {"cpf", "cnpj", "nome"}, ".body.devedor", broken)
    numbers = [name for name in _FORMS if name in debtor]
    if len(numbers) != 1 or not _FORMS[numbers[0]].fullmatch(str(debtor[numbers[0]])):
        broken.append(("oneOf", ".body.devedor", "deve ter cpf ou cnpj"))
    if not _is_text(debtor.get("nome"), 200, shortest=1):
        broken.append(("required", ".body.devedor.nome", "deve ter de 1 a 200 caracteres"))


def _texts(body: Json, broken: Broken) -> None:
    if "solicitacaoPagador" in body and not _is_text(body["solicitacaoPagador"], 140):
        broken.append(("maxLength", ".body.solicitacaoPagador", "deve ter até 140 caracteres"))
    listed = body.get("infoAdicionais", [])
    if not isinstance(listed, list) or len(listed) > 50:
        broken.append(("maxItems", ".body.infoAdicionais", "deve ter até 50 itens"))
        return
    for number, info in enumerate(listed):
        place = f".body.infoAdicionais[{number}]"
        if not isinstance(info, dict):
            broken.append(("type", place, "deve ser um objeto"))
            continue
        _only(info, {"nome", "valor"}, place, broken)
        for name, longest in (("nome", 50), ("valor", 200)):
            if not _is_text(info.get(name), longest, shortest=1):
                broken.append(("required", f"{place}.{name}", f"de 1 a {longest} caracteres"))


def _refund_refused(place: str, reason: str) -> ApiError:
    return problem(
        400,
        "PixDevolucaoInvalida",
        "Devolução inválida.",
        "A presente requisição de devolução não respeita o schema ou não faz sentido.",
        (place, reason),
    )
