"""A secret never shows, and a scrubbed text holds none, whatever form it took."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omniman_payment_core.secrets import (
    MAX_ITEMS,
    Scrubber,
    Secret,
    contains_card_number,
)

PLANTED = "sk_live_pl/anted+8f3a"
VISA, MASTER, AMEX = "4242424242424242", "5555555555554444", "378282246310005"


# -- Secret --------------------------------------------------------------------------------


@dataclass
class Config:
    key: Secret


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        format,
        lambda secret: f"{secret:>40}",
        lambda secret: f"{secret!r}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
        lambda secret: str([secret, {"key": secret}]),
        lambda secret: repr(Config(secret)),
        lambda secret: repr(asdict(Config(secret))),
        lambda secret: repr(copy.copy(secret)),
        lambda secret: repr(copy.deepcopy({"a": [secret]})),
    ],
)
def test_a_secret_shows_only_its_mask(show: Any) -> None:
    shown = show(Secret(PLANTED))
    assert "[secret]" in shown
    assert PLANTED not in shown


def test_a_secret_is_revealed_only_on_request() -> None:
    assert Secret(PLANTED).reveal() == PLANTED


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_refuses_to_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret(PLANTED), protocol)


def test_a_secret_refuses_to_become_json() -> None:
    with pytest.raises(TypeError) as caught:
        json.dumps({"key": Secret(PLANTED)})
    assert PLANTED not in str(caught.value)


def test_a_secret_has_no_dict_and_cannot_be_changed() -> None:
    secret = Secret(PLANTED)
    with pytest.raises(TypeError):
        vars(secret)
    with pytest.raises(TypeError):
        secret.__getstate__()
    with pytest.raises(AttributeError):
        secret.value = "other"
    with pytest.raises(TypeError):
        hash(secret)


def test_secrets_compare_by_value_and_kind() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("1") != Secret(1)
    assert Secret("a") != "a"
    assert Secret(["a"]) == Secret(["a"])
    assert Secret("\ud800") == Secret("\ud800")
    assert Secret("a")
    assert not Secret("")


# -- Scrubber.text -------------------------------------------------------------------------

FORMS = {
    "plain": PLANTED,
    "quoted": quote(PLANTED, safe=""),
    "quoted in lower case": quote(PLANTED, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
    "base64": base64.b64encode(PLANTED.encode()).decode().rstrip("="),
    "json": json.dumps(PLANTED),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_known_secret_is_replaced_in_every_form(form: str) -> None:
    clean = Scrubber([PLANTED]).text(f"failed with {form} in it")
    assert "[secret]" in clean
    assert form not in clean


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_basic_credentials_in_base64_do_not_show_the_secret(before: bytes, after: bytes) -> None:
    encoded = base64.b64encode(before + PLANTED.encode() + after).decode()
    clean = Scrubber([PLANTED]).text(encoded)
    assert "[secret]" in clean


# Without the letters of the masks, so that a secret found afterwards was there before.
WORDS = st.text("xyzXYZ019+/=% -_\"'", max_size=60)


@given(WORDS.filter(lambda word: len(word) >= 4), WORDS, WORDS)
def test_no_known_secret_survives_anywhere(secret: str, before: str, after: str) -> None:
    assert secret not in Scrubber([secret]).text(before + secret + after)


def test_a_certificate_is_hidden_line_by_line() -> None:
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
    pem = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
    scrubber = Scrubber([pem])
    for shown in (pem, repr(pem), pem.replace("\n", "\r\n"), body.split("\n")[1]):
        clean = scrubber.text(f"cannot read {shown}")
        assert not any(line in clean for line in body.split("\n"))


def test_the_longer_of_two_secrets_goes_whole() -> None:
    assert Scrubber(["whsec_12", "whsec_12_and_more"]).text("x whsec_12_and_more") == "x [secret]"


def test_too_short_a_secret_does_not_black_out_ordinary_words() -> None:
    assert Scrubber(["brl"]).text("1000 brl") == "1000 brl"


def test_secrets_can_be_replaced_by_others() -> None:
    scrubber = Scrubber(["first-secret"])
    scrubber.know([Secret("second-secret")])
    assert scrubber.text("first-secret second-secret") == "first-secret [secret]"
    assert "second" not in repr(scrubber)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"card {VISA} declined", "card [card number] declined"),
        ("card 4242 4242 4242 4242 12/30", "card [card number] 12/30"),
        ("5555-5555-5555-4444", "[card number]"),
        ("3782 822463 10005", "[card number]"),
        (f"{VISA} {MASTER}", "[card number] [card number]"),
        (f"{AMEX},{VISA}", "[card number],[card number]"),
        ("4242424242424241", "4242424242424241"),
        ("order 20261123063523", "order 20261123063523"),
        ("at 1767225600000000", "at 1767225600000000"),
        (f"E{'1' * 4}{VISA}", f"E{'1' * 4}{VISA}"),
        ("ORD-2026-000123", "ORD-2026-000123"),
    ],
)
def test_card_numbers_are_masked_and_other_numbers_stay(text: str, clean: str) -> None:
    assert Scrubber().text(text) == clean


@given(st.text())
def test_a_scrubbed_text_is_one_printable_line(text: str) -> None:
    assert Scrubber().text(text).isprintable()


def test_control_characters_are_shown_escaped() -> None:
    assert Scrubber().text("a\nb\r\x1b[31m\u2028\u202e") == "a\\nb\\r\\x1b[31m\\u2028\\u202e"


@given(st.text(max_size=80), st.integers(1, 60))
def test_a_scrubbed_text_is_no_longer_than_asked(text: str, limit: int) -> None:
    assert len(Scrubber(["secret-word"]).text(text, limit)) <= limit


@pytest.mark.parametrize("position", range(80, 121))
def test_a_secret_or_card_across_the_cut_does_not_show_in_half(position: int) -> None:
    for hidden in (PLANTED, VISA, "4242 4242 4242 4242"):
        text = "." * position + hidden + "." * 50
        clean = Scrubber([PLANTED]).text(text, 110)
        assert len(clean) <= 110
        assert hidden[:6] not in clean


def test_a_huge_text_costs_little() -> None:
    clean = Scrubber([PLANTED]).text((PLANTED + "\n") * 100_000, 200)
    assert len(clean) <= 200
    assert PLANTED not in clean


# -- Scrubber.json -------------------------------------------------------------------------


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError(PLANTED)


class HostileDict(dict[str, Any]):
    def __iter__(self) -> Any:
        raise RuntimeError(PLANTED)


class Text(str):
    def __str__(self) -> str:
        raise RuntimeError(PLANTED)


def test_json_is_scrubbed_in_values_keys_and_numbers() -> None:
    value = {
        PLANTED: [PLANTED, {"deep": f"Bearer {PLANTED}"}],
        "pan": int(VISA),
        "amount_q": 1000,
        "ok": True,
        "none": None,
        5: (1.5, VISA),
        "secret": Secret(PLANTED),
    }
    assert Scrubber([PLANTED]).json(value) == {
        "[secret]": ["[secret]", {"deep": "Bearer [secret]"}],
        "pan": "[card number]",
        "amount_q": 1000,
        "ok": True,
        "none": None,
        "5": [1.5, "[card number]"],
        "secret": "[secret]",
    }


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        (Hostile(), "[Hostile]"),
        (HostileDict(a=1), "[HostileDict]"),
        (Text("abc"), "abc"),
        (float("nan"), "[float]"),
        (b"raw", "[bytes]"),
        ({"a": {1}}, {"a": "[set]"}),
        ({Hostile: 1}, {"[type]": 1}),
        ({None: 1}, {"None": 1}),
        (10**64, "[long number]"),
    ],
)
def test_what_is_not_json_is_named_by_its_type_and_raises_nothing(value: Any, clean: Any) -> None:
    assert Scrubber([PLANTED]).json(value) == clean


def test_json_is_bounded_in_depth_and_size() -> None:
    deep: list[Any] = []
    deep.append(deep)
    assert "[too deep]" in json.dumps(Scrubber().json(deep))
    assert len(Scrubber().json(list(range(10 * MAX_ITEMS)))) == MAX_ITEMS + 1
    assert len(Scrubber().json({str(n): n for n in range(10 * MAX_ITEMS)})) == MAX_ITEMS + 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(PLANTED),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just(PLANTED), inner),
)


@given(JSON)
def test_scrubbed_json_is_json_without_the_secret(value: Any) -> None:
    assert PLANTED not in json.dumps(Scrubber([PLANTED]).json(value), allow_nan=False)


# -- contains_card_number ------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        VISA,
        "my card is 4242 4242 4242 4242, thanks",
        int(VISA),
        {"card": {"number": MASTER}},
        {AMEX: 1},
        ["a", ("b", VISA)],
    ],
)
def test_a_card_number_is_found_wherever_it_hides(value: Any) -> None:
    assert contains_card_number(value)


@pytest.mark.parametrize(
    "value", [None, "", "pm_card_visa", 1000, True, 1.5, {"token": "tok_4242"}, "4242424242424241"]
)
def test_what_is_no_card_number_is_not_taken_for_one(value: Any) -> None:
    assert not contains_card_number(value)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('{"client_secret": "pi_1_secret_2", "id": 1}', '{"client_secret": "[secret]", "id": 1}'),
        ("client_secret=pi_1_secret_2&x=1", "client_secret=[secret]&x=1"),
        ("{'client_secret': 'pi_1_secret_2'}", "{'client_secret': '[secret]'}"),
        ('{"client_secret": null, "id": 1}', '{"client_secret": null, "id": 1}'),
        ("no client_secret was given", "no client_secret was given"),
    ],
)
def test_what_lets_somebody_finish_a_payment_is_hidden_by_its_name(text: str, clean: str) -> None:
    assert Scrubber().text(text) == clean


def test_a_client_secret_across_the_cut_does_not_show_in_part() -> None:
    text = '{"client_secret": "pi_1_secret_2345678901234567890"}'
    for limit in range(20, len(text)):
        assert "pi_1" not in Scrubber().text(text, limit)
