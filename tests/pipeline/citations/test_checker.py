"""The verdict on each sentence of an answer."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from i18n import CATALOGUE
from i18n.messages import verdict_text
from pipeline.citations.checker import Checker
from pipeline.citations.sentences import sentences
from pipeline.passages import Passage
from pipeline.verdicts import Verdict

BOILER = (
    "The boiler of the Alba works at 9 bar and heats 1.5 litres. Anna Rossi built it in Turin on 7 January 1943. "
    "Most models have a thermometer, but they do not have a timer. Rossi sold the workshop to Karl Brandt. "
    "Grind the beans before you tamp them."
)
KESSEL = (
    "Der Kessel der Alba arbeitet mit 9 bar und fasst 1,5 Liter. Anna Rossi baute ihn am 7. Januar 1943 in Turin. "
    "Die meisten Modelle haben ein Thermometer, aber keine Uhr. Rossi verkaufte die Werkstatt an Karl Brandt. "
    "Der Umsatz stieg um 20 Prozent."
)
SHOT = (
    "Espresso is brewed at 9 bar with water of 90 to 96 °C. A double shot takes 25–30 seconds and weighs about 36 g. "
    "Only freshly ground beans give a thick crema. Descale the machine at least every three months; do not use "
    "vinegar. World War II ended in 1945."
)
PREIS = (
    "Die Maschine kostet 7.000 Euro und wiegt 12,5 kg. Sie ist seit dem 1.3.2019 nicht mehr lieferbar. Mindestens 20 "
    "Prozent der Bohnen stammen aus Äthiopien. Ein halber Liter Wasser reicht."
)
MILK = "Milk is steamed at 65 °C. The pitcher holds 350 ml. Cold milk gives a finer foam."


def checked(answer: str, *texts: str) -> list[Verdict]:
    checker = Checker(Passage(number, str(number), "", "", text, 1.0) for number, text in enumerate(texts, 1))
    return [*checker.add(answer), *checker.end()]


def label(answer: str, *texts: str) -> str:
    (verdict,) = checked(answer, *texts)
    return verdict.label


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("The boiler of the Alba works at 9 bar and heats 1.5 litres [1].", BOILER),
        ("**Anna Rossi** built it in Turin on 7 January 1943 [1].", BOILER),
        ("- Rossi sold the workshop to Karl Brandt. [1]", BOILER),
        ("Der Kessel der Alba arbeitet mit 9 bar [1] und fasst 1,5 Liter [1].", KESSEL),
        ("| Grind the beans before you tamp them | [1] |", BOILER),
    ],
)
def test_a_copy_of_a_passage_is_verbatim(answer: str, passage: str) -> None:
    assert label(answer, passage) == "verbatim"


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("In fact, the Alba's boiler works at 9 bar and heats 1.5 litres [1].", BOILER),
        ("On January 7, 1943, Anna Rossi built it in Turin [1].", BOILER),
        ("Anna Rossi built it in Turin on 1943-01-07 [1].", BOILER),
        ("The boiler of the Alba works at 0.9 MPa and heats 1.5 litres [1].", BOILER),
        ("Am 7. Januar 1943 baute ihn Anna Rossi in Turin [1].", KESSEL),
        ("Laut der Passage arbeitet der Kessel der Alba mit 9 bar und fasst 1,5 l [1].", KESSEL),
    ],
)
def test_the_same_in_nearly_the_same_words_is_supported(answer: str, passage: str) -> None:
    assert label(answer, passage) == "supported"


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("Anna Rossi, who sold her workshop to Karl Brandt, built the boiler in Turin in 1943 [1].", BOILER),
        ("The Alba's boiler, built by Anna Rossi in Turin in 1943, works at 9 bar [1].", BOILER),
        ("The workshop was sold to Karl Brandt by Anna Rossi [1].", BOILER),
        ("Beans must be ground before they are tamped [1].", BOILER),
        ("Its two parts are a boiler that works at 9 bar and heats 1.5 litres [1].", BOILER),
        ("The boiler works at 9 bar and Rossi sold the workshop to Karl Brandt [1].", BOILER),
        ("Anna Rossi hat den Kessel 1943 in Turin gebaut [1].", KESSEL),
        ("Der Kessel, den Anna Rossi 1943 in Turin baute, arbeitet mit 9 bar [1].", KESSEL),
        ("Milk is steamed at 65 °C in a pitcher that holds 350 ml [1].", MILK),
    ],
)
def test_the_same_in_other_words_is_supported_and_no_difference_is_named(answer: str, passage: str) -> None:
    (verdict,) = checked(answer, passage)
    assert (verdict.label, verdict.differences) == ("supported", ())
    assert verdict.score < 1


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("- **Pressure:** Espresso is brewed at 9 bar [1]", SHOT),
        ("* **Descaling**: at least every three months, without vinegar [1]", SHOT),
        ("| Pressure | 9 bar | [1] |", SHOT),
        ("According to [1], espresso is brewed at 9 bar.", SHOT),
        ("[1] says that espresso is brewed at 9 bar.", SHOT),
        ('The handbook says: "Only freshly ground beans give a thick crema" [1].', SHOT),
        ("Water has between 90 and 96 degrees Celsius [1].", SHOT),
        ("A double shot weighs ~36 grams [1].", SHOT),
        ("A shot takes about half a minute [1].", SHOT),
        ("The Second World War ended in 1945 [1].", SHOT),
        ("Never use vinegar [1].", SHOT),
        ("Die Maschine kostet 7000 € [1].", PREIS),
        ("Seit dem 1. März 2019 ist sie nicht mehr lieferbar [1].", PREIS),
        ("Mindestens 20 % der Bohnen kommen aus Äthiopien [1].", PREIS),
        ("½ Liter Wasser reicht [1].", PREIS),
    ],
)
def test_the_same_as_models_write_it_is_supported(answer: str, passage: str) -> None:
    assert label(answer, passage) == "supported"


@pytest.mark.parametrize(
    ("answer", "passage", "said", "source"),
    [
        ("| Shot | 40 g | [1] |", SHOT, "40 g", "36 g"),
        ("Descale it at most every three months [1].", SHOT, "most", "least"),
        ("You can use vinegar [1].", SHOT, "use", "not"),
        ("Sie ist lieferbar [1].", PREIS, "lieferbar", "nicht"),
        ("Höchstens 20 % der Bohnen stammen aus Äthiopien [1].", PREIS, "Höchstens", "Mindestens"),
    ],
)
def test_an_error_as_models_make_it_is_named(answer: str, passage: str, said: str, source: str) -> None:
    (verdict,) = checked(answer, passage)
    assert verdict.label == "weak"
    told = [
        (answer[each.answer[0] : each.answer[1]], passage[each.source[0] : each.source[1]])
        for each in verdict.differences
        if each.source
    ]
    assert told == [(said, source)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Espresso is brewed at 9 bar [1] and milk is steamed at 65 °C [2].", ("supported", None)),
        ("Espresso is brewed at 6 bar [1], and milk is steamed at 65 °C [2].", ("weak", 1)),
        ("Espresso is brewed at 9 bar [1], and milk is steamed at 56 °C [2].", ("weak", 2)),
        ("Espresso is brewed at 9 bar [2] and milk is steamed at 65 °C [1].", ("wrong_source", 1)),
        ("A double shot takes 25–30 seconds [1] and comes in a cup of walnut wood [2].", ("not_found", 2)),
        ("[1] says that espresso is brewed at 9 bar, [2] that milk is steamed at 65 °C.", ("supported", None)),
    ],
)
def test_each_clause_with_a_citation_of_its_own_is_checked(answer: str, expected: tuple[str, int | None]) -> None:
    (verdict,) = checked(answer, SHOT, MILK)
    assert (verdict.label, verdict.passage if verdict.label != "supported" else None) == expected


def test_a_list_of_sources_claims_nothing() -> None:
    said, listed = checked("Espresso is brewed at 9 bar.[^1]\n\n[^1]: Handbook, page 3 of 9", SHOT)
    assert (said.label, listed.label) == ("verbatim", "no_claim")


def test_only_is_missed_where_the_passage_does_not_say_it() -> None:
    assert label("Nur 20 Prozent der Bohnen stammen aus Äthiopien [1].", PREIS) == "weak"


def test_a_name_that_only_an_uncited_passage_holds_is_missed() -> None:
    answer = "Milk is steamed at 65 °C by Anna Rossi [2]."
    said, unsaid = checked(answer, BOILER, MILK)[0], checked(answer, "Beans are ground.", MILK)[0]
    assert (said.label, unsaid.label) == ("weak", "weak")
    assert said.score < unsaid.score


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("Anna Brandt ran a workshop in the old town of Turin [1].", "Anna Rossi and Karl Brandt ran it in Turin."),
        ("It was Karl who planned an attack on Rome [1].", "Karl planned an attack on Turin and went to Rome."),
    ],
)
def test_facts_beside_other_words_than_in_the_passage_are_not_supported(answer: str, passage: str) -> None:
    assert label(answer, passage) == "weak"


@pytest.mark.parametrize(
    ("answer", "passage", "code", "said", "source"),
    [
        (
            "The boiler of the Alba works at 6 bar and heats 1.5 litres [1].",
            BOILER,
            "differs",
            "6 bar",
            "9 bar",
        ),
        (
            "The boiler of the Alba works at 9 psi and heats 1.5 litres [1].",
            BOILER,
            "differs",
            "9 psi",
            "9 bar",
        ),
        ("Anna Rossi built it in Turin on 7 March 1943 [1].", BOILER, "differs", "March", "January"),
        ("Anna Rossi built it in Turin on 7 January 1953 [1].", BOILER, "differs", "1953", "1943"),
        ("Anna Rossi built it in Milan on 7 January 1943 [1].", BOILER, "differs", "Milan", "Turin"),
        ("Rossi sold the workshop to Paul Brandt [1].", BOILER, "differs", "Paul", "Karl"),
        ("Karl Brandt sold the workshop to Rossi [1].", BOILER, "order", "Karl Brandt", "Rossi"),
        ("All models have a thermometer, but they do not have a timer [1].", BOILER, "differs", "All", "Most"),
        ("Grind the beans after you tamp them [1].", BOILER, "differs", "after", "before"),
        ("Der Kessel der Alba arbeitet mit 6 bar [1].", KESSEL, "differs", "6 bar", "9 bar"),
        ("Anna Rossi baute ihn am 7. Mai 1943 in Turin [1].", KESSEL, "differs", "Mai", "Januar"),
        ("Anna Rossi baute ihn am 7. Januar 1943 in Mailand [1].", KESSEL, "differs", "Mailand", "Turin"),
        ("Karl Brandt verkaufte die Werkstatt an Rossi [1].", KESSEL, "order", "Karl Brandt", "Rossi"),
        ("Der Umsatz sank um 20 Prozent [1].", KESSEL, "differs", "sank", "stieg"),
        ("Alle Modelle haben ein Thermometer, aber keine Uhr [1].", KESSEL, "differs", "Alle", "meisten"),
    ],
)
def test_one_changed_fact_is_named_with_what_the_passage_says(
    answer: str, passage: str, code: str, said: str, source: str
) -> None:
    (verdict,) = checked(answer, passage)
    assert verdict.label == "weak"
    assert verdict.reason.code == code
    assert (verdict.reason.values["answer"], verdict.reason.values["source"]) == (said, source)
    assert said in [answer[each.answer[0] : each.answer[1]] for each in verdict.differences]
    assert source in [passage[each.source[0] : each.source[1]] for each in verdict.differences if each.source]


@pytest.mark.parametrize(
    ("answer", "passage", "code"),
    [
        ("Most models have a thermometer, but they do have a timer [1].", BOILER, "negation_left_out"),
        ("Most models do not have a thermometer, but they do not have a timer [1].", BOILER, "negation_added"),
        ("They do have a timer [1].", BOILER, "negation_left_out"),
        ("Die meisten Modelle haben kein Thermometer, aber keine Uhr [1].", KESSEL, "negation_added"),
        ("Die meisten Modelle haben ein Thermometer, aber eine Uhr [1].", KESSEL, "negation_left_out"),
    ],
)
def test_a_negation_on_one_side_is_named(answer: str, passage: str, code: str) -> None:
    (verdict,) = checked(answer, passage)
    assert (verdict.label, verdict.reason.code) == ("weak", code)


WAY = "Espresso describes a way of brewing, not a bean or a roast. Any coffee bean may be used."
ART = "Espresso bezeichnet eine Zubereitung, nicht eine Bohne oder eine Röstung. Jede Bohne eignet sich."


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("Espresso describes a bean, not a roast [1].", WAY),
        ("Espresso describes a bean, not a way of brewing [1].", WAY),
        ("Espresso describes a bean rather than a way of brewing [1].", WAY),
        ("Espresso describes not a way of brewing but a bean [1].", WAY),
        ("Espresso is a bean, not a way of brewing [1].", "Espresso is a way of brewing and describes no bean."),
        ("Espresso bezeichnet eine Bohne, keine Zubereitung [1].", ART),
        ("Espresso bezeichnet nicht eine Zubereitung, sondern eine Bohne [1].", ART),
    ],
)
def test_a_contrast_the_other_way_round_is_not_supported(answer: str, passage: str) -> None:
    [verdict] = checked(answer, passage)
    assert verdict.label == "weak"
    assert "negation" in {each.kind for each in verdict.differences}


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("Espresso describes a way of brewing, not a bean [1].", WAY),
        ("Espresso describes not a bean but a way of brewing [1].", WAY),
        ("Espresso bezeichnet eine Zubereitung, keine Röstung [1].", ART),
    ],
)
def test_a_contrast_as_in_the_passage_is_supported(answer: str, passage: str) -> None:
    assert label(answer, passage) in ("verbatim", "supported")


def test_a_number_that_the_passage_lacks_is_named() -> None:
    (verdict,) = checked("The boiler of the Alba works at 9 bar and heats 1.5 litres in 40 minutes [1].", BOILER)
    assert (verdict.label, verdict.reason.code, verdict.reason.values["answer"]) == ("weak", "absent", "40 minutes")


def test_a_wrong_citation_names_the_passage_that_says_it() -> None:
    (verdict,) = checked("Milk is steamed at 65 °C [1].", BOILER, MILK)
    assert (verdict.label, verdict.suggested, verdict.passage) == ("wrong_source", 2, 2)
    assert verdict.quote is not None
    assert MILK[verdict.quote[0] : verdict.quote[1]] == "Milk is steamed at 65 °C."


def test_a_right_citation_is_kept_though_another_passage_says_it_too() -> None:
    assert label("Milk is steamed at 65 °C [2].", MILK, MILK) == "verbatim"


def test_a_claim_without_citation_is_uncited_and_names_the_passage_that_says_it() -> None:
    said, unsaid = checked("The pitcher holds 350 ml. The handle is made of walnut wood.", BOILER, MILK)
    assert (said.label, said.suggested) == ("uncited", 2)
    assert (unsaid.label, unsaid.suggested) == ("uncited", None)


def test_a_claim_of_other_things_is_not_found() -> None:
    assert label("Penguins breed on the coast of Antarctica during winter [1].", MILK) == "not_found"


def test_a_number_without_passage_is_not_found() -> None:
    (verdict,) = checked("Milk is steamed at 65 °C and the cup is warmed by hand [7].", BOILER)
    assert (verdict.label, verdict.passage, verdict.reason.code) == ("not_found", None, "unknown_passage")


@pytest.mark.parametrize(
    "answer",
    [
        "## The boiler",
        "Here is what I found:",
        "Shall I look for more?",
        "The passages do not mention the price of the machine.",
        "Die Passagen enthalten keine Angaben zum Preis.",
        "I hope this helps you with the machine!",
        "Yes.",
    ],
)
def test_what_claims_nothing_needs_no_citation(answer: str) -> None:
    assert label(answer, BOILER) == "no_claim"


def test_what_one_cited_passage_lacks_may_stand_in_the_other() -> None:
    answer = "The boiler of the Alba works at 9 bar and heats 1.5 litres to 65 °C [1][2]."
    assert label(answer, BOILER, MILK) == "supported"
    assert label(answer.replace("[2]", ""), BOILER, MILK) == "weak"


def test_an_answer_in_another_language_is_never_more_than_weak() -> None:
    (verdict,) = checked("Anna Rossi hat ihn 1943 in der Stadt Turin für sich selbst gebaut [1].", BOILER)
    assert verdict.label == "weak"
    assert verdict.quote is not None


def test_a_language_without_stemmer_is_compared_by_spelling() -> None:
    passage = "La caldera trabaja a 9 bares. Anna Rossi la construyó en Turín."
    assert label("La caldera trabaja a 9 bares [1].", passage) == "verbatim"
    assert label("La caldera trabaja a 6 bares [1].", passage) == "weak"


@pytest.mark.parametrize("language", CATALOGUE)
def test_every_reason_is_a_sentence(language: str) -> None:
    answer = (
        "The boiler of the Alba works at 6 bar and heats 1.5 litres [1]. Karl Brandt sold the workshop to "
        "Rossi [1]. They do have a timer [1]. Milk is steamed at 65 °C [1]. Milk is steamed at 65 °C. "
        "Penguins breed in Antarctica during winter [1]. Milk is steamed at 65 °C [2]. Water boils at 95 °C [9]."
    )
    texts = [verdict_text(each.reason, language) for each in checked(answer, BOILER, MILK)]
    assert len(texts) == 8
    assert all(text.endswith(".") for text in texts)


PIECES = st.sampled_from(
    [
        *(BOILER[begin:end] for begin, end in sentences(BOILER)),
        *(KESSEL[begin:end] for begin, end in sentences(KESSEL)),
        "[1]",
        " [2]",
        "[1] says that ",
        "**bold** text",
        "\n\n",
        "\n- ",
        "\n| a | 9 bar [1] |\n",
        "| --- | --- |",
        "\n```\ncode 6 bar.\n```\n",
        "`a[1]` ",
        "$x_1$ ",
        "\n## Heat\n",
        " ",
        "J. A. Hobson ",
        "e. g. 3. Mai",
        "6 bar, 9 psi",
        "nicht alle",
        "?",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join), st.data())
def test_growing_text_gets_the_verdicts_of_the_whole(answer: str, data: st.DataObject) -> None:
    passages = [Passage(number, "", "", "", text, 1.0) for number, text in enumerate((BOILER, KESSEL), 1)]
    checker, at, found = Checker(passages), 0, list[Verdict]()
    while at < len(answer):
        size = data.draw(st.integers(1, 9))
        found += checker.add(answer[at : at + size])
        at += size
    found += checker.end()
    assert found == checked(answer, BOILER, KESSEL)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=80)))
def test_places_lie_in_their_texts(answer: str) -> None:
    texts = {1: BOILER, 2: KESSEL}
    found = checked(answer, *texts.values())
    assert [each.index for each in found] == list(range(len(found)))
    assert all(one.end <= two.start for one, two in pairwise(found))
    for verdict in found:
        assert 0 <= verdict.start < verdict.end <= len(answer)
        assert 0 <= verdict.score <= 1
        assert verdict.passage in (None, *texts)
        for difference in verdict.differences:
            assert verdict.start <= difference.answer[0] < difference.answer[1] <= verdict.end
        for span in (verdict.quote, *(each.source for each in verdict.differences)):
            assert span is None or 0 <= span[0] < span[1] <= len(texts[verdict.passage or 0])
        if verdict.label in ("verbatim", "supported"):
            assert verdict.quote
            assert not verdict.differences


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([(text, span) for text in (BOILER, KESSEL, MILK) for span in sentences(text)]))
def test_each_sentence_of_a_passage_with_its_citation_is_verbatim(place: tuple[str, tuple[int, int]]) -> None:
    text, (begin, end) = place
    (verdict,) = checked(f"{text[begin : end - 1]} [1].", text)
    assert (verdict.label, verdict.quote, verdict.score) == ("verbatim", (begin, end), 1.0)
