"""A refusal is known by its words, and by citing nothing but what is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.citations.refusals import Refusal, is_refusal, refusal_of, says_missing


@pytest.mark.parametrize(
    "sentence",
    [
        "The passages do not answer this.",
        "The documents say nothing about who painted the Mona Lisa.",
        "I cannot answer this from the passages.",
        "I'm unable to find that.",
        "There is no information about prices in the documents.",
        "None of the passages mentions altitude.",
        "The context doesn't mention it.",
        "It is not mentioned in the provided passages.",
        "Die Passagen beantworten das nicht.",
        "Darüber steht in den Dokumenten nichts.",
        "In den Quellen wird das nicht erwähnt.",
        "Die Dokumente enthalten keine Angaben dazu.",
        "Leider kann ich diese Frage nicht beantworten.",
    ],
)
def test_a_sentence_that_says_what_is_missing_is_known(sentence: str) -> None:
    assert says_missing(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Beans stay fresh for weeks.",
        "Water that is not hot enough does not extract.",
        "Do not store it in the fridge.",
        "It contains no caffeine.",
        "Gemahlener Kaffee hält nicht lange.",
    ],
)
def test_a_sentence_with_a_not_in_it_is_no_refusal(sentence: str) -> None:
    assert not says_missing(sentence)


@pytest.mark.parametrize(
    ("sentences", "refuses"),
    [
        ([("The passages do not answer this.", False)], True),
        ([("The passages do not mention it.", True), ("Ask me about coffee instead.", False)], True),
        ([("The passages do not give a price.", False), ("A pot of 30 ml holds 63 mg.", True)], False),
        ([("Leonardo painted it.", False)], False),
        ([], False),
    ],
)
def test_an_answer_refuses_when_it_cites_nothing_else(sentences: list[tuple[str, bool]], refuses: bool) -> None:
    assert is_refusal(sentences) is refuses


@pytest.mark.parametrize(
    "answer",
    [
        "The passages do not answer this.",
        "I could not find any information about the price of a grinder in the provided passages.",
        "I couldn’t find that in the documents.",
        "I'm sorry, but the provided context does not contain information about the opening hours.",
        "Unfortunately, none of the passages mention who founded the company.",
        "Based on the provided passages, there is no mention of a refund policy.",
        "The documents don’t specify the boiling point of milk. Please provide more context.",
        "I do not have enough information to answer this question.",
        "I don't know.",
        "N/A",
        "The answer cannot be determined from the given sources.",
        "The question cannot be answered from the passages; they only discuss espresso [1] and milk [2].",
        "There is no information in the passages about who painted the Mona Lisa.",
        "The passages provided do not explicitly state how many people live in Milan. They focus on coffee [1][3].",
        "**The sources say nothing about tea.**",
        "It is not mentioned in the text.",
        "No relevant information was found.",
        "I was unable to find an answer to your question.",
        "The price is not specified.",
        "This is outside the scope of the provided documents.",
        "Neither document mentions a warranty.",
        "The context lacks details on the salary.",
        "As an AI, I can't answer that based on the passages.",
        "I'm afraid the excerpts don't cover that topic.",
        "Die Passagen beantworten das nicht.",
        "Dazu kann ich in den Dokumenten leider nichts finden.",
        "In den vorliegenden Passagen gibt es keine Angaben zum Preis.",
        "Ich konnte keine Informationen über die Öffnungszeiten finden.",
        "Die Unterlagen enthalten keine Informationen zu Rückgaben.",
        "Das geht aus den Passagen nicht hervor.",
        "Leider wird der Gründer in den Texten nicht erwähnt.",
        "Diese Frage lässt sich anhand der Passagen nicht beantworten.",
        "Mir liegen dazu keine Informationen vor.",
        "Ich weiß es nicht.",
        "Keine Angabe.",
        "Die Frage kann nicht beantwortet werden.",
        "Über Tee steht in den Quellen nichts.",
        "Der Preis wird nicht genannt.",
        "Es gibt in den Dokumenten keinen Hinweis auf eine Garantie.",
        "Die Informationen reichen nicht aus, um die Frage zu beantworten.",
        "The provided passages do not contain sufficient information to determine the answer.",
        "Sorry, I can't help with that based on the documents.",
        "None of the sources give the boiling point.",
        "There's nothing in the documents about refunds.",
        "The text makes no reference to a fee.",
        "No passage mentions the CEO.",
        "I see no mention of Turin.",
        "The given information is insufficient to say.",
        "That information isn't available in the passages.",
        "Information about the fee is not provided.",
        "The passages never mention Turin.",
        "I do not see any details on the fee.",
        "The exact date is not given in the text [1].",
        "It's unclear from the passages whether he came.",
        "Zu dieser Frage finden sich in den Dokumenten keine Informationen.",
        "Aus dem Kontext lässt sich das nicht ableiten.",
        "In den Auszügen ist davon keine Rede.",
        "Darauf geben die Passagen keine Antwort.",
        "Hierzu liegen keine Angaben vor.",
        "Die bereitgestellten Texte sagen nichts darüber, wer das tat.",
        "Die Passagen geben darüber keine Auskunft.",
        "Das steht nicht in den Dokumenten.",
        "Dies ist den Unterlagen nicht zu entnehmen.",
        "Den Passagen lässt sich nicht entnehmen, wer das tat.",
        "Tut mir leid, das kann ich nicht beantworten.",
        "Es wird nicht erwähnt, wann das war.",
        "Der genaue Preis ist nicht angegeben.",
        "Mit den vorliegenden Informationen kann ich das nicht sagen.",
        "Keiner der Abschnitte nennt den Preis.",
        "Informationen dazu fehlen in den Passagen.",
        "While the passages describe the moka pot [1], they do not say who invented it.",
        "The passages mention Gaggia [1] but do not say when he was born.",
    ],
)
def test_a_refusal_in_a_models_own_words_is_known(answer: str) -> None:
    refusal = refusal_of(answer)
    assert refusal is not None
    assert refusal.is_whole


@pytest.mark.parametrize(
    "answer",
    [
        "The documents do not mention a fee, but the cost is 9 € [2]",
        "A moka pot brews under about 1.5 bar [1]. The passages do not say who sells it.",
        "The passages do not give a price. A pot of 30 ml holds 63 mg [2].",
        "Crema is foam [1]. However, I could not find how long it lasts.",
        "Die Dokumente nennen keine Gebühr, aber die Kosten betragen 9 € [2].",
        "Die Kanne kam 1933 auf den Markt [1]. Wer sie erfand, wird in den Passagen nicht erwähnt.",
        "The machine presses water with 9 bar [1], but the passages don't mention how hot it is.",
        "Crema is foam [1]; its temperature is not mentioned in the passages.",
    ],
)
def test_what_refuses_beside_an_answer_refuses_in_part(answer: str) -> None:
    refusal = refusal_of(answer)
    assert refusal is not None
    assert not refusal.is_whole
    assert all(says_missing(answer[begin:end]) for begin, end in refusal.spans)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I don't know of any exception: every bean loses gas [1].",
        "Beans stay fresh for weeks [1].",
        "Decaf does not contain caffeine [1].",
        "Breakfast is not included [2].",
        "Towels are not provided [1].",
        "The species is not found in Europe [3].",
        "There is no evidence that coffee stunts growth [2].",
        "It contains no sugar [1].",
        "The manual says: “The passages do not mention it.” [1]",
        "> I could not find it.\n\nShe wrote this in 1999 [1].",
        "The document says that decaf does not contain caffeine [1].",
        "Das Frühstück ist nicht enthalten [1].",
        "Laut den Unterlagen ist das Frühstück nicht enthalten [2].",
        "In dem Dokument steht, dass der Hund nicht bellt [1].",
        "You cannot find a better grinder [1].",
        "No, the warranty does not cover scratches [1].",
        "Nein, das ist nicht erlaubt [1].",
        "The contract does not allow this [1].",
        "Der Kaffee enthält keinen Zucker [1].",
        "Er konnte den Schatz nicht finden [1].",
        "They could not find the wreck until 1985 [1].",
        "Scientists do not know why cats purr [1].",
        "Es gibt keine Ausnahme [1].",
        "The law does not specify a limit for tea [1].",
        "According to the documents the fee does not include taxes [1].",
        "The document shows that tea has no sugar [2].",
        "He did not say a word [1].",
        "This card does not give access to the pool [1].",
        "Members do not have to provide a copy [2].",
        "I found no fault with it, he wrote [1].",
        "Der Hund ist nicht im Haus [1].",
        "Man kann den Berg nicht sehen [2].",
        "Es ist nicht erlaubt, hier zu parken [1].",
        "Water that is not hot enough does not extract.",
        "Do not store it in the fridge.",
        "The data show no effect [1].",
        "Die Daten sind nicht verschlüsselt [1].",
        "Das Gericht konnte die Schuld nicht feststellen [1].",
        "Diese Regel gilt nicht für Hunde [1].",
        "Children under six do not need a ticket, and no information is stored [1].",
    ],
)
def test_a_claim_with_a_negation_is_no_refusal(answer: str) -> None:
    assert refusal_of(answer) is None


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        ("I couldn’t find any information about the price of a grinder in the passages.", "the price of a grinder"),
        ("The passages do not say who sells it.", "who sells it"),
        ("The documents do not mention a fee, but the cost is 9 € [2]", "a fee"),
        ("The documents do not mention the “Gold” card.", "the “Gold” card"),
        ("The exact date is not given in the text [1].", "The exact date"),
        ("Ich konnte keine Informationen über die Öffnungszeiten finden.", "die Öffnungszeiten"),
        ("Leider wird der Gründer in den Texten nicht erwähnt.", "der Gründer"),
        ("The passages do not mention “La Paz”, “Bern”. “Water” comes closest.", "La Paz, Bern"),
        (
            "It is 9 bar [1]. The passages do not answer: “which one is cheapest, and where”.",
            "which one is cheapest, and where",
        ),
        ("The passages do not say who sells it. The documents do not mention a fee.", "who sells it; a fee"),
        ("The passages do not say who sells it. They do not say who sells it.", "who sells it"),
        (
            "Es sind 9 bar [1].\n\nDie Passagen beantworten nicht: „wie laut ist sie“. „Herd“ kommt am nächsten.",
            "wie laut ist sie",
        ),
        ("In den Passagen fehlt „Bern“, „Graz“. Zu „Wien“ kommt „Kaffee“ am nächsten.\n\nWien [1].", "Bern, Graz"),
        ("The passages do not answer this.", ""),
        ("Das steht nicht in den Dokumenten.", ""),
    ],
)
def test_what_is_missing_is_told_in_the_answers_words(answer: str, missing: str) -> None:
    refusal = refusal_of(answer)
    assert refusal is not None
    assert refusal.missing == missing


REFUSALS = ("The passages do not mention it.", "I could not find that in the documents.", "Das weiß ich leider nicht.")
MARKS = (("“", "”"), ("„", "“"), ("«", "»"), ("»", "«"), ('"', '"'), ("\u2018", "’"), ("`", "`"))


@given(st.sampled_from(REFUSALS), st.sampled_from(MARKS), st.sampled_from(("He wrote: ", "Die Anleitung sagt ", "")))
def test_a_refusal_that_is_quoted_is_none(refusal: str, marks: tuple[str, str], before: str) -> None:
    assert refusal_of(f"{before}{marks[0]}{refusal}{marks[1]} [1]") is None
    assert refusal_of(f"Milk has foam [2].\n\n> {refusal}\n\nThat is all [1].") is None
    assert refusal_of(f"```\n{refusal}\n```\n\nThat is all [1].") is None


@given(st.text(max_size=200))
def test_any_text_is_read_and_its_spans_lie_in_it(answer: str) -> None:
    refusal = refusal_of(answer)
    assert refusal is None or all(0 <= begin < end <= len(answer) for begin, end in refusal.spans)


def test_an_answer_of_a_few_words_may_be_a_refusal() -> None:
    assert refusal_of("Not mentioned.") == Refusal(True, "", ((0, 14),))


def test_a_refusal_among_thousands_of_words_is_found() -> None:
    assert refusal_of("the passages " * 2000 + ". I don't know.") is not None
