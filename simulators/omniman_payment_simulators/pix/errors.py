"""The shapes in which the institution says no: Efi's own, API Pix's (RFC 7807), and OAuth's."""

from __future__ import annotations

from typing import Any

PROBLEMS = "https://pix.bcb.gov.br/api/v2/error"


class ApiError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, body: dict[str, Any], **headers: str) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body
        self.headers = headers


def efi(status: int, name: str, message: str) -> ApiError:
    """Efi's own shape."""
    return ApiError(status, {"nome": name, "mensagem": message})


def malformed(*errors: tuple[str, str, str]) -> ApiError:
    """A body that is not what the interface asks for: where, by which rule, and why."""
    listed = [{"chave": key, "caminho": path, "mensagem": text} for key, path, text in errors]
    return ApiError(
        400,
        {
            "nome": "json_invalido",
            "mensagem": "Valores ou tipos de campo inválidos",
            "erros": listed,
        },
    )


def not_simulated(name: str) -> ApiError:
    """The real one may know it. Ignored, it would make a test pass that proves nothing."""
    return efi(400, "nao_simulado", f"O simulador não conhece {name}")


def problem(status: int, kind: str, title: str, detail: str, *broken: tuple[str, str]) -> ApiError:
    """API Pix's shape: ``broken`` are pairs of a property and a reason."""
    body: dict[str, Any] = {
        "type": f"{PROBLEMS}/{kind}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if broken:
        body["violacoes"] = [{"razao": reason, "propriedade": place} for place, reason in broken]
    return ApiError(status, body)


def unauthorized() -> ApiError:
    """A token that is missing, unknown or over."""
    return ApiError(
        401, {"error": "invalid_token", "error_description": "Token inválido ou expirado"}
    )


def invalid_client() -> ApiError:
    """Credentials that nobody has."""
    return ApiError(
        401,
        {"error": "invalid_client", "error_description": "Invalid or inactive credentials"},
    )


def charge_not_found() -> ApiError:
    return efi(400, "cobranca_nao_encontrada", "Nenhuma cobrança encontrada para o txid informado")


def payment_not_found() -> ApiError:
    return efi(400, "pix_nao_encontrado", "Nenhum pix encontrado para o identificador informado")


def refund_not_found() -> ApiError:
    return efi(
        400,
        "devolucao_nao_encontrada",
        "Nenhuma devolução encontrada para o identificador informado",
    )


def location_not_found() -> ApiError:
    return efi(
        400, "location_nao_encontrada", "Nenhuma location encontrado para o identificador informado"
    )


def webhook_not_found() -> ApiError:
    return efi(404, "webhook_nao_encontrado", "Nenhum webhook cadastrado para a chave informada")
