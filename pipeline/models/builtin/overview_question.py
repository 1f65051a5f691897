"""Recognises questions about documents as a whole ("What is “Notes” about?") and small talk ("Thanks"). Pure.

Such questions share no word with their answer, so a search for their words fails. They are recognised by their frame:
they the rest is empty or the name of a document. English and German.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.retrieval.terms import content_words, in_any_language, language_of, terms_in_any_language

Aim = Literal["about", "summary", "list", "self", "hello", "thanks"]

CONTENT_AIMS: tuple[Aim, ...] = ("about", "summary")
POINTS_MOST = 10
_LONGEST_CHARS = 400  # longer texts are never such questions


@dataclass(frozen=True, slots=True)
class OverviewQuestion:
    """The aim of a question: what `name` is `about`, a `summary` of it, a `list` of documents, who answers (`self`), …

    An empty `name` means all documents; `own` the visitor's. `points` is how many points were asked for.
    """

    aim: Aim
    name: str = ""
    own: bool = False
    points: int | None = None


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE | re.DOTALL)


_NUMBERS = (
    ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    ("einem", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"),
)
_NUMBER = "|".join((r"\d{1,2}", *_NUMBERS[0], *_NUMBERS[1]))
_PARTS = (
    r"(?:bullet(?:[- ]points?)?s?|points?|sentences?|lines?|words?"
    r"|stichpunkte?n?|punkte?n?|sätze?n?|satz|zeilen?|worten?)"
)
_SOME = rf"(?:{_NUMBER}|an?|a few|some|eine?[mnr]?|einigen?|ein paar|wenigen)"

_POLITE = _any(
    r"(?:\W|\b(?:please|bitte|just|so|now|and|und|(?:can|could|would|will) you|(?:kannst|könntest) du|können sie"
    r"|(?:give|tell|show|write) me|(?:gib|gebt|nenne?|zeige?|sage?|schreibe?) mir|geben sie mir"
    r"|i (?:want|need|would like)|ich (?:möchte|brauche|hätte gerne?))\b)+"
)
_FRAMES: tuple[tuple[Aim, re.Pattern[str]], ...] = (
    ("about", _any(r"what(?:['’]?s| is| are| was) (?P<name>.+?) (?:all )?about")),
    ("about", _any(r"(?:um was|worum) geht(?: e)?['’]?s(?: \w+)??(?: (?:in|im|bei|beim) (?P<name>.+))?")),
    (
        "about",
        _any(
            r"(?:what(?:['’]?s| is)|was ist) (?:the |das )?(?:main )?(?:topic|subject|theme|thema)"
            r" (?:of|in|von|des|der) (?P<name>.+)"
        ),
    ),
    ("about", _any(r"was steht (?:so )?(?:in|im) (?P<name>.+)")),
    ("about", _any(r"(?:wovon|worüber) (?:handeln|handelt|berichtet|spricht) (?P<name>.+)")),
    ("summary", _any(r"(?:summari[sz]e|sum up|recap|condense)(?: (?P<name>.+))?")),
    ("summary", _any(r"fass(?:e|en sie|t)? (?P<name>.+?) zusammen")),
    ("summary", _any(r"(?P<name>.+) (?:kurz )?zusammenfassen")),
    (
        "summary",
        _any(
            r"(?:what(?:['’]?s| is| are) |was (?:ist|sind) )?(?:an? |the |eine?n? |die |das )?"
            r"(?:very |kurze?n? |short |brief |quick |most important )*"
            r"(?:\S+ bullet(?:[- ]points?)? |\S+[- ]point )?"
            r"(?:summary|overview|gist|outline|recap|digest|tl;?dr|(?:main|key) (?:points|ideas)|takeaways"
            r"|zusammenfassung|überblick|kurzfassung|übersicht|wichtigsten (?:punkte|aussagen))"
            r"(?: (?:of|on|over|about|from|in|über|von|vom|aus|zum?|zur|des|der|im))?:?(?: (?P<name>.+))?"
        ),
    ),
)
# Frames that other questions share; here the name must be that of a document.
_FRAMES_OF_NAMED = (
    _any(r"what does (?P<name>.+?) (?:say|cover|contain|deal with|discuss|talk about|describe)"),
    _any(r"what(?:['’]?s| is| stands) (?:written )?in (?P<name>.+)"),
    _any(r"(?:something |more )?about (?P<name>.+)"),
    _any(r"(?:explain|describe|erkläre?|beschreibe?) (?:(?:to )?me |mir )?(?P<name>.+)"),
    _any(r"(?:was ist|wovon ist die rede) (?:in|im) (?P<name>.+)"),
    _any(r"was (?:enthält|enthalten|beinhaltet|sagt) (?P<name>.+)"),
)
_POINTS = _any(rf"\b({_NUMBER})[- ](?:\w+ )?{_PARTS}\b")
_MANNER = _any(
    rf"\W+(?:in|as|with|using|mit|als) (?:{_SOME}[- ])?(?:\w+ )?{_PARTS}\b",
    r"\W+(?:briefly|shortly|in short|in brief|for me|please|in (?:english|german))\b",
    r"\W+(?:kurz|bitte|für mich|auf (?:deutsch|englisch))\b",
)
_QUOTED = _any(r"[“„”\"«»\u2039\u203a\u2018'](.+)[”“\"»«\u203a\u2039\u2019']")
_FILE = _any(r"\S\.[a-z]{2,5}\b")
_BESIDES = _any(
    r"\b(?:the|this|that|these|those|it|its|them|my|mine|our|your|all|every|each|of|own|here|whole|entire|called|named"
    r"|titled|on|about|from|in|uploaded|i|we|have|an?|der|die|das|den|dem|des|diese[mnrs]?|meine?[mnrs]?|unsere?[mnrs]?"
    r"|ihre?[mnrs]?|deine?[mnrs]?|alle[mnrs]?|ganze[mnrs]?|eigene[mnrs]?|eine?[mnrs]?|namens|über|von|zum?|zur|hier|es"
    r"|ihn|sie)\b"
)
_SINGLE = r"document|doc|file|text|pdf|note|paper|article|report|page|upload|dokument|datei|notiz|artikel|bericht"
_NOUN = _any(
    rf"\b(?:{_SINGLE}|handbook|manual|book|guide|memo|table|spreadsheet)s?\b",
    r"\b(?:dokument|text|artikel|bericht|buch|handbuch|notiz|anleitung|tabelle|leitfaden)(?:e?[sn]|en|e)?\b",
    r"\b(?:dateien|handbüchern?|büchern?|collection|library|corpus|knowledge base|sammlung|bibliothek|unterlagen)\b",
    r"\b(?:everything|alles|contents?|inhalte?)\b",
)
_OWN = _any(r"\b(?:my|mine|our|meine?[mnrs]?|unsere?[mnrs]?|i (?:have|uploaded|added|brought))\b")
_THINGS = (
    r"(?:documents|docs|files|sources|topics|texts|subjects|titles|handbooks|books|materials?"
    r"|dokumente|dateien|quellen|themen|texte|unterlagen|titel|bücher)"
)
_LIST = _any(
    r"(?:list|show|name|nenne?|zeige?|liste)(?: (?:me|mir|all|alle|the|die|your|my|deine|meine|ihre|of|available))*"
    rf" {_THINGS}(?: (?:you have|there are|available|auf))?",
    rf"(?:what|which|how many|welche|was für|wie ?viele) (?:(?:kinds?|sorts?) of )?(?:other )?{_THINGS}"
    r"(?: (?:do|does|are|is|can|have|you|i|we|it|there|here|know|search|ask|about|covered|available|loaded|indexed|in"
    r"|the|this|handbook|cover|uploaded|got|access|use|read|to|gibt|es|hier|hast|haben|kennst|kennen|deckt|behandelt|das|dieses|handbuch|ab|du|sie|sind|kann|ich"
    r"|fragen|durchsuchen|abgedeckt|geladen|dir|ihnen|vorhanden))*",
    rf"(?:do you have|are there|gibt es|hast du|haben sie) (?:any )?{_THINGS}",
)
_SELF = _any(
    r"(?:who|what) are you|(?:are|bist|sind) (?:you|du|sie) (?:an? |eine? )?(?:real |echter? )?"
    r"(?:chat ?gpt|gpt|claude|gemini|llama|ai|ki|human|mensch|person|ro?bot|language model|sprachmodell|llm|glassbox)",
    r"what(?:['’]?s| is) (?:your name|glassbox)",
    r"what (?:can|do|could) you (?:do|know|help(?: me)? with|answer)(?: for me)?",
    r"how (?:do you work|can you help(?: me)?)|(?:which|what) (?:language )?model (?:are you|is this|do you use)",
    r"what (?:can|should|could|may) i (?:ask|do|search|find)(?: you| here| about| for)*|help(?: me)?",
    r"who (?:made|built|created|wrote|trained) you|wer hat (?:dich|sie) (?:gemacht|gebaut|entwickelt|programmiert)",
    r"wer (?:bist du|sind sie)|was (?:bist du|sind sie|kannst du|können sie|weißt du|machst du|ist glassbox)",
    r"wie (?:heißt du|funktionierst du|heißen sie|funktionieren sie)|hilfe|hilf mir",
    r"was (?:kann|soll|darf) ich (?:dich |sie |hier )*(?:fragen|machen|tun|suchen)",
    r"(?:welches|was für ein) (?:sprach)?modell bist du",
)
# After an answer these questions refer to its content.
_SELF_AT_FIRST = _any(
    r"how (?:does|do) (?:this|it)(?: app| site| page| tool| demo)? work(?: here)?|how do i use (?:this|it)",
    r"what(?:['’]?s| is) this(?: app| site| page| tool| demo)?",
    r"wie (?:funktioniert|geht) (?:das|es)(?: hier)?|was ist das(?: hier)?",
)
_HELLO = _any(
    r"(?:hi|hello|hey|hiya|hallo|moin|servus|grüß gott|good (?:morning|afternoon|evening|day)"
    r"|guten (?:tag|morgen|abend)|how are you(?: doing| today)?|what['’]?s up|wie geht(?: e)?['’]?s(?: dir| ihnen)?"
    r"|there|glassbox|zusammen|test(?:ing)?|[,.!?\s])+"
)
_THANKS = _any(
    r"(?:thanks?(?: you)?|thx|(?:so|very) much|a lot|for (?:your|the) (?:help|answer)|danke|schön|sehr|vielen|dank"
    r"|merci|great|nice|cool|okay|ok|got it|i see|perfect|wonderful|super|gut|prima|alles klar|verstanden|bye|goodbye"
    r"|good (?:bye|night)|cheers|tschüss|auf wiedersehen|[,.!\s])+"
)
_TALK: tuple[tuple[Aim, re.Pattern[str]], ...] = (
    ("list", _LIST),
    ("self", _SELF),
    ("hello", _HELLO),
    ("thanks", _THANKS),
)


def overview_question_of(question: str, before: str | None = None) -> OverviewQuestion | None:
    """Return what a question asks about documents as a whole; None for the usual case, one that passages answer.

    After a question `before`, "Summarise it" means that one's documents, and "How does it work?" its answer.
    """
    if len(question) > _LONGEST_CHARS:
        return None
    asked = " ".join(question.split()).rstrip(" .!?…")
    polite = _POLITE.match(asked)
    core = asked[polite.end() :] if polite else asked
    for aim, pattern in (*_TALK, *(() if before else (("self", _SELF_AT_FIRST),))):
        if any(text and pattern.fullmatch(text) for text in (core, asked)):
            return OverviewQuestion(aim, own=aim == "list" and bool(_OWN.search(core)))
    whole = _framed(core)
    if whole and before and not whole.name:
        meant = overview_question_of(before)
        return replace(meant, aim=whole.aim, points=whole.points) if meant and meant.aim in CONTENT_AIMS else None
    return whole


def calls(name: str, title: str, file: str = "") -> int:
    """Rate how well a name fits a document: 3 its title or file name, 2 all its words, 1 all but "file"; 0 not."""
    stem = file.rpartition("/")[2]
    if name.casefold() in {each.casefold() for each in (title, stem, stem.rpartition(".")[0]) if each}:
        return 3
    there = terms_in_any_language(f"{title} {stem}".replace("_", " "))
    for worth, words in ((2, name), (1, _NOUN.sub(" ", name))):
        asked = content_words(words.replace("_", " "), language_of(name))
        if asked and all(not there.isdisjoint(in_any_language(word)) for word in asked):
            return worth
    return 0


def is_general(name: str) -> bool:
    """Whether a name distinguishes no document from others: "the handbook"."""
    return not _NOUN.sub(" ", name).strip(" ,.:'’“”„\"")


def is_single(name: str) -> bool:
    """Whether a name means one unspecified document: "this file"."""
    return re.fullmatch(_SINGLE, name, re.IGNORECASE) is not None


def is_file(name: str) -> bool:
    """Whether it is the name of a file: "notes.txt"."""
    return _FILE.search(name) is not None


def _framed(asked: str) -> OverviewQuestion | None:
    for aim, frame in _FRAMES:
        if match := frame.fullmatch(asked):
            return _named(aim, match["name"] or "", asked)
    for frame in _FRAMES_OF_NAMED:
        if match := frame.fullmatch(asked):
            name = match["name"]
            tells = _QUOTED.search(name) or _NOUN.search(name) or is_file(name)
            return _named("about", name, asked) if tells else None
    return None


def _named(aim: Aim, said: str, asked: str) -> OverviewQuestion:
    quoted = _QUOTED.search(said)
    bare = " ".join(_BESIDES.sub(" ", _MANNER.sub("", f" {said}")).split()).strip(" ,:.;")
    points = _POINTS.search(asked)
    return OverviewQuestion(
        aim,
        quoted[1].strip() if quoted else bare,
        own=not quoted and _OWN.search(said) is not None,
        points=_count(points[1]) if points and not (quoted and points[0] in quoted[1]) else None,
    )


def _count(word: str) -> int:
    number = next((words.index(word.lower()) + 1 for words in _NUMBERS if word.lower() in words), None)
    return min(max(number or int(word), 1), POINTS_MOST)
