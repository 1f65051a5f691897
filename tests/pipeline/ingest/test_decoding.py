"""Text in the encodings that people's files have, told from its bytes alone."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import IngestFault
from pipeline.ingest.decoding import decoded, utf_16

TEXTS = {
    "de": "Die Mühle am Fluß mahlt für die Bäcker, und das Öl fließt über das Wehr.",
    "fr": "Le moulin à eau près de la forêt a été bâti où le ruisseau naît.",
    "es": "El molino está allí, ¿quién lo cuidará mañana? Ningún señor lo sabrá.",
    "da": "Møllen ved åen maler rug på hjul, som gør børnene glade og træerne våde.",
    "pl": "Młyn nad rzeką miele żyto, a młynarz śpi już w swoim łóżku, bo jest późno.",
    "cs": "Mlýn u řeky mele žito, mlynář už spí ve své posteli a děti běží přes most.",
    "hu": "A malom a folyó mellett őröl, és a molnár már alszik, mert későre járt az idő, bár hűvös.",
    "tr": "Değirmen ırmağın yanında çalışıyor, değirmenci ise şimdi evinde uyuyor.",
    "lt": "Malūnas prie upės mala rugius, o malūnininkas jau miega, nes vėlu ir šalta, žvaigždės šviečia.",
    "ru": "Мельница у реки мелет рожь, а мельник уже спит, потому что наступила ночь.",
    "el": "Ο μύλος κοντά στο ποτάμι αλέθει σίκαλη και ο μυλωνάς κοιμάται ήδη στο σπίτι του.",
    "he": "הטחנה ליד הנהר טוחנת שיפון והטוחן כבר ישן במיטתו כי השעה מאוחרת מאוד",
    "ja": "川のそばの水車小屋はライ麦をひいている。粉屋はもう眠っている。",
    "zh": "河边的磨坊正在磨黑麦，磨坊主已经睡了，因为天色已晚。",
    "ko": "강가의 방앗간은 호밀을 빻고 있고 방앗간 주인은 이미 자고 있습니다.",
}


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        *[(language, "cp1252") for language in ("de", "fr", "es", "da")],
        *[("pl", "cp1250"), ("pl", "iso8859-2"), ("cs", "cp1250"), ("hu", "cp1250")],
        *[("tr", "cp1254"), ("lt", "cp1257")],
        *[("de", "cp850"), ("de", "mac-roman"), ("ru", "cp1251"), ("ru", "koi8-r"), ("el", "cp1253"), ("he", "cp1255")],
        *[("ja", "shift-jis"), ("ja", "euc-jp"), ("ja", "iso2022-jp"), ("zh", "gb18030"), ("ko", "cp949")],
        *[(language, encoding) for language in ("de", "ru", "zh") for encoding in ("utf-16-le", "utf-16-be", "utf-16")],
        *[("de", "utf-32"), ("zh", "utf-8"), ("de", "utf-8-sig")],
    ],
)
def test_a_text_without_a_named_encoding_is_read(language: str, encoding: str) -> None:
    text = TEXTS[language] + "\n" + TEXTS[language]
    assert decoded(text.encode(encoding)) == text


def test_one_byte_of_another_encoding_does_not_turn_a_file_around() -> None:
    text = "Käse für 12 €, größer".encode() + "ö".encode("cp1252") + b" \x81"
    assert decoded(text) == "Käse für 12 €, größerö \N{REPLACEMENT CHARACTER}"


def test_one_odd_byte_in_much_ascii_is_damage() -> None:
    assert decoded(b"words " * 200 + b"\x81") == "words " * 200 + "\N{REPLACEMENT CHARACTER}"


def test_a_legacy_code_page_is_told_from_the_lines_that_need_one() -> None:
    text = "plain words\n" * 10_000 + (TEXTS["pl"] + "\n") * 500
    assert decoded(text.encode("cp1250")) == text


@pytest.mark.parametrize(
    ("content", "form"),
    [
        ("plain words".encode("utf-16-le"), "utf-16-le"),
        ("plain words".encode("utf-16-be"), "utf-16-be"),
        (bytes(range(256)) * 8, ""),
        (b"\0\1\2\3" * 200, ""),
        (b"words", ""),
    ],
)
def test_zero_bytes_are_utf_16_or_no_text(content: bytes, form: str) -> None:
    assert utf_16(content) == form


def test_bytes_that_no_encoding_explains_are_refused() -> None:
    with pytest.raises(IngestFault, match="unknown_encoding"):
        decoded(bytes([0x81, 0xFF, 0x8D, 0xFE, 0x90, 0xFD]) * 30)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff\x1b")))
def test_utf_8_is_always_read_as_it_is(text: str) -> None:
    assert decoded(text.encode()) == text


@given(st.binary())
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(IngestFault):
        assert isinstance(decoded(content).encode(), bytes)
