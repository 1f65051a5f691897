"""`FieldReader`: reads the text of a reply into its fields while it streams, in whatever form the model marks them.

Prompts ask for DSPy's format: `[[ ## name ## ]]` on a line of its own. Models also write it in bold, in the middle of a
line, with too few or too many signs or in their own language, or they write headings, tags or JSON instead. A mark in
Markdown code is text. Invariant: the fields depend on the text alone, not on its chunks. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import regex

from pipeline.field_names import COMPLETED, THINKING, TOOL_ALIASES, ReplyFields
from pipeline.replies.structured import THOUGHTS, JsonReader
from pipeline.replies.text import CodeTracker

PATIENCE_CHARS = 24  # raw text that is longer and still has no header is shown as the answer
UNKNOWN = "?"  # the name of a section that nobody asked for

# Bounded and possessive, like every pattern for a run of unlimited length: several of them in a row with backtracking
# would take cubic time for a reply of blank lines.
_BLANK = "[ \\t\u00a0\u200b\ufeff]{0,40}+"
_OPEN, _CLOSE, _SHARP, _COLON = (
    r"[\[({\u3010\uff3b]",
    r"[\])}\u3011\uff3d]",
    r"[#\uff03]",
    r"[:\uff1a]",
)  # also full-width
_QUOTE = r"[\"'`*:]{0,2}"  # some models put these around a name
_NAME = r"[^\W\d_](?:[\w'’ \-]{0,30}\w)?"
_BROKEN = regex.compile(
    rf"\*{{0,3}}[\[【]{{2,5}}\s{{0,2}}{_BLANK}\#{{1,6}}{_BLANK}(?:{_QUOTE}|[<{{])(?:{_NAME})?(?:{_QUOTE}|[>}}])\s{{0,2}}\#{{0,6}}\s*"
    rf"|\*{{1,3}}[\[【]{{1,4}}{_BLANK}|(?<=\n){_BLANK}[\[【]{{2,4}}{_BLANK}"
)
_WRAPPERS = "output|result|reply"  # names of tags whose content is the answer, unless it has fields of its own
_WRAPPING_TAG = regex.compile(r"<\w{1,20}>")
_CLOSES_BELOW = regex.compile(r"\n[ #\]]{0,6}")  # the second line of a marker over two lines, as far as it has come
_CODE_INDENT = regex.compile(r"[ ]{4}|[ ]{0,3}\t")
_DATA = frozenset({"", "text", "txt", "plaintext", "plain", "markdown", "md", "json", "json5", "xml", "yaml", "dspy"})
# Decoration that models put after a marker, up to the end of its line.
_REST_OF_LINE = rf"(?:{_BLANK}(?:[:.=|\\*_~\-\u2013\u2014]|</\w{{1,6}}>)){{1,4}}{_BLANK}(?=\n)"
LONGEST_MARKER_CHARS = 60
LONGEST_TAIL_CHARS = 16  # brackets, stars and a colon that may follow the last certain sign of a header


@dataclass(slots=True)
class Section:
    """The text after one header. `name` is a field, COMPLETED, UNKNOWN, or "" before the first header."""

    name: str
    header: str = ""  # the header's own text
    form: str = ""  # the header's form: marker, heading, bold, plain, tag, json
    text: str = ""
    is_complete: bool = False  # another section follows

    @property
    def words(self) -> str:
        """The text without the blanks around it."""
        return self.text.strip()


@lru_cache(maxsize=64)
def _tokens(fields: ReplyFields) -> regex.Pattern[str]:
    labels = "|".join(map(regex.escape, fields.labels())).replace("\\ ", "[ _]")
    ending = "|".join(map(regex.escape, (*fields.labels((COMPLETED,)),)))
    keys = "|".join(map(regex.escape, (*fields.labels(), *sorted(THINKING)))).replace("\\ ", "[ _]")
    start, blank = r"(?<![^\n])", _BLANK
    # Either all signs are escaped or none: `[[ \## answer` is text that `prompt_passages.neutral` has escaped.
    escaped = rf"(?P<o>(?:\\{_OPEN}[ ]?){{2,5}}){blank}(?P<escaped>(?P<h>(?:\\{_SHARP}){{2,6}}))"
    marker = (
        rf"(?P<pre>{start}{blank}"
        rf"(?:(?:[#>]{{1,6}}+|[*+\-](?=[ \t])|\d{{1,2}}[.)]|\||<(?:b|strong|em|h\d)>){blank}){{0,6}}+)?"
        rf"(?P<deco>[*_~]{{1,3}}|`{{1,3}})?"
        rf"(?:{escaped}|(?P<o>(?:\\?{_OPEN}[ ]?){{2,5}}|<<)\s{{0,2}}{blank}(?P<h>(?:{_SHARP}[ ]?){{0,6}}+)"
        rf"|(?P<o>{_OPEN}){blank}(?P<h>(?:{_SHARP}[ ]?){{1,6}}+))"
        rf"{blank}(?:{_QUOTE}|[<{{])(?P<name>{_NAME})(?:[>}}]|{_QUOTE}){blank}"
        rf"(?:\n(?=[ ]?\#{{1,6}}[ ]?\]))?(?P<h2>(?(escaped)(?:\\{_SHARP}){{0,6}}|(?:{_SHARP}[ ]?){{0,6}}+)):?"
        rf"(?:\n(?=\])|{blank})(?P<c>>>|(?:[ ]?\\?{_CLOSE}){{0,5}}):?(?P=deco)?:?(?:{_REST_OF_LINE}|{blank})"
    )
    label = (
        rf"{start}{blank}(?:>{blank})?(?P<bullet>[*+\-][ \t]+)?(?P<hash>\#{{1,6}}{blank})?(?:\d{{1,2}}[.)]{blank})?"
        rf"(?:[\p{{So}}\ufe0f]{{1,3}}{blank})?(?P<bold>\*{{1,3}}|_{{1,3}}|`)?(?:[\p{{So}}\ufe0f]{{1,3}}{blank})?"
        rf"(?P<bracket>\[)?"
        rf"(?P<label>{labels}|{ending})(?(bracket)\]){blank}(?P<tail>\#{{1,6}})?{blank}"
        rf"(?P<c1>{_COLON})?(?P<closed>(?P=bold))?{blank}"
        rf"(?P<c2>{_COLON}|(?<=[*_][ ]?)[\-\u2013\u2014](?=\s))?{blank}(?:[|>][+\-]?{blank}(?=\n))?(?P<eol>\n)?"
    )
    tag = (
        rf"(?:\]\]>{blank})?<(?P<slash>/?){blank}(?P<tag>{labels}|{_WRAPPERS})(?:[ \t][^<>\n]{{0,60}})?>"
        rf"(?:{blank}<!\[CDATA\[)?"
    )
    fence = (
        rf"{start}[ ]{{0,3}}(?P<fence>`{{3,40}}+|~{{3,40}}+)[ \t]{{0,40}}+(?P<info>[\w+\-]{{0,40}}+)[ \t]{{0,40}}+\n"
    )
    gap = r"\s{0,200}+"
    call = rf"(?:\"[^\"\n]{{0,40}}\"{gap},{gap}\"\w{{1,30}}\"{gap}:{gap})?"  # {"name": "answer", "arguments": {…
    json = (
        rf"(?P<json>{start}[^\S\n]{{0,40}}+(?:json[^\S\n]{{0,40}}+\n{gap})?(?:\[{gap})?"
        rf"(?:\{{{gap}\"\w{{1,30}}\"{gap}:{gap}{call}(?:\[{gap})?){{0,2}}"
        rf"\{{{gap}(?://[^\n]*\n{gap})?(?:[\"'“](?:{keys})[\"'”]|(?:{keys})){gap}:(?:(?<=[\"'”]\s*:)|{gap}[\"']))"
    )
    return regex.compile(rf"{fence}|{json}|{marker}|{label}|{tag}", regex.IGNORECASE)


class FieldReader:
    """Reads one reply. Call `feed` with each text, then `finish` once; `view` returns the fields so far."""

    def __init__(self, fields: ReplyFields) -> None:
        self._fields = fields
        self._token = _tokens(fields)
        self._sections = [Section("")]
        self._code = CodeTracker()
        self._buffer, self._at = "\n", 1  # the last character read, then unread text; a reply begins on a new line
        self._json: JsonReader | None = None
        self._tags: set[str] = set()  # open ones
        self._is_behind_tag = False  # only blanks have come since a closing tag
        self._wrapper = ""  # the fence around the whole reply, if there is one
        self._is_over = False  # the reply is complete; the model invents the next turn
        self._ended = False
        self._was_cut = False

    # Results

    @property
    def is_headed(self) -> bool:
        """Whether a header of an output field has come."""
        return any(section.name in self._fields.outputs for section in self._sections)

    @property
    def raw(self) -> str:
        """The text outside of the inputs; used where no output field has a header."""
        texts = [section.words for section in self._sections if section.name not in self._fields.inputs]
        text = "\n\n".join(words for words in texts if words)
        return text or (self._after_echo() if self._ended else "")

    @property
    def _source(self) -> str:
        """The whole reply, with its headers."""
        return "".join(each.header + each.text for each in self._sections).strip()

    @property
    def preamble(self) -> str:
        """The text before the first header."""
        return self._sections[0].words

    @property
    def keeps_format(self) -> bool:
        """Whether the answer has a header of its own."""
        return self._chosen() is not None

    @property
    def is_completed(self) -> bool:
        """Whether the reply ends with the format's end marker."""
        return self._sections[-1].name == COMPLETED and not self._sections[-1].words

    @property
    def has_text(self) -> bool:
        """Whether the reply has anything but blanks so far."""
        return bool(self._buffer[self._at :].strip()) or any(each.form or each.words for each in self._sections)

    def view(self) -> dict[str, str]:
        """Every field's text so far, without empty fields. It extends that of the last view, or else replaces it."""
        if not self.is_headed or (self._ended and self._is_prose()):
            return self._unheaded()
        fields, chosen = self._fields, self._chosen()
        texts: dict[str, list[str]] = {}
        if aside := self._leading_aside():
            texts[fields.aside] = [aside]
        for section in self._sections:
            name, words = section.name, section.words
            if name == fields.answer and section is not chosen:
                name = fields.aside
            if words and (name in fields.outputs or name == THOUGHTS) and words not in texts.get(name, ()):
                texts.setdefault(name, []).append(words)
        if chosen is None and self._ended and (salvaged := self._salvaged()):
            texts[fields.answer] = [salvaged]
        return {name: "\n\n".join(parts) for name, parts in texts.items()}

    def _unheaded(self) -> dict[str, str]:
        text = self._source if self._ended and self._is_prose() else self.raw
        thoughts = [each.words for each in self._sections if each.name == THOUGHTS and each.words]
        shown = {THOUGHTS: "\n\n".join(thoughts)} if thoughts else {}
        if text and not thoughts and (self._ended or len(text) > PATIENCE_CHARS):
            shown[self._fields.answer] = text
        return shown

    def _is_prose(self) -> bool:
        """Whether headings belong to an answer without format: text comes before them, and no header of an answer."""
        is_text = bool(self._sections[0].words) and not any(each.name == self._fields.answer for each in self._sections)
        forms = {each.form for each in self._sections[1:] if each.name in self._fields.outputs}
        return is_text and bool(forms) and forms <= {"heading", "bold", "plain"} and not self._was_cut

    def _chosen(self) -> Section | None:
        """The section that is the answer: the last one, or the one before it where the reply was cut in the last."""
        answers = [each for each in self._sections if each.name == self._fields.answer and each.words]
        if self._ended and self._was_cut and len(answers) > 1 and not answers[-1].is_complete:
            return answers[-2]
        return answers[-1] if answers else None

    def _leading_aside(self) -> str:
        """The text before an answer without reasoning, which is taken as reasoning; "" for a mere announcement."""
        names = [section.name for section in self._sections if section.name in self._fields.outputs]
        words = self._sections[0].words
        is_aside = names[0] == self._fields.answer and self._fields.aside not in names and not words.endswith(":")
        return words if is_aside and len(words) > PATIENCE_CHARS else ""

    def _salvaged(self) -> str:
        """The answer of a reply with headers, none of which names it: an unknown section, or the text before them."""
        unknown = [each.words for each in self._sections if each.name in (UNKNOWN, COMPLETED) and each.words]
        before = self._sections[0].words
        is_answer = len(before) > PATIENCE_CHARS and not before.endswith(":") and not self._was_cut
        return unknown[-1] if unknown else before if is_answer else ""

    def _after_echo(self) -> str:
        """The text after a repeated input, where the reply has nothing else."""
        last = self._sections[-1]
        if last.name not in self._fields.inputs:
            return ""
        is_marked = last.form in ("marker", "tag")
        return last.words.partition("\n\n")[2].strip() or ("" if is_marked else self._source)

    # Reading

    def feed(self, text: str) -> None:
        """Read more of the reply."""
        if not self._is_over:
            self._buffer += text
            self._read()

    def finish(self, *, was_cut: bool = False) -> None:
        """End the reply; `was_cut`: it did not end by itself."""
        self._ended, self._was_cut = True, was_cut
        self._buffer = self._buffer.removesuffix(_broken_marker(self._token, self._buffer, self._at)) + "\n"
        self._read()
        if self._json:
            self._structured(self._json.finish())
            self._json = None
        if self._code.fence:
            self._drop_last_line()

    def _read(self) -> None:
        while self._at < len(self._buffer) and not self._is_over:
            if self._json:
                self._read_json()
                continue
            match = self._token.search(self._buffer, self._at, partial=not self._ended)
            start = match.start() if match else len(self._buffer)
            self._add_text(self._buffer[self._at : start])
            self._at = start
            if match is None and self._ended:
                self._at = len(self._buffer)
            if match is None or match.partial or self._may_grow(match):
                break
            if not self._take(match):
                break
        self._buffer, self._at = self._buffer[max(self._at - 1, 0) :], min(self._at, 1)

    def _may_grow(self, match: regex.Match[str]) -> bool:
        """Whether the rest of this line, which has not come yet, may belong to the header."""
        rest = self._buffer[match.end() :]
        if match["name"] and not match["c"] and not self._ended and _CLOSES_BELOW.fullmatch(rest):
            return True
        return not (self._ended or match["eol"] or match["fence"] or "\n" in rest or len(rest) >= LONGEST_TAIL_CHARS)

    def _take(self, match: regex.Match[str]) -> bool:
        """Read one match: a header, or text that looks like one. False when the text after it must come first."""
        if match["fence"]:
            return self._take_fence(match)
        is_code = self._code.inside()
        if is_code:
            name, form = None, ""
        elif match["json"]:
            name, form = self._json_name(), "json"
        elif match["tag"]:
            return self._take_tag(match)
        elif match["label"]:
            name, form = self._label(match)
        else:
            name, form = self._marker(match), "marker"
        if name is None or (form == "marker" and self._is_indented(match)):
            end = self._at + 1 if name is None else match.end()
            self._add_text(self._buffer[self._at : end])
            self._at = end
        elif form == "json":
            self._at = match.start() + len(match[0]) - len(match[0].lstrip())
            self._json = JsonReader(self._fields)
        else:
            self._at = match.end()
            self._open(name, form, match[0])
        return True

    def _open(self, name: str, form: str, header: str = "") -> None:
        """Begin a section."""
        current = self._sections[-1]
        names = [section.name for section in self._sections]
        if name in self._fields.inputs and current.name == self._fields.answer and current.words.endswith(":"):
            return  # the answer quotes an input after a colon ("The passage is:")
        has_answer = any(each.name == self._fields.answer and each.words for each in self._sections)
        if name in self._fields.inputs and COMPLETED in names and has_answer:
            self._is_over = True
            return
        current.is_complete = True
        self._sections.append(Section(name, header, form))
        self._code = CodeTracker()

    def _add_text(self, text: str) -> None:
        if text:
            self._code.feed(text)
            self._is_behind_tag = self._is_behind_tag and not text.strip()
            self._sections[-1].text += text

    # Recognising a header

    def _marker(self, match: regex.Match[str]) -> str | None:
        """The name of the section that a marker in brackets begins, None where the match is text."""
        opens, hashes, more, closes = (
            len((match[group] or "").replace("\\", "").replace(" ", "")) for group in ("o", "h", "h2", "c")
        )
        name = self._fields.named(match["name"])
        begins_line = match["pre"] is not None
        follows = self._buffer[match.end() : match.end() + 2]
        ends_line = not follows or follows[0] == "\n"
        if (match["deco"] or "").startswith("`"):
            is_new = name in self._fields.outputs and name not in [each.name for each in self._sections]
            if not (begins_line and (ends_line or is_new)):
                return None
        is_open = opens >= 2 and hashes >= 2 and (ends_line or follows == "[[")
        if name is None and opens >= 2 and (hashes or more) and match["name"].casefold() in THINKING:
            return THOUGHTS
        if name is None:
            return UNKNOWN if opens >= 2 and hashes >= 2 and (more or closes or is_open) else None
        if (hashes and more) or (opens >= 2 and closes and (hashes or more)):
            return name
        is_bare = opens >= 2 and closes >= 2 and self._fields.named(match["name"], roughly=False) is not None
        is_bare = is_bare and " " not in match["o"].strip()  # `[ [answer]]` is text that `neutral` has escaped
        return name if is_open or (is_bare and begins_line and ends_line) else None

    def _is_indented(self, match: regex.Match[str]) -> bool:
        """Whether a marker is in an indented code block, and the headers before it were not."""
        current, indent = self._sections[-1], match["pre"] or ""
        is_code = _CODE_INDENT.match(indent) and current.text.endswith("\n\n") and current.words
        return bool(is_code) and not any(_CODE_INDENT.match(each.header) for each in self._sections)

    def _label(self, match: regex.Match[str]) -> tuple[str | None, str]:
        """The section that a heading or a word with a colon begins (None where the match is text), and the form."""
        name = self._fields.named(match["label"], roughly=False)
        colon, eol = bool(match["c1"] or match["c2"]), bool(match["eol"])
        form = "heading" if match["hash"] else "bold" if match["bold"] else "plain"
        if match["hash"] and match["tail"] and eol:
            return name, "marker"
        is_closed = not match["bold"] or match["closed"] is not None
        is_closed = is_closed and not (match["bullet"] and form == "plain")
        is_alone = eol and (form != "plain" or bool(match["bracket"]))
        is_header = is_closed and (colon or is_alone or (match["bracket"] and match["closed"])) and not match["tail"]
        if name is None or name == COMPLETED or not is_header:
            return None, form
        if name == self._fields.answer == self._sections[-1].name and "final" in match["label"].casefold():
            is_again = form == self._sections[-1].form and bool(self._sections[-1].words)
            return (name if is_again else None), form
        return (name if self._expects(name, form, is_alone=eol) else None), form

    def _expects(self, name: str, form: str, *, is_alone: bool) -> bool:
        """Whether a heading of that name can begin a field here, rather than belong to the answer's text."""
        current = self._sections[-1]
        names = [section.name for section in self._sections]
        answer = self._fields.answer
        if name in self._fields.inputs:  # repeated inputs only come first
            return all(each.name in self._fields.inputs or not each.words for each in self._sections)
        if name in names:
            return False
        if len(self._sections) == 1:
            return form != "plain" or not current.words
        if name in TOOL_ALIASES and current.name in TOOL_ALIASES:  # "Action:" below a thought
            return True
        if current.form in ("marker", "tag"):
            return name == answer and current.name != answer and form != "plain" and is_alone
        return current.name != answer or form == current.form

    def _json_name(self) -> str | None:
        """The section that JSON continues; None where the current section has text already."""
        current = self._sections[-1]
        is_first = not current.words or bool(_WRAPPING_TAG.fullmatch(current.words))
        return current.name if is_first or (len(self._sections) == 1 and self._wrapper) else None

    def _take_tag(self, match: regex.Match[str]) -> bool:
        """Read a tag with a field's name; it is text in the middle of a line and in a field that a marker began."""
        tag, current = match["tag"].replace("_", " "), self._sections[-1]
        name = self._fields.answer if tag.casefold() in _WRAPPERS.split("|") else self._fields.named(tag, roughly=False)
        if not self._is_structure(match, name):
            self._add_text(self._buffer[self._at])
            self._at += 1
            return True
        self._at = match.end()
        if match["slash"]:
            self._tags.discard(tag.casefold())
            self._is_behind_tag = True
        else:
            self._tags.add(tag.casefold())
            if name and not (current.name == name and not current.words):
                self._open(name, "tag", match[0])
        return True

    def _is_structure(self, match: regex.Match[str], name: str | None) -> bool:
        current, tag = self._sections[-1], match["tag"].replace("_", " ").casefold()
        if match["slash"]:
            return tag in self._tags
        if tag in _WRAPPERS.split("|") and (self.is_headed or current.words):
            return False
        line = current.text.rpartition("\n")[2].strip()
        if not line or self._is_behind_tag:
            return True
        after = self._buffer[match.end() : match.end() + 1]
        return current.form not in ("marker", "heading", "bold") and bool(regex.match(r"[^\s,.;:)]", after))

    # Fences around a whole reply

    def _take_fence(self, match: regex.Match[str]) -> bool:
        fence = match["fence"]
        if self._wrapper and not self._code.fence and not match["info"] and fence.startswith(self._wrapper):
            return self._end_wrapper(match)
        if not (self._wrapper or self._code.fence or self.is_headed):
            follows = match["info"].casefold() in _DATA and self._follows(match.end())
            if follows is None:
                return False
            if follows:
                self._wrapper, self._at = fence, match.end()
                return True
        self._add_text(match[0])
        self._at = match.end()
        return True

    def _follows(self, at: int) -> bool | None:
        """Whether a fenced block is the whole reply, since it begins with a header. None when more text is needed."""
        while at < len(self._buffer) and self._buffer[at].isspace():
            at += 1
        text = self._buffer[:1] + "\n" + self._buffer[at:]
        match = self._token.match(text, 2, partial=not self._ended)
        if match is None:
            return at == len(self._buffer) and not self._ended and None
        if match.partial or (match.end() == len(text) and not self._ended):
            return None
        if match["json"]:
            return True
        name = self._fields.named(match["name"] or match["label"] or match["tag"] or "")
        is_first = name == self._fields.outputs[0]
        return is_first or (name is not None and not self._sections[0].words)

    def _end_wrapper(self, match: regex.Match[str]) -> bool:
        rest = self._buffer[match.end() :]
        if not rest.strip():
            if self._ended:
                self._at = len(self._buffer)
            return self._ended
        self._at = match.end()
        follows = self._follows(match.end())
        if follows is None:
            self._at = match.start()
            return False
        if follows or self._is_closing(match.end()):
            self._wrapper = ""
        else:
            self._add_text(match[0])
        return True

    def _is_closing(self, at: int) -> bool:
        match = self._token.match(self._buffer[:1] + "\n" + self._buffer[at:].lstrip(), 2)
        return match is not None and match["name"] is not None

    def _drop_last_line(self) -> None:
        """Remove the reply's end marker from a code block that was never closed."""
        section = self._sections[-1]
        body, _, last = section.text.rstrip().rpartition("\n")
        match = self._token.fullmatch("\n" + last.strip(), 1)
        if match and match["name"] and self._fields.named(match["name"]) == COMPLETED:
            section.text, section.is_complete = body, True

    # JSON

    def _read_json(self) -> None:
        assert self._json is not None
        self._structured(self._json.feed(self._buffer[self._at :]))
        self._at = len(self._buffer)
        if self._json.has_ended:
            self._buffer, self._at = "\n" + self._json.rest, 1
            self._json = None
            self._open(UNKNOWN, "json")

    def _structured(self, pieces: list[tuple[str, str | None]]) -> None:
        for name, text in pieces:
            if text is None:
                self._sections[-1].is_complete = True
                self._sections.append(Section(name, form="json"))
            else:
                self._sections[-1].text += text


def _broken_marker(token: regex.Pattern[str], buffer: str, at: int) -> str:
    """The incomplete marker or tag at the end of a cut reply, "" without one; it has at least three characters."""
    for start in range(max(len(buffer) - LONGEST_MARKER_CHARS, at), len(buffer) - 2):
        is_tag = buffer[start] == "<" and (match := token.fullmatch(buffer, start, partial=True)) and match.partial
        if is_tag and token.fullmatch(buffer, start):
            continue
        if is_tag or (buffer[start] in "[【*" and _BROKEN.fullmatch(buffer, start)):
            return buffer[start:]
    return ""
