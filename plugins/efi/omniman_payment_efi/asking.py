"""The bodies of our requests to Efi, from the words of the payment protocol. Pure.

Source: API Pix, schemas CobSolicitada and DevolucaoSolicitada.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from omniman_payment_core.errors import InvalidRequestError

from .amounts import to_pix
from .config import MAX_EXPIRY, MIN_EXPIRY, Config

ORDER_REF = "order_ref"
"""The name under which a charge carries the shop's order."""

_KNOWN = frozenset({"type", "debtor", "expires_in_seconds", "extra_info", "shown_to_payer"})
_DEBTOR = frozenset({"cpf", "cnpj", "name"})
_CPF, _CNPJ = re.compile(r"[0-9]{11}"), re.compile(r"[0-9A-Z]{14}")
_PUNCTUATION = str.maketrans("", "", ".-/ ")

_LONGEST_NAME, _LONGEST_SHOWN = 200, 140
_MOST_INFO, _LONGEST_INFO_NAME, _LONGEST_INFO = 50, 50, 200

Body = dict[str, Any]


def charge(
    config: Config, amount_q: int, order_ref: str, payment_method: Mapping[str, Any]
) -> Body:
    """A charge that can be paid once, in full, for a while.

    :raises InvalidRequestError: naming what cannot be understood, never quoting it.
    :raises AmountError: an amount that Pix has no way to write.
    """
    _check_known(payment_method)
    body: Body = {
        "calendario": {"expiracao": _expiry(config, payment_method)},
        "valor": {"original": to_pix(amount_q)},
        "chave": config.pix_key,
        "infoAdicionais": _info(order_ref, payment_method),
    }
    shown = _shown(config, order_ref, payment_method)
    if shown:
        body["solicitacaoPagador"] = shown
    debtor = payment_method.get("debtor")
    if debtor is not None:
        body["devedor"] = _debtor(debtor)
    return body


def refund(amount_q: int, reason: str | None) -> Body:
    """A return of a part or all of what a payer sent; the reason is what the payer is told."""
    body: Body = {"valor": to_pix(amount_q)}
    if reason:
        body["descricao"] = reason[:_LONGEST_SHOWN]
    return body


def _check_known(payment_method: Mapping[str, Any]) -> None:
    unknown = sorted(str(name) for name in payment_method if name not in _KNOWN)
    if unknown:
        raise InvalidRequestError(
            f"payment_method has entries that Efi's plugin does not know: {', '.join(unknown)}; "
            f"known are {', '.join(sorted(_KNOWN))}"
        )
    if payment_method.get("type", "pix") != "pix":
        raise InvalidRequestError('payment_method["type"] has to be "pix"')


def _expiry(config: Config, payment_method: Mapping[str, Any]) -> int:
    given = payment_method.get("expires_in_seconds")
    if given is None:
        return round(config.expires_in.total_seconds())
    if type(given) is not int or not MIN_EXPIRY <= given <= MAX_EXPIRY:
        raise InvalidRequestError(
            'payment_method["expires_in_seconds"] is not a whole number from '
            f"{MIN_EXPIRY} to {MAX_EXPIRY}"
        )
    return given


def _info(order_ref: str, payment_method: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the payer's bank lists under the charge; only what the shop says is for the payer."""
    if not 0 < len(order_ref) <= _LONGEST_INFO:
        raise InvalidRequestError(f"order_ref has to have 1 to {_LONGEST_INFO} characters")
    extra = payment_method.get("extra_info") or {}
    if not isinstance(extra, Mapping) or len(extra) >= _MOST_INFO:
        raise InvalidRequestError(
            f'payment_method["extra_info"] has to be a dict of fewer than {_MOST_INFO} entries'
        )
    listed = [{"nome": ORDER_REF, "valor": order_ref}]
    for name, value in extra.items():
        fits = (
            isinstance(name, str)
            and 0 < len(name) <= _LONGEST_INFO_NAME
            and name != ORDER_REF
            and isinstance(value, str)
            and 0 < len(value) <= _LONGEST_INFO
        )
        if not fits:
            raise InvalidRequestError(
                'payment_method["extra_info"] takes texts: names of up to '
                f"{_LONGEST_INFO_NAME} characters but not {ORDER_REF}, values of up to "
                f"{_LONGEST_INFO}"
            )
        listed.append({"nome": name, "valor": value})
    return listed


def _shown(config: Config, order_ref: str, payment_method: Mapping[str, Any]) -> str:
    given = payment_method.get("shown_to_payer")
    if given is None:
        return config.shown_to_payer.format(order_ref=order_ref)[:_LONGEST_SHOWN]
    if not isinstance(given, str) or len(given) > _LONGEST_SHOWN:
        raise InvalidRequestError(
            f'payment_method["shown_to_payer"] is not a text of up to {_LONGEST_SHOWN} characters'
        )
    return given


def _debtor(given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping) or set(given) - _DEBTOR:
        raise InvalidRequestError(
            'payment_method["debtor"] has to be a dict of "name" and either "cpf" or "cnpj"'
        )
    name = given.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        raise InvalidRequestError(
            f'payment_method["debtor"]["name"] has to have 1 to {_LONGEST_NAME} characters'
        )
    numbers = {
        kind: str(given[kind]).translate(_PUNCTUATION).upper()
        for kind in ("cpf", "cnpj")
        if given.get(kind)
    }
    if len(numbers) != 1:
        raise InvalidRequestError(
            'payment_method["debtor"] needs either "cpf" or "cnpj" beside the name'
        )
    ((kind, number),) = numbers.items()
    if not (_CPF if kind == "cpf" else _CNPJ).fullmatch(number):
        raise InvalidRequestError(f'payment_method["debtor"]["{kind}"] is not a {kind.upper()}')
    return {kind: number, "nome": name}
