"""Every sentence of the built-in model that is no quote, in English and German."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from pipeline.retrieval.languages import Language


@dataclass(frozen=True, slots=True)
class Wording:
    """All sentences that are not quotes, in one language."""

    near: str
    missing: str
    rest: str
    unsaid: str
    negation: str
    opposite: str
    instead: str
    none: str
    unanswered: str
    closest: str
    marks: str
    point: str  # of a decimal number
    method: str
    words: str
    parts: str
    leans: str
    has: str
    no_passage: str
    absent: str
    decided: MappingProxyType[str, str]


_ENGLISH = Wording(
    near="These passages come closest; they may not answer this.",
    missing="The passages do not mention {words}.",
    rest="On {words}, “{title}” comes closest.",
    unsaid="The sentences that come closest do not mention {words}; they may not answer this.",
    negation="The sentences that come closest do not say “{word}”; they may answer the opposite.",
    opposite="The question says “{asked}”, the sentence that comes closest “{said}”; it may answer the opposite.",
    instead="The question says “{asked}”, the sentence that comes closest “{said}”; it may not answer this.",
    none="The passages do not answer this.",
    unanswered="The passages do not answer: {parts}.",
    closest="“{title}” comes closest.",
    marks="“{}”",
    point=".",
    method="This compares words, in any ending, and quotes sentences; no language model is at work.",
    words="Words of the question: {}.",
    parts="The question has {} parts, which are compared one by one.",
    leans="It leans on the turn before, whose words count less.",
    has="has {}",
    no_passage="No passage was found that shares enough words with the question.",
    absent="In no passage: {}.",
    decided=MappingProxyType(
        {
            "answer": "The best sentence has {score} of 15.5 points. The words make it {confidence} % likely that the "
            "passages are about this; from {answer} % on it counts as an answer.",
            "near": "The best sentence has {score} of 15.5 points. The words make it {confidence} % likely that the "
            "passages are about this; an answer takes {answer} %.",
            "missed": "The best sentence has {score} of 15.5 points, but does not answer without {missed}.",
            "unmeasured": "The best sentence has {score} of 15.5 points, but holds no quantity of the kind asked for.",
            "doubtful": "The best sentence has {score} of 15.5 points, but it is only {premise} % likely that it says "
            "what the question presumes; an answer takes {premise_least} %.",
            "foreign": "None of the question’s own words is there, so nothing is quoted.",
            "none": "The best sentence has {score} of 15.5 points. The words make it {confidence} % likely that the "
            "passages are about this; below {near} % nothing is quoted.",
        }
    ),
)
_GERMAN = Wording(
    near="Diese Passagen kommen der Frage am nächsten; vielleicht beantworten sie sie nicht.",
    missing="In den Passagen fehlt {words}.",
    rest="Zu {words} kommt „{title}“ am nächsten.",
    unsaid="In den nächstliegenden Sätzen fehlt {words}; vielleicht beantworten sie die Frage nicht.",
    negation="In den nächstliegenden Sätzen fehlt „{word}“; vielleicht beantworten sie das Gegenteil.",
    opposite="In der Frage steht „{asked}“, im nächstliegenden Satz „{said}“; vielleicht beantwortet er das Gegenteil.",
    instead="In der Frage steht „{asked}“, im nächstliegenden Satz „{said}“; vielleicht beantwortet er sie nicht.",
    none="Die Passagen beantworten das nicht.",
    unanswered="Die Passagen beantworten nicht: {parts}.",
    closest="„{title}“ kommt am nächsten.",
    marks="„{}“",
    point=",",
    method="Hier werden Wörter in jeder Form verglichen und Sätze zitiert; es arbeitet kein Sprachmodell.",
    words="Wörter der Frage: {}.",
    parts="Die Frage hat {} Teile, die einzeln verglichen werden.",
    leans="Sie knüpft an die Frage davor an, deren Wörter weniger zählen.",
    has="enthält {}",
    no_passage="Keine gefundene Passage teilt genug Wörter mit der Frage.",
    absent="In keiner Passage: {}.",
    decided=MappingProxyType(
        {
            "answer": "Der beste Satz hat {score} von 15,5 Punkten. Nach den Wörtern handeln die Passagen zu "
            "{confidence} % davon; ab {answer} % gilt er als Antwort.",
            "near": "Der beste Satz hat {score} von 15,5 Punkten. Nach den Wörtern handeln die Passagen zu "
            "{confidence} % davon; eine Antwort braucht {answer} %.",
            "missed": "Der beste Satz hat {score} von 15,5 Punkten, antwortet aber nicht ohne {missed}.",
            "unmeasured": "Der beste Satz hat {score} von 15,5 Punkten, nennt aber kein Maß der gefragten Art.",
            "doubtful": "Der beste Satz hat {score} von 15,5 Punkten, sagt aber nur zu {premise} % das, was die Frage "
            "voraussetzt; eine Antwort braucht {premise_least} %.",
            "foreign": "Kein Wort der Frage selbst kommt darin vor, also wird nichts zitiert.",
            "none": "Der beste Satz hat {score} von 15,5 Punkten. Nach den Wörtern handeln die Passagen zu "
            "{confidence} % davon; unter {near} % wird nichts zitiert.",
        }
    ),
)
_WORDINGS: MappingProxyType[Language, Wording] = MappingProxyType({"en": _ENGLISH, "de": _GERMAN})


def wording_in(language: Language) -> Wording:
    """Return the sentences in a language, in English where there are none in it."""
    return _WORDINGS.get(language, _ENGLISH)
