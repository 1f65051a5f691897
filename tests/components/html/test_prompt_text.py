"""A prompt is shown as text, with every character that was sent, whatever it holds."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.html.prompt_text import content_html, passages_chars, written
from pipeline.passages import Passage
from pipeline.prompt_passages import numbered
from pipeline.prompt_sections import sections

TAG = re.compile(r"<[^<>]*>")
HOSTILE = '</pre></script><script>alert(1)</script><img src=x onerror="alert(2)">\0\u202eabc\u200b&amp;\x1b[31m'

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200) | st.text(
    "[]# \npasgeqution012\0<>&\u202e", max_size=80
)


def shown(markup: str) -> str:
    """The text of HTML, as a browser shows it; the code points of unseen signs become these again."""
    signs = re.sub(r'<i class="unseen-sign">U\+([0-9A-F]+)</i>', lambda found: f"&&{found[1]};", markup)
    text = html.unescape(TAG.sub("", signs).replace("&&", "\ue000"))
    return re.sub("\ue000([0-9A-F]+);", lambda found: chr(int(found[1], 16)), text)


@given(texts)
@example(HOSTILE)
def test_every_sign_of_a_text_is_shown_and_none_of_it_is_markup(text: str) -> None:
    made = written(text.replace("\ue000", ""))
    assert shown(made) == text.replace("\ue000", "")
    assert set(re.findall(r"<\w+", made)) <= {"<b", "<i"}
    assert not re.search("[\0\x1b\u202e\u200b]", made)


@given(texts)
@example(f"[[ ## passages ## ]]\n[1] A\n{HOSTILE}\n\n[[ ## question ## ]]\nWhy?")
def test_the_sections_of_a_message_are_all_of_it(text: str) -> None:
    assert "".join(text[each.start : each.end] for each in sections(text)) == text
    assert set(re.findall(r"<(\w+)", content_html(text))) <= {"b", "i", "pre", "details", "summary", "span", "em"}


def test_passages_are_folded_by_their_numbers_and_counted() -> None:
    found = [
        Passage(number, f"{title}.md", title, "Heat", f"Text of {title}.\n[7] not a head", 1.0)
        for number, title in ((1, "Water"), (3, "Roast"))
    ]
    message = f"[[ ## passages ## ]]\n{numbered(found)}\n\n[[ ## question ## ]]\nWhy?"
    made = content_html(message)
    assert re.findall(r'<span class="number">(\d)</span>', made) == ["1", "3"]
    assert made.count("<details") == 2
    assert passages_chars(message) == message.index("[[ ## question")


@pytest.mark.parametrize("own", ["Be brief.\nUse numbers.", "  One line  "])
def test_own_instructions_are_marked_also_where_they_were_indented(own: str) -> None:
    indented = "\n".join(f"        {line.strip()}" for line in own.splitlines())
    made = content_html(f"In adhering to this structure, your objective is: \n{indented}", own)
    (marked,) = re.findall(r'<mark class="own">(.*?)</mark>', made, re.DOTALL)
    assert [line.strip() for line in marked.splitlines()] == [line.strip() for line in own.strip().splitlines()]
    assert "<mark" not in content_html("Answer the question.", own)


def test_a_long_text_is_folded_behind_its_beginning() -> None:
    made = content_html("word " * 24_000)
    assert made.index("<details") < 3_000
    assert shown(made).count("word") == 24_000
