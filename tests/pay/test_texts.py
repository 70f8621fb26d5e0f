"""Every text is there in Portuguese, as it is read and as it is compiled."""

from __future__ import annotations

import gettext
from typing import Any

import pytest
from django.test import override_settings
from django.utils import translation

from omniman_payment_django.pay import states
from omniman_payment_django.pay.amounts import amount_text

from . import catalogue
from .shop import Shop


def _keys(found: Any) -> set[tuple[str | None, str]]:
    return {(message.context, message.id) for message in found if message.id}


def test_every_text_of_the_page_has_its_translation_and_no_other_is_kept() -> None:
    texts = _keys(catalogue.texts())
    assert len(texts) > 40
    assert (None, str(states.PAID.title)) in texts
    assert _keys(catalogue.translations()) == texts


def test_no_translation_is_missing_or_doubtful() -> None:
    messages = [message for message in catalogue.translations() if message.id]
    assert [m.id for m in messages if m.fuzzy or not m.string] == []
    for message in messages:
        assert list(message.check()) == [], message.id


def test_the_compiled_catalogue_is_the_readable_one() -> None:
    with catalogue.MO.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    readable = catalogue.translations()
    held = {key for key in compiled._catalog if key}  # type: ignore[attr-defined]
    assert len(held) == len(_keys(readable))
    for message in readable:
        if message.id:
            found = (
                compiled.pgettext(message.context, message.id)
                if message.context
                else compiled.gettext(message.id)
            )
            assert found == message.string


def test_the_page_and_its_status_speak_the_browsers_language(shop: Shop) -> None:
    payment = shop.waiting(amount_q=123456)
    english, portuguese = shop.page(payment, "en"), shop.page(payment, "pt-BR,pt;q=0.9,en;q=0.5")
    assert '<html lang="en">' in english.content.decode()
    assert "Your payment is waiting for you" in english.content.decode()
    text = portuguese.content.decode()
    assert '<html lang="pt-BR">' in text
    assert portuguese.headers["Content-Language"] == "pt-BR"
    assert "Falta concluir o pagamento" in text
    assert "R$\xa01.234,56" in text
    assert "Pagar R$\xa01.234,56" in text
    assert shop.status(payment, "pt-br")["title"] == "Falta concluir o pagamento"
    assert shop.status(payment, "en")["title"] == "Your payment is waiting for you"


def test_a_language_without_a_catalogue_is_honestly_english(shop: Shop) -> None:
    page = shop.page(shop.waiting(), "de")
    assert '<html lang="en">' in page.content.decode()
    assert page.headers["Content-Language"] == "en"


def test_the_projects_own_choice_of_language_comes_first(shop: Shop) -> None:
    middleware = ["tests.pay.test_texts.portuguese"]
    with override_settings(MIDDLEWARE=middleware):
        assert '<html lang="pt-BR">' in shop.page(shop.waiting(), "en").content.decode()


def portuguese(get_response: Any) -> Any:
    """Middleware that has chosen a language, as Django's own does."""

    def middleware(request: Any) -> Any:
        request.LANGUAGE_CODE = "pt-br"
        return get_response(request)

    return middleware


@pytest.mark.parametrize(
    ("amount_q", "currency", "language", "text"),
    [
        (1, "BRL", "en", "R$ 0.01"),
        (123456789, "BRL", "pt-br", "R$ 1.234.567,89"),
        (5000, "JPY", "en", "JPY 5,000"),
        (12345, "KWD", "en", "KWD 12.345"),
        (1050, "eur", "pt-br", "€ 10,50"),
        (9007199254740993, "USD", "en", "US$ 90,071,992,547,409.93"),
        (7, "XTS", "en", "7 XTS"),
    ],
)
def test_amounts_are_exact_in_every_currency(
    amount_q: int, currency: str, language: str, text: str
) -> None:
    with translation.override(language):
        assert amount_text(amount_q, currency).replace("\xa0", " ") == text
