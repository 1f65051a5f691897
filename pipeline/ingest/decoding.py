"""Decodes text of unknown encoding: byte order mark, declaration, UTF-16 by its zero bytes, UTF-8, legacy code pages.

charset-normalizer recognises scripts other than Latin. It mistakes Western text for that of other code pages, so a
code page of Latin script is chosen by the letters of its languages first, Windows-1252 before all others.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from typing import NamedTuple

from pipeline.errors import IngestFault

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{1,40})|\A\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.-]{1,40})""",
    re.IGNORECASE,
)
_SAMPLE_BYTES = 65_536
_BYTES = re.compile("[\udc80-\udcff]+")  # bytes that are no UTF-8, as "surrogateescape" keeps them
_BEYOND_ASCII = re.compile("[^\x00-\x7f]+")
_FEW = 500  # one wrong byte in so many is damage, not another encoding
_JAPANESE_SHIFTS = (b"\x1b$B", b"\x1b$@")
_WESTERN = (
    "äöüß",
    "àâæçéèêëîïôœùûüÿ",
    "áéíñóúü",
    "àèéìíîòóùú",
    "áâãàçéêíóôõúü",
    "äëïéèöüáóíêû",
    "åäöéšž",
    "æøåéóòôüöä",
    "áðéíóúýþæö",
    "àçèéíïòóúü",
)
_LATIN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cp1252", _WESTERN),
    ("cp1250", ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž", "čšž", "äöüß")),
    ("iso8859_2", ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž")),
    ("cp1254", ("çğıöşüi",)),
    ("cp1257", ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž")),
    ("cp850", _WESTERN),
    ("mac_roman", _WESTERN),
    ("cp852", ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áéíóöőúüű")),
    ("cp1258", ("ăâđêôơưáàéèíóòúùýãõ\u0300\u0301\u0303\u0309\u0323",)),
)
_FIT = 0.93  # share of the characters beyond ASCII that a code page must explain
_PLAUSIBLE = 0.75  # less of it, and the text is not Western
_BETTER = 0.03  # by how much another one must explain more than Windows-1252
_KANA = "".join(map(chr, range(0x3041, 0x30FD))) + "、。・「」"
_HAN = (
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小多天而能好都然没日于"
    "起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长，。、：；"
    "這來國個說們為時會著過學對裡後麼沒於還發當無開見經頭從動兩長"
)
_HANGUL = "이다는에의가을를로고하지은한도사자기시인대어아나정일리해서라스보수전과그주있것들니습용중성부동할입"
# Code pages of scripts with thousands of characters, and those characters that are frequent in their languages.
_FREQUENT = (("cp932", _KANA), ("euc_jp", _KANA), ("gb18030", _HAN), ("big5", _HAN), ("cp949", _HANGUL))
_IS_FREQUENT = 0.2  # of the characters beyond ASCII; less than 0.05 in a wrong code page
_OTHER_SCRIPTS = [
    *("cp1251", "koi8_r", "cp866", "iso8859_5", "cp1253", "iso8859_7", "cp1255", "cp1256", "cp874"),
    *(encoding for encoding, _ in _FREQUENT),
]
_SIGNS = frozenset("\xa0­§©®™°±²³µ·×€£¥¢¹½¼¾ªº«»‹›“”„‘’‚–—…•†‡¡¿´¨¸‰")
_WITHIN_WORDS = frozenset("’·­\xa0–—×")


class _Fit(NamedTuple):
    share: float
    encoding: str


def decoded(content: bytes, *, declared: bool = False) -> str:
    """Decode text. `declared`: HTML and XML may name their encoding. Raises IngestFault where none fits."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace").replace("\0", "")
    if encoding := utf_16(content):
        return content.decode(encoding, "replace").replace("\0", "")
    if declared and (text := _as_declared(content)) is not None:
        return text
    if any(shift in content for shift in _JAPANESE_SHIFTS) and (text := _strictly(content, "iso2022_jp")) is not None:
        return text
    text = _strictly(content, "utf-8")
    return _repaired(content) if text is None else text


def utf_16(content: bytes) -> str:
    """Return the form of UTF-16 without a mark, "" for other content. Only UTF-16 has zero bytes in a text."""
    sample = content[: _SAMPLE_BYTES & ~3]
    if b"\0" not in sample:
        return ""
    return next((name for name in ("utf-16-le", "utf-16-be") if _is_prose(sample.decode(name, "replace"))), "")


def _is_prose(text: str) -> bool:
    """Whether the right order of bytes was taken: blanks are frequent, and nearly all characters can be read."""
    counts = Counter(text)
    blanks = sum(counts[each] for each in " \n\r\t\u3000\u3002\uff0c")
    odd = sum(
        count for char, count in counts.items() if unicodedata.category(char)[0] == "C" and char not in "\r\n\t\f"
    )
    odd += counts["\ufffd"]
    return blanks * 200 >= len(text) and odd * 50 <= len(text)


def _as_declared(content: bytes) -> str | None:
    found = _DECLARED.search(content[:4096])
    name = (found[1] or found[2]).decode("ascii").lower() if found else ""
    # A page in UTF-16 could not be searched for its declaration; a name in ASCII is wrong then.
    return _strictly(content, name) if name and not name.startswith(("utf-16", "utf16", "ucs")) else None


def _strictly(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding).encode("utf-8", "replace").decode("utf-8")
    except (LookupError, UnicodeError):
        return None


def _repaired(content: bytes) -> str:
    """Return UTF-8 with its few wrong bytes read as Windows-1252, or the text in the code page that fits."""
    text = content.decode("utf-8", "surrogateescape")
    wrong = sum(map(len, _BYTES.findall(text)))
    right = sum(map(len, _BEYOND_ASCII.findall(text))) - wrong
    if wrong <= right or wrong * _FEW < len(text):
        return _BYTES.sub(lambda run: run[0].encode("utf-8", "surrogateescape").decode("cp1252", "replace"), text)
    return content.decode(_code_page(content), "replace")


def _code_page(content: bytes) -> str:
    """Return the legacy encoding. Raises IngestFault where none fits."""
    sample = _sample(content)
    western, *others = (_Fit(_explained(sample, name, languages), name) for name, languages in _LATIN)
    best = max(others, key=lambda fit: fit.share)
    if best.share >= _FIT and best.share > western.share + _BETTER:
        return best.encoding
    if western.share >= _PLAUSIBLE:
        return western.encoding
    wide = max((_Fit(_share(sample, name, frequent), name) for name, frequent in _FREQUENT))
    if wide.share >= _IS_FREQUENT:
        return wide.encoding
    from charset_normalizer import from_bytes

    for most_disorder in (0.2, 0.5):
        if (match := from_bytes(sample, cp_isolation=_OTHER_SCRIPTS, threshold=most_disorder).best()) is not None:
            return match.encoding
    raise IngestFault("unknown_encoding")


def _share(sample: bytes, encoding: str, frequent: str) -> float:
    """Return the share of frequent characters; the sample may end within a character."""
    text = sample.decode(encoding, "replace")
    if text.count("\ufffd") > 1:
        return 0.0
    beyond = Counter("".join(_BEYOND_ASCII.findall(text)))
    return sum(beyond[char] for char in set(frequent)) / max(1, beyond.total())


def _sample(content: bytes) -> bytes:
    """Return the first lines that hold more than ASCII."""
    if len(content) <= _SAMPLE_BYTES:
        return content
    lines, size = [], 0
    for line in content.splitlines(keepends=True):
        if not line.isascii():
            lines.append(line[:_SAMPLE_BYTES])
            size += len(lines[-1])
        if size >= _SAMPLE_BYTES:
            break
    return b"".join(lines)


def _explained(sample: bytes, encoding: str, languages: tuple[str, ...]) -> float:
    """Return the share of the characters beyond ASCII that the language fitting best explains.

    Letters count where the language has them, signs where they do not stand within a word.
    """
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    letters: Counter[str] = Counter()
    others = signs = 0
    for before, char, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if char.isascii():
            continue
        if (char.isalpha() and char not in "ªºµ") or unicodedata.combining(char):
            letters[char.lower()[0]] += 1
        elif char in _SIGNS and (char in _WITHIN_WORDS or not (before.isalpha() and after.isalpha())):
            signs += 1
        else:
            others += 1
    known = max(sum(letters[char] for char in set(language)) for language in languages)
    return (known + signs) / max(1, letters.total() + signs + others)
