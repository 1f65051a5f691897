"""The languages whose words are stemmed, their stop words, and which of them write a word. Values and pure functions.

A text is in one language; a word of another script in it is read in a language of that script, so that "USB" in a
Russian text is the "USB" of an English one.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

import regex
from qdrant_edge import Language as EdgeLanguage

Language = Literal["en", "de", "fr", "es", "it", "nl", "pt", "ru", "el", "ar", "hi", "zh", "ja", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


class StopWords(NamedTuple):
    """The list of Edge, None where Edge has none that fits, and the words that this list lacks."""

    edge: EdgeLanguage | None
    own: frozenset[str]


class Stemming(NamedTuple):
    """A stemmer of Edge by name, and stop words. The English stemmer leaves letters of other scripts as they are."""

    stemmer: str
    stop_words: StopWords


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _stemming(name: str, edge: EdgeLanguage | None, own: str) -> Stemming:
    return Stemming(name, StopWords(edge, _words(own)))


# Beside Edge's lists: words that ask. As content words they would be missing in every sentence.
STEMMING: MappingProxyType[Language, Stemming] = MappingProxyType(
    {
        "en": _stemming("english", EdgeLanguage.English, "also could many may might much whose would"),
        "de": _stemming(
            "german",
            EdgeLanguage.German,
            "gab gibt viele wann warum wem wen wer weshalb wessen wieso wieviel wurde wurden",
        ),
        "fr": _stemming(
            "french",
            EdgeLanguage.French,
            "a combien comment est-ce où pourquoi quand quel quelle quelles quels quoi si plus entre comme cette cet ces",
        ),
        "es": _stemming(
            "spanish",
            EdgeLanguage.Spanish,
            "cuál cuáles cuándo cuánta cuántas cuánto cuántos cómo dónde quién quiénes qué hay cual cuando donde quien",
        ),
        "it": _stemming(
            "italian",
            EdgeLanguage.Italian,
            "cosa dove perché qual quale quali quando quanta quante quanti quanto come chi",
        ),
        "nl": _stemming(
            "dutch",
            EdgeLanguage.Dutch,
            "hoe hoeveel waar waarom waarvoor wanneer wat welk welke wie wiens worden wordt",
        ),
        "pt": _stemming(
            "portuguese",
            EdgeLanguage.Portuguese,
            "onde qual quais quando quanta quantas quanto quantos quem porque porquê como que",
        ),
        "ru": _stemming(
            "russian",
            EdgeLanguage.Russian,
            "какая какие какова каков каково каковы какое какой когда который которая которые кто куда откуда почему"
            " сколько чей что это где как зачем",
        ),
        "el": _stemming(
            "greek",
            EdgeLanguage.Greek,
            "γιατί πού πότε πόσα πόσες πόση πόσο πόσοι πόσος πώς ποια ποιο ποιοι ποιος ποιον τι η ο οι τα το τον των της"
            " του την με σε στο στη στην στον στα για από και είναι που να θα ένα μια",
        ),
        "ar": _stemming("arabic", EdgeLanguage.Arabic, "أين كم كيف لماذا ما ماذا متى من هل هو هي أي"),
        "hi": _stemming(
            "english",
            None,
            "का के की को से में पर तक है हैं था थे थी और या यह वह ये वे एक ने भी ही तो कि जो क्या कब कहाँ कहां कौन किस किसने किसके"
            " कितना कितनी कितने कैसे क्यों लिए साथ हो होता होती होते रहता रहती रहते गया गई गए करता करते किया जाता जाती जाते",
        ),
        # Of texts without spaces a word is a pair of characters.
        "zh": _stemming(
            "english",
            None,
            "什么 什麼 怎么 怎麼 怎样 怎樣 如何 哪里 哪裡 哪个 哪個 哪些 为什 為什 多少 是否 是什 有什 的是 谁是 誰是 吗 呢 的 了 是 在 和 与 有",
        ),
        "ja": _stemming(
            "english",
            None,
            "です ます すか ます ました した して いる いま ます まし ませ せん なに 何が 何を どこ いつ だれ 誰が なぜ どの どれ どう うす はど"
            " くら らい ですか は が を に で と も の か へ や",
        ),
        "ko": _stemming(
            "english",
            None,
            "무엇 엇인 어디 언제 누가 누구 얼마 마나 어떻 떻게 왜 인가 가요 나요 습니 니까 니다 입니 합니 까요 있는 하는 은 는 이 가 을 를 의 에",
        ),
    }
)
# Words by which the language of a short text is detected, beside its stop words.
DETECTING: MappingProxyType[Language, frozenset[str]] = MappingProxyType(
    {
        "en": _words("hello thanks thank please hi summarise summarize list"),
        "de": _words("bitte danke fasse gern guten hallo hilfe moin nenne servus worum zusammenfassung"),
    }
)

# Letters that one of the languages with Latin letters writes alone.
LETTERS: MappingProxyType[Language, frozenset[str]] = MappingProxyType(
    {"de": frozenset("ß"), "fr": frozenset("œêîû"), "es": frozenset("ñ"), "pt": frozenset("ãõ")}
)

LATIN: tuple[Language, ...] = ("en", "de", "fr", "es", "it", "nl", "pt")

# Scripts that are written without spaces between words.
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\u3005\u30fc\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_SCRIPTS: tuple[tuple[regex.Pattern[str], tuple[Language, ...]], ...] = (
    (regex.compile(r"[\p{Hiragana}\p{Katakana}\u30fc]"), ("ja",)),
    (regex.compile(r"\p{Hangul}"), ("ko",)),
    (regex.compile(r"\p{Han}"), ("zh", "ja")),
    (regex.compile(r"\p{Cyrillic}"), ("ru",)),
    (regex.compile(r"\p{Greek}"), ("el",)),
    (regex.compile(r"\p{Arabic}"), ("ar",)),
    (regex.compile(r"\p{Devanagari}"), ("hi",)),
)
_LETTER = regex.compile(r"\p{L}")


@lru_cache(maxsize=50_000)
def writers_of(word: str) -> tuple[Language, ...]:
    """Return the languages that write such a word, the likeliest first: all for a number, Latin ones for the rest."""
    if word.isascii():
        return LATIN if _LETTER.search(word) else LANGUAGES
    return next((languages for script, languages in _SCRIPTS if script.search(word)), LATIN)


def read_in(word: str, language: Language) -> Language:
    """Return the language in which a word of a text in `language` is read."""
    writers = writers_of(word)
    return language if language in writers else writers[0]
