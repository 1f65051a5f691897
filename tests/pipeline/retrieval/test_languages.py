"""Words of many scripts: cut, stemmed, told apart, searched, marked and judged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest import Chunk, Document
from pipeline.passages import Query
from pipeline.retrieval import SHARED, SearchOptions
from pipeline.retrieval.edge import EdgeIndex
from pipeline.retrieval.languages import LANGUAGES, Language
from pipeline.retrieval.terms import (
    content_words,
    detected_language,
    document_vector,
    in_any_language,
    matched,
    terms_in_any_language,
    terms_of_word,
    word_spans,
    words_of,
)

# Of each language: a text, a question that it answers in other forms of its words, and one that it does not.
TEXTS: dict[Language, tuple[str, str, str]] = {
    "en": (
        "Roasted coffee beans stay fresh for two weeks in a closed tin.",
        "How long does a roasted bean stay fresh?",
        "Who built the lighthouse?",
    ),
    "de": (
        "Geröstete Bohnen bleiben zwei Wochen frisch, wenn die Dose geschlossen ist.",
        "Wie lange bleibt eine geröstete Bohne frisch?",
        "Wer baute den Leuchtturm?",
    ),
    "fr": (
        "Les grains de café torréfiés restent frais pendant deux semaines dans une boîte fermée.",
        "Combien de temps un grain torréfié reste-t-il frais ?",
        "Qui a construit le phare ?",
    ),
    "es": (
        "Los granos de café tostados se conservan frescos durante dos semanas en un bote cerrado.",
        "¿Cuánto tiempo se conserva fresco el grano tostado?",
        "¿Quién construyó el faro?",
    ),
    "it": (
        "I chicchi di caffè tostati restano freschi per due settimane in un barattolo chiuso.",
        "Per quanto tempo resta fresco il chicco tostato?",
        "Chi ha costruito il faro?",
    ),
    "nl": (
        "De gebrande bonen blijven twee weken vers in een gesloten bus.",
        "Hoe lang blijft een gebrande boon vers in de bus?",
        "Wie heeft de vuurtoren gebouwd?",
    ),
    "pt": (
        "Os grãos de café torrados duram frescos duas semanas em um pote fechado.",
        "Quanto tempo dura fresco o grão torrado?",
        "Quem é que construiu o farol?",
    ),
    "ru": (
        "Обжаренные кофейные зёрна остаются свежими две недели. Храните их в закрытой банке.",
        "Как долго обжаренное зёрно остаётся свежим?",
        "Кто построил маяк?",
    ),
    "el": (
        "Οι καβουρδισμένοι κόκκοι καφέ μένουν φρέσκοι για δύο εβδομάδες.",
        "Πόσο καιρό μένουν φρέσκοι οι κόκκοι του καφέ;",
        "Ποιος έχτισε τον φάρο;",
    ),
    "ar": (
        "تبقى حبوب القهوة المحمصة طازجة لمدة أسبوعين. احفظها في وعاء محكم الإغلاق.",
        "كم من الوقت تبقى حبوب القهوة طازجة؟",
        "من بنى المنارة القديمة في الميناء؟",
    ),
    "hi": (
        "भुने हुए कॉफ़ी के दाने दो सप्ताह तक ताज़ा रहते हैं। उन्हें बंद डिब्बे में रखें।",
        "कॉफ़ी के दाने कितने समय तक ताज़ा रहते हैं?",
        "प्रकाशस्तंभ किसने बनाया?",
    ),
    "zh": (
        "请将咖啡豆装入密封罐并放在阴凉避光的地方。烘焙后的咖啡豆在两周内风味最佳。",
        "咖啡豆如何保存？",
        "灯塔是谁建造的？",
    ),
    "ja": (
        "コーヒー豆は密閉容器に入れて、涼しく暗い場所に保存してください。",
        "コーヒー豆はどうやって保存しますか？",
        "灯台は誰が建てましたか？",
    ),
    "ko": (
        "원두는 밀폐 용기에 담아 서늘하고 어두운 곳에 보관하세요.",
        "커피 원두는 어떻게 보관하나요?",
        "등대는 누가 지었습니까?",
    ),
}
MIXED = st.text(st.sampled_from("aé e\u0301ßИ咖啡豆ーあ가กำक़ि0.5' \u200d_,\n"), max_size=40) | st.text(max_size=60)


@pytest.fixture(scope="module")
def index() -> Iterator[EdgeIndex]:
    documents = [
        Document(language, f"{language}.md", language, "", text, None, (Chunk("", text, 0, len(text)),))
        for language, (text, _, _) in TEXTS.items()
    ]
    built = EdgeIndex.build(documents)
    yield built
    built.close()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_question_finds_the_passage_of_its_language_and_no_other_question_does(
    index: EdgeIndex, language: Language
) -> None:
    text, question, other = TEXTS[language]
    assert detected_language(text) == detected_language(question) == language
    found = await index(Query(question), SHARED, SearchOptions(4))
    assert found.passages[0].document == f"{language}.md"
    assert found.passages[0].matched
    assert found.quality != "none"
    missed = await index(Query(other), SHARED, SearchOptions(4))
    assert missed.quality == "none"


async def test_a_decomposed_question_finds_composed_text_and_is_marked_in_it(index: EdgeIndex) -> None:
    question = normalize("NFD", "Wie bleibt die geröstete Bohne frisch?")
    assert question != normalize("NFC", question)
    passage = (await index(Query(question), SHARED, SearchOptions(1))).passages[0]
    assert "Geröstete" in [passage.text[begin:end] for begin, end in passage.matched]


def test_a_word_of_another_script_is_found_in_texts_of_every_language() -> None:
    for language in LANGUAGES:
        assert set(document_vector("USB-Stick 咖啡 маяк 1984", language).indices) >= {
            term for word in ("USB", "咖啡", "маяк", "1984") for term in terms_of_word(word, language)
        }
        for word in ("USB", "маяк", "1984"):
            assert not in_any_language(word).isdisjoint(terms_of_word(word, language))


def test_words_of_scripts_without_spaces_are_pairs_and_a_mark_joins_them() -> None:
    assert words_of("USB咖啡豆 2,5") == ["USB", "咖啡", "啡豆", "2,5"]
    assert words_of("豆") == ["豆"]
    text = "请将咖啡豆装入密封罐"
    assert [text[a:b] for a, b in matched(text, terms_in_any_language("咖啡豆"), "zh")] == ["咖啡豆"]
    assert words_of("कॉफ़ी के दाने") == ["कॉफ़ी", "के", "दाने"]


def test_words_that_ask_are_no_content_words() -> None:
    assert {language: content_words(other, language)[:1] for language, (_, _, other) in TEXTS.items()} == {
        "en": ["built"],
        "de": ["baute"],
        "fr": ["construit"],
        "es": ["construyó"],
        "it": ["costruito"],
        "nl": ["vuurtoren"],
        "pt": ["construiu"],
        "ru": ["построил"],
        "el": ["έχτισε"],
        "ar": ["بنى"],
        "hi": ["प्रकाशस्तंभ"],
        "zh": ["灯塔"],
        "ja": ["灯台"],
        "ko": ["등대"],
    }


@given(MIXED)
def test_words_lie_in_their_text_in_order_and_a_mark_covers_every_word(text: str) -> None:
    spans = list(word_spans(text))
    assert all(0 <= begin < end <= len(text) and text[begin:end].strip() for begin, end in spans)
    assert all(first < second for first, second in pairwise(begin for begin, _ in spans))
    for language in ("en", "zh"):
        marks = matched(text, terms_in_any_language(text), language)
        assert all(end <= begin for (_, end), (begin, _) in pairwise(marks))
        assert all(
            any(left <= begin and end <= right for left, right in marks)
            for begin, end in spans
            if terms_of_word(text[begin:end], language)
        )
