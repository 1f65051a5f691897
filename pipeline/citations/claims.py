"""A sentence of an answer as a claim: what it says without its marks, in the words of a language. Pure."""

from __future__ import annotations

import re

from pipeline.citations.answer_sentences import AnswerSentence
from pipeline.citations.refusals import says_missing
from pipeline.citations.sentences import without_list_marker
from pipeline.citations.tokens import Token, tokens_of
from pipeline.retrieval.languages import Language
from pipeline.retrieval.terms import detected_language

CLAIM_WORDS_MIN = 2  # a sentence with fewer content words claims nothing

_NAMED_IN_GERMAN = r"passagen?|quellen?|dokumente?n?|unterlagen|texte?n?|abschnitte?s?"
_SOURCES = rf"(?:passages?|sources?|documents?|context|{_NAMED_IN_GERMAN})"
_OF_SOURCES = re.compile(
    rf"\(?\b{_SOURCES}\s*(?:no\.|nr\.)?\s*#?\d+\)?"
    r"|\b(?:according to|based on|as stated in|laut|gemäß|nach) (?:the|these|this|den|dem|der|diesen)\s"
    rf"(?:provided |given |vorliegenden |genannten )?{_SOURCES}\b,?",
    re.IGNORECASE,
)
_OPENER = re.compile(
    r"\W*(?:(?:in (?:fact|addition|short|summary|general|particular|other words)|notably|additionally|furthermore"
    r"|moreover|however|overall|therefore|thus|for (?:example|instance)|specifically|indeed|finally|similarly"
    r"|interestingly|tatsächlich|zudem|außerdem|darüber hinaus|insgesamt|kurz gesagt|zusammenfassend|daher|somit"
    r"|zum beispiel|beispielsweise|insbesondere|allerdings|ebenso|zusammengefasst|genauer gesagt)(?: gilt)?[,:]"
    r"|gilt:)\s",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    r"\W*(?:sure|certainly|of course|okay|here (?:is|are)|here['’]s|below (?:is|are)|i hope|hope this|let me know"
    r"|in summary:|gerne|hier (?:ist|sind)|natürlich|ich hoffe)\b",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\s*\[\^?\d{1,3}\]:\s")  # "[1]: Handbook, page 3", below the answer
# "“Espresso” comes closest.", as the built-in model names a passage beside what is missing.
_NAMES_CLOSEST = re.compile(r"[”“\"] comes closest\W*$|\bkommt\b[^.]*\bam nächsten\W*$")


class Claim:
    """A sentence of an answer as it is compared; its tokens stand at places of the answer."""

    def __init__(self, sentence: AnswerSentence) -> None:
        marked = _OF_SOURCES.sub(_blank, sentence.text)
        if opener := _OPENER.match(marked):
            marked = _blank(opener) + marked[opener.end() :]
        self.text = without_list_marker(marked)
        self._start = sentence.start + len(marked) - len(self.text)
        self._kind = sentence.kind
        self.language = detected_language(self.text)
        self._tokens: dict[Language | None, tuple[Token, ...]] = {}

    def tokens(self, language: Language | None) -> tuple[Token, ...]:
        """Return its tokens, read in a language."""
        if language not in self._tokens:
            self._tokens[language] = tokens_of(self.text, language, self._start)
        return self._tokens[language]

    @property
    def claims_nothing(self) -> bool:
        """Whether it needs no citation: a heading, a question, an introduction, a greeting, a refusal, a source."""
        text = self.text.strip()
        words = [token for token in self.tokens(self.language) if token.kind != "function"]
        return (
            self._kind in ("heading", "table_head")
            or len(words) < CLAIM_WORDS_MIN
            or text.endswith((":", "?"))
            or bool(_PREAMBLE.match(text) or _REFERENCE.match(text) or _NAMES_CLOSEST.search(text))
            or says_missing(text)
        )


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])
