"""What the bench of verdicts plants: one wrong fact in a right sentence, and statements that say what was asked."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from bench.corruptions import PLANTS
from bench.hallucinations import checked_example, examples, hallucination_table, is_hallucination_set
from bench.planted import UNANSWERABLE, WORDINGS, cases
from bench.statements import statement
from pipeline.retrieval.languages import Language

SENTENCES: dict[Language, str] = {
    "en": "In March 1943, the workshop of Anna Rossi in Turin sold 250 boilers of 9 bar, more than all others, and was "
    "not closed.",
    "de": "Im März 1943 verkaufte die Werkstatt von Anna Rossi in Turin 250 Kessel mit 9 Tonnen, mehr als alle "
    "anderen, und wurde nicht geschlossen.",
}
OTHERS: dict[Language, list[str]] = {
    "en": ["The dealer Karl Brandt built 17 grinders in Milan.", "It moved to Paul Weber in Rome with 31 mills."],
    "de": ["Es baute Karl Brandt 17 Mühlen in Mailand.", "Es kaufte Paul Weber 31 Krüge in Rom."],
}


@pytest.mark.parametrize("kind", PLANTS)
@pytest.mark.parametrize("language", SENTENCES)
def test_a_planted_error_changes_one_fact(kind: str, language: Language) -> None:
    right = SENTENCES[language]
    for seed in range(8):
        wrong = PLANTS[kind](right, language, Random(seed), OTHERS[language])
        assert wrong
        assert wrong != right
        left_out, put_in = (Counter(re.findall(r"\w+", text)) for text in (right, wrong))
        changed = (left_out - put_in).total(), (put_in - left_out).total()
        if kind == "names swapped":
            assert changed == (0, 0)
        else:
            assert max(changed) <= (2 if kind == "name" else 1)  # "Anna Rossi" has two words


@pytest.mark.parametrize(
    ("question", "gold", "language", "said"),
    [
        ("When did the workshop move to Turin?", "1943", "en", "The workshop move to Turin in 1943."),
        ("On what day was the first boiler sold?", "7 May", "en", "The first boiler was sold on 7 May."),
        ("How many boilers did Rossi sell?", "250", "en", "Rossi sell 250 boilers."),
        ("Who built the Alba?", "Anna Rossi", "en", "Anna Rossi built the Alba."),
        ("What can a boiler hold?", "water", "en", ""),
        ("Wann zog die Werkstatt um?", "1943", "de", "1943 zog die Werkstatt um."),
        ("In welcher Stadt steht die Werkstatt?", "Turin", "de", "In Turin steht die Werkstatt."),
        ("Wie viele Kessel verkaufte Rossi?", "250", "de", "250 Kessel verkaufte Rossi."),
    ],
)
def test_a_question_with_its_answer_becomes_a_statement(
    question: str, gold: str, language: Language, said: str
) -> None:
    assert statement(question, gold, language) == said


def squad(folder: Path) -> Path:
    """A file in SQuAD's format: three paragraphs, one with a question that it does not answer."""
    texts = [
        SENTENCES["en"],
        "Karl Brandt built grinders in Milan for many years.",
        "Milk is steamed at 65 °C in a jug.",
    ]
    answered = {"question": "Who was in Turin?", "answers": [{"text": "Anna Rossi", "answer_start": 30}]}
    trick = {"question": "Who was in Rome?", "answers": [], "plausible_answers": [{"text": "Anna Rossi"}]}
    paragraphs = [{"context": text, "qas": [answered, trick] if text is texts[0] else []} for text in texts]
    file = folder / "squad.json"
    file.write_text(json.dumps({"data": [{"title": "Coffee", "paragraphs": paragraphs}]}), encoding="utf-8")
    return file


def test_each_sentence_is_right_wrongly_cited_uncited_and_wrong(tmp_path: Path) -> None:
    found = list(cases(squad(tmp_path), passages=3, seed=1, most=1))
    assert {each.wording for each in found} == {"quote", "part", "moved", "reworded", "statement"}
    assert {each.planted for each in found} >= {"", "cited passage", "no citation", "number", "name", UNANSWERABLE}
    for each in found:
        if each.planted == "cited passage":
            assert each.citation != each.right
        elif each.planted == "no citation":
            assert each.answer == each.sentence
        else:
            assert f"[{each.right}]" in each.answer
        if each.wording in WORDINGS and each.planted in PLANTS:
            assert each.sentence.rstrip(".") not in each.passages[each.right - 1].text


def test_marked_answers_are_read_in_both_formats(tmp_path: Path) -> None:
    answer = "Rossi sold 250 boilers. She died in Rome in 1990."
    wrong = answer.index("She"), len(answer)
    ragtruth = tmp_path / "ragtruth"
    ragtruth.mkdir()
    sources: list[dict[str, object]] = [
        {"source_id": "1", "task_type": "Summary", "source_info": "Anna Rossi sold 250 boilers of 9 bar."},
        {"source_id": "2", "task_type": "QA", "source_info": {"passages": "passage 1:Rossi sold 250 boilers.\n\n"}},
        {"source_id": "3", "task_type": "Data2txt", "source_info": {"name": "Rossi", "boilers": {"sold": 250}}},
    ]
    label = {"start": wrong[0], "end": wrong[1]}
    responses: list[dict[str, object]] = [
        {"source_id": each["source_id"], "labels": [label], "response": answer} for each in sources
    ]
    for name, lines in (("source_info", sources), ("response", [*responses, responses[0] | {"split": "train"}])):
        (ragtruth / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    note = {"label": ["Unwanted.Extrinsic"], "summary_start": wrong[0], "summary_end": wrong[1]}
    sample = {"source": "Anna Rossi sold 250 boilers.", "summary": answer, "annotations": [note]}
    faithbench = tmp_path / "batch.json"
    faithbench.write_text(json.dumps({"samples": [sample]}), encoding="utf-8")
    for path, count in ((ragtruth, 3), (faithbench, 1)):
        assert is_hallucination_set(path)
        checked = [checked_example(each) for each in examples(path)]
        assert len(checked) == count
        assert [[claim.is_wrong for claim in each.claims] for each in checked] == [[False, True]] * count
        assert all(each.claims[0].verdict.score > each.claims[1].verdict.score for each in checked)
        assert len(list(hallucination_table(path.name, checked))) == 2 + 2 * len(
            {each.example.task for each in checked}
        )
