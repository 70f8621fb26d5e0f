"""What clients may ask for, checked against the interface: every rule that is broken is named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..common.paging import Page
from .errors import ApiError, efi, malformed, problem
from .shapes import read_amount, read_stamp

TXID = re.compile(r"[a-zA-Z0-9]{26,35}")
E2EID = re.compile(r"[a-zA-Z0-9]{32}")
REFUND_ID = re.compile(r"[a-zA-Z0-9]{1,35}")
_CPF, _CNPJ = re.compile(r"[0-9]{11}"), re.compile(r"[0-9A-Z]{14}")

DEFAULT_LIFE = 86_400
_CHARGE_FIELDS = frozenset(
    {"calendario", "devedor", "valor", "chave", "solicitacaoPagador", "infoAdicionais", "loc"}
)

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
        raise malformed(("pattern", ".txid", "deve ter de 26 a 35 letras e algarismos"))
    return text


def e2eid(text: str) -> str:
    if not E2EID.fullmatch(text):
        raise malformed(("pattern", ".e2eId", "deve ter 32 letras e algarismos"))
    return text


def refund_id(text: str) -> str:
    if not REFUND_ID.fullmatch(text):
        raise malformed(("pattern", ".id", "deve ter de 1 a 35 letras e algarismos"))
    return text


def charge(body: Json, *, changing: bool = False) -> Asked:
    """Check the body of a charge; raises with everything that is wrong at once."""
    broken: Broken = []
    for name in sorted(set(body) - _CHARGE_FIELDS - ({"status"} if changing else set())):
        broken.append(("additionalProperties", f".{name}", "campo não permitido"))
    amount_q = _amount(body, broken, needed=not changing)
    lives = _life(body, broken, needed=not changing)
    key = body.get("chave")
    if key is None and not changing:
        broken.append(("required", ".chave", "é obrigatório"))
    elif key is not None and (not isinstance(key, str) or not 0 < len(key) <= 77):
        broken.append(("maxLength", ".chave", "deve ser um texto de até 77 caracteres"))
    _debtor(body.get("devedor"), broken)
    _texts(body, broken)
    if broken:
        raise malformed(*broken)
    return Asked(amount_q, lives)


def refund(body: Json, left_q: int) -> int:
    """Check the body of a return; how much is asked for."""
    amount_q = read_amount(body.get("valor"))
    if amount_q is None:
        raise malformed(("pattern", ".valor", "deve estar no formato 0.00"))
    if set(body) - {"valor", "natureza", "descricao"}:
        raise malformed(("additionalProperties", "", "campo não permitido"))
    if len(str(body.get("descricao") or "")) > 140:
        raise malformed(("maxLength", ".descricao", "deve ter até 140 caracteres"))
    if amount_q > left_q:
        raise problem(
            400,
            "PixDevolucaoInvalida",
            "Devolução inválida.",
            "A presente requisição de devolução não respeita o schema ou está semanticamente "
            "errada.",
            ("devolucao.valor", "O valor da devolução ultrapassa o valor restante do Pix"),
        )
    return amount_q


def period(query: Json) -> tuple[float, float]:
    """The two times that every list needs."""
    found = {name: read_stamp(query.get(name)) for name in ("inicio", "fim")}
    missing = [name for name, moment in found.items() if moment is None]
    if missing:
        raise malformed(*((("format", f".{n}", "deve ser uma data da RFC 3339")) for n in missing))
    begin, end = found["inicio"] or 0.0, found["fim"] or 0.0
    if end < begin:
        raise efi(400, "valor_invalido", "O parâmetro fim é anterior ao parâmetro inicio")
    return begin, end


def page(query: Json) -> Page:
    """Which page of a list, and how long they are."""
    try:
        number = int(query.get("paginacao.paginaAtual", 0))
        size = int(query.get("paginacao.itensPorPagina", 100))
    except ValueError:
        number, size = -1, 0
    if number < 0 or not 1 <= size <= 1000:
        raise malformed(("minimum", ".paginacao", "a página começa em 0 e tem de 1 a 1000 itens"))
    return Page(number, size)


def webhook_url(body: Json) -> str:
    """An address of https; plain http on this machine only, which the real one would refuse."""
    url = body.get("webhookUrl")
    local = isinstance(url, str) and re.match(r"http://(127\.0\.0\.1|localhost)[:/]", url)
    if not isinstance(url, str) or not (url.startswith("https://") or local):
        raise efi(400, "webhook_invalido", "A URL informada deve usar o protocolo https")
    return url


def _amount(body: Json, broken: Broken, *, needed: bool) -> int:
    value = body.get("valor")
    if value is None:
        if needed:
            broken.append(("required", ".valor", "é obrigatório"))
        return 0
    original = value.get("original") if isinstance(value, dict) else None
    amount_q = read_amount(original)
    if amount_q is None:
        broken.append(("pattern", ".valor.original", "deve estar no formato 0.00"))
    mode = value.get("modalidadeAlteracao", 0) if isinstance(value, dict) else 0
    if mode not in (0, 1):
        broken.append(("enum", ".valor.modalidadeAlteracao", "deve ser 0 ou 1"))
    return amount_q or 0


def _life(body: Json, broken: Broken, *, needed: bool) -> int:
    calendar = body.get("calendario")
    if calendar is None:
        if needed:
            broken.append(("required", ".calendario", "é obrigatório"))
        return DEFAULT_LIFE
    lives = calendar.get("expiracao", DEFAULT_LIFE) if isinstance(calendar, dict) else None
    if type(lives) is not int or not 1 <= lives <= 2**31 - 1:
        broken.append(("type", ".calendario.expiracao", "deve ser um inteiro positivo"))
        return DEFAULT_LIFE
    return lives


def _debtor(debtor: Any, broken: Broken) -> None:
    if debtor is None:
        return
    if not isinstance(debtor, dict):
        broken.append(("type", ".devedor", "deve ser um objeto"))
        return
    numbers = [n for n in ("cpf", "cnpj") if n in debtor]
    form = _CPF if numbers == ["cpf"] else _CNPJ
    if len(numbers) != 1 or not form.fullmatch(str(debtor[numbers[0]])):
        broken.append(("oneOf", ".devedor", "deve ter cpf ou cnpj"))
    name = debtor.get("nome")
    if not isinstance(name, str) or not 0 < len(name) <= 200:
        broken.append(("required", ".devedor.nome", "deve ter de 1 a 200 caracteres"))


def _texts(body: Json, broken: Broken) -> None:
    shown = body.get("solicitacaoPagador")
    if shown is not None and (not isinstance(shown, str) or len(shown) > 140):
        broken.append(("maxLength", ".solicitacaoPagador", "deve ter até 140 caracteres"))
    listed = body.get("infoAdicionais") or []
    if not isinstance(listed, list) or len(listed) > 50:
        broken.append(("maxItems", ".infoAdicionais", "deve ter até 50 itens"))
        return
    for number, info in enumerate(listed):
        name = info.get("nome") if isinstance(info, dict) else None
        value = info.get("valor") if isinstance(info, dict) else None
        fits = isinstance(name, str) and isinstance(value, str)
        if not fits or not 0 < len(str(name)) <= 50 or not 0 < len(str(value)) <= 200:
            broken.append(("items", f".infoAdicionais[{number}]", "nome e valor são obrigatórios"))


def refused(name: str) -> ApiError:
    """What a test asked to be said to the next charge."""
    texts = {
        "documento_bloqueado": "O documento CPF/CNPJ do recebedor possui bloqueio",
        "chave_invalida": "A chave informada não pertence à conta",
        "valor_invalido": "O valor da cobrança não é permitido",
    }
    return efi(400, name, texts.get(name, name))
