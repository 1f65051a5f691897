"""Replies as models and servers really write them, with the fields that they hold.

The question is always how long roasted beans stay fresh. `says` and `warns` tell what tests of the whole turn look for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

R = "Passage one says so."
A = "Roasted beans stay fresh for weeks. [1]"
THOUGHT = "The user asks how long roasted beans stay fresh. Passage one talks about the roast date."
GOOD = f"[[ ## reasoning ## ]]\n{R}\n\n[[ ## answer ## ]]\n{A}\n\n[[ ## completed ## ]]"
DRAFT = GOOD.replace(R, "my notes").replace(A, "DRAFT: two years?") + "\nNow for real."
MARKUP = "The feed holds <question>, <reason> and <answer> elements, but no <reflection> ones. [1]"
FENCED = "The form is:\n```\n[[ ## answer ## ]]\n<think>\n```\nand `<think>` or `[[ ## answer ## ]]` in a line. [1]"


@dataclass(frozen=True)
class Case:
    """`content` after `native` thinking; `fields` are what is read, without the blanks around them."""

    name: str
    content: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    native: str = ""
    never: tuple[str, ...] = ()  # stands at no time in the answer
    keeps_format: bool = True
    is_rescued: bool = False


def both(thinking: str = "") -> dict[str, str]:
    return {"reasoning": R, "answer": A} | ({"thinking": thinking} if thinking else {})


def thinks(name: str, opening: str, closing: str, thought: str = THOUGHT) -> Case:
    """Thinking in marks of some kind, then the format."""
    return Case(name, f"{opening}{thought}{closing}\n\n{GOOD}", both(thought), never=("The user", "DRAFT"))


CASES = (
    Case("the format", GOOD, both()),
    # Thinking inside the content
    thinks("think", "<think>\n", "\n</think>"),
    thinks("thinking", "<thinking>", "</thinking>"),
    thinks("upper case", "<THINK>", "</Think>"),
    thinks("attributes and blanks", '<think effort="low" >', "</think >"),
    thinks("seed", "<seed:think>", "</seed:think>"),
    thinks("minimax", "<mm:think>", "</mm:think>"),
    thinks("thought", "<thought>\n", "</thought>"),
    thinks("magistral", "[THINK]", "[/THINK]"),
    thinks("kimi", "◁think▷", "◁/think▷"),
    thinks("command", "<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    thinks("sky", "<|begin_of_thought|>", "<|end_of_thought|>"),
    thinks("pangu", "[unused16]", "[unused17]"),
    thinks("gpt-oss", "<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    thinks(
        "gpt-oss constrained",
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>",
    ),
    thinks("gemma", "<|channel>thought\n", "<channel|>"),
    thinks("leftover of channels", "analysis", "assistantfinal"),
    thinks("granite", "Here is my thought process:\n", "\n\nHere is my response:"),
    thinks("rehearsed", "<think>\n", "\n</think>", DRAFT),
    thinks(
        "rehearsed in a channel",
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        DRAFT,
    ),
    thinks("a tag named in a thought", "<think>", "</think>", "I must not write <think> twice. Nor `</think>` here."),
    Case(
        "nested",
        f"<think>\nFirst.\n<think>\nSecond.\n</think>\n</think>\n{GOOD}",
        both("First.\n\nSecond."),
        never=("Second",),
    ),
    Case(
        "nested, closed once",
        f"<think>\nFirst.\n<think>\nSecond.\n</think>\n{GOOD}",
        both("First.\n\nSecond."),
        never=("Second",),
    ),
    Case("two thoughts", f"<think>One.</think>\n<think>Two.</think>{GOOD}", both("One.Two.")),
    Case("closed twice", f"<think>One.</think>\n</think>\n{GOOD}", both("One.")),
    Case("an empty thought", f"<think>\n\n</think>\n\n{GOOD}", both()),
    Case("a tag that is empty itself", f"<think/>\n{GOOD}", both()),
    Case("no opening tag", f"{THOUGHT}\n</think>\n\n{GOOD}", both(THOUGHT)),
    Case("no opening tag, rehearsed", f"{DRAFT}\n</think>\n\n{GOOD}", both(DRAFT)),
    Case("no opening tag, leftover of channels", f"{THOUGHT}assistantfinal{GOOD}", both(THOUGHT)),
    Case("a closing tag after all", f"{GOOD}</think>", both()),
    Case(
        "never closed",
        f"<think>\n{THOUGHT}\n{DRAFT}",
        {"thinking": f"{THOUGHT}\n{DRAFT}"},
        never=("The user", "DRAFT"),
        keeps_format=False,
    ),
    Case(
        "signs with blanks between them",
        f"[## # question # ]\nHow long?\n\n[## # reasoning # ]\n{R}\n\n[[ # # answer # # ]]\n{A}\n"
        "[[ # # completed # # ]]",
        both(),
    ),
    Case("never closed, around the whole reply", f"<think>\n{THOUGHT}\n{GOOD}", both(THOUGHT), is_rescued=True),
    Case(
        "no format after it",
        f"<think>\n{THOUGHT}\n</think>\n\n{A}",
        {"thinking": THOUGHT, "answer": A},
        never=("The user",),
        keeps_format=False,
    ),
    Case("inside the reasoning", GOOD.replace(R, f"<think>Hm.</think>{R}"), both("Hm.")),
    Case("inside the answer", GOOD.replace(A, f"<think>Hm.\n\nYes.</think>\n{A}"), both("Hm.\n\nYes."), never=("Hm",)),
    Case("native, and a tag left over", f"</think>\n\n{GOOD}", both(THOUGHT), native=THOUGHT),
    Case("native, with tags", GOOD, both(THOUGHT), native=f"<think>\n{THOUGHT}\n</think>"),
    Case("native, and on in the content", f"<think>More.</think>{GOOD}", both(f"{THOUGHT}More."), native=THOUGHT),
    Case("control tokens at the end", f"{GOOD}<|im_end|>", both()),
    # Markers
    Case("inline", f"[[ ## reasoning ## ]]\n{R}[[ ## answer ## ]]\n{A}[[ ## completed ## ]]", both()),
    Case("all on one line", f"[[ ## reasoning ## ]] {R} [[ ## answer ## ]] {A} [[ ## completed ## ]]", both()),
    *(
        Case(
            f"written {form}",
            GOOD.replace("[[ ## reasoning ## ]]", form.format("reasoning"))
            .replace("[[ ## answer ## ]]", form.format("answer"))
            .replace("[[ ## completed ## ]]", form.format("completed")),
            both(),
        )
        for form in (
            *(
                "[[## {} ##]]",
                "[[##{}##]]",
                "[[ # {} # ]]",
                "[[ ### {} ### ]]",
                "[[ ## {} ## ]",
                "[ ## {} ## ]",
                "[[ ## {} ]]",
                "[[ {} ## ]]",
            ),
            *(
                "**[[ ## {} ## ]]**",
                "__[[ ## {} ## ]]__",
                "`[[ ## {} ## ]]`",
                "### [[ ## {} ## ]]",
                "- [[ ## {} ## ]]",
                "> [[ ## {} ## ]]",
            ),
            *(
                "[[ ## {} ## ]]:",
                "**[[ ## {} ## ]]:**",
                "[[[ ## {} ## ]]]",
                "【【 ## {} ## 】】",
                r"\[\[ ## {} ## \]\]",
                "[[\u00a0##\u00a0{}\u00a0##\u00a0]]",
            ),
            *("[[ ## {}: ## ]]", '[[ ## "{}" ## ]]', "[[ ## **{}** ## ]]", "{{{{ ## {} ## }}}}", "(( ## {} ## ))"),
            *("## {} ##", "[[ ## {} ##", "[[{}]]"),
        )
    ),
    Case(
        "upper case",
        GOOD.replace("answer", "ANSWER").replace("reasoning", "Reasoning").replace("completed", "Completed"),
        both(),
    ),
    Case("a slip in a name", GOOD.replace("## answer", "## anwser").replace("## reasoning", "## reasonning"), both()),
    Case(
        "in German",
        GOOD.replace("## answer", "## Antwort")
        .replace("## reasoning", "## Begründung")
        .replace("completed", "abgeschlossen"),
        both(),
    ),
    Case(
        "a name that nobody knows",
        GOOD.replace("## answer", "## vastaus"),
        {"reasoning": R, "answer": A},
        keeps_format=False,
    ),
    Case("the question first", GOOD.replace("[[ ## answer", "[[## question ## ]]\nHow long?\n\n[[ ## answer"), both()),
    Case("all inputs first", f"[[ ## passages ## ]]\n[1] Storing\n\n[[ ## question ## ]]\nHow long?\n\n{GOOD}", both()),
    Case("a turn of its own after it", f"{GOOD}\n\n[[ ## question ## ]]\nAnd tea?\n\n[[ ## answer ## ]]\nNo.", both()),
    Case("a greeting first", f"Sure! Here is the answer to your question:\n\n{GOOD}", both()),
    Case("words after it", f"{GOOD}\n\nI hope this helps!", both()),
    Case("no reasoning", f"[[ ## answer ## ]]\n{A}", {"answer": A}),
    Case("the reasoning has no marker", f"{THOUGHT}\n\n[[ ## answer ## ]]\n{A}", {"reasoning": THOUGHT, "answer": A}),
    Case("the answer first", f"[[ ## answer ## ]]\n{A}\n\n[[ ## reasoning ## ]]\n{R}", both()),
    Case(
        "a field that nobody asked for", GOOD.replace("[[ ## answer", "[[ ## mood ## ]]\ncalm\n\n[[ ## answer"), both()
    ),
    Case(
        "two answers",
        f"{GOOD}\n\n[[ ## answer ## ]]\nFor weeks. [2]\n\n[[ ## completed ## ]]",
        {"reasoning": f"{R}\n\n{A}", "answer": "For weeks. [2]"},
    ),
    Case("an answer, and an empty one", f"{GOOD}\n\n[[ ## answer ## ]]\n", both()),
    Case("the whole reply fenced", f"```\n{GOOD}\n```", both()),
    Case("fenced as markdown", f"```markdown\n{GOOD}\n```\n", both()),
    Case(
        "fenced, with code in it",
        f"```\n{GOOD.replace(A, '```python' + chr(10) + 'x = 1' + chr(10) + '```' + chr(10) + A)}\n```",
        {"reasoning": R, "answer": f"```python\nx = 1\n```\n{A}"},
    ),
    Case("a greeting, then fenced", f"Here it is:\n```\n{GOOD}\n```", both()),
    # Headings
    Case("bold headings", f"**Reasoning:** {R}\n\n**Answer:** {A}", both()),
    Case("bold headings alone", f"**Reasoning**\n{R}\n\n**Answer**:\n{A}", both()),
    Case("headings", f"### Reasoning\n{R}\n\n### Answer\n{A}", both()),
    Case("headings with a colon", f"## Reasoning:\n\n{R}\n\n## Final Answer:\n\n{A}", both()),
    Case("plain words", f"Reasoning: {R}\nAnswer: {A}", both()),
    Case("plain words, with the question", f"Question: How long?\nReasoning: {R}\nAnswer: {A}", both()),
    Case("a marker, then a heading", f"[[ ## reasoning ## ]]\n{R}\n\n**Answer:**\n{A}", both()),
    Case("the answer alone", f"**Answer:** {A}", {"answer": A}),
    Case("German headings", f"**Begründung:** {R}\n\n**Antwort:** {A}", both()),
    Case("tags", f"<reasoning>\n{R}\n</reasoning>\n<answer>\n{A}\n</answer>", both()),
    Case("a tag within a marker", f"[[ ## reasoning ## ]]\n{R}\n[[ ## answer ## ]]\n<answer>{A}</answer>", both()),
    Case("a marker for thinking", f"[[ ## thinking ## ]]\n{THOUGHT}\n\n{GOOD}", both(THOUGHT), never=("The user",)),
    Case("a token of another script", f"{GOOD}<\uff5cend\u2581of\u2581sentence\uff5c>", both()),
    Case("prose that quotes its form first", f"Thought: {R}\nAnswer: {A}", both()),
    Case(
        "an announcement, and an input after it",
        f"[[## answer ## ]]\n\nThe passage is:\n[[## passages ## ]]\n{A}",
        {"answer": f"The passage is:\n\n{A}"},
    ),
    # JSON
    Case("json", f'{{"reasoning": "{R}", "answer": "{A}"}}', both()),
    Case("json over lines", f'{{\n  "reasoning": "{R}",\n  "answer": "{A}"\n}}', both()),
    Case("json fenced", f'```json\n{{"reasoning": "{R}",\n "answer": "{A}"}}\n```', both()),
    Case("a greeting, then json", f'Here is the JSON:\n```json\n{{"reasoning": "{R}", "answer": "{A}"}}\n```', both()),
    Case(
        "json with escapes",
        '{"reasoning": "a\\n\\"b\\" \\u00e9", "answer": "C:\\\\x \\ud83d\\ude00 {1} [1], \\"y\\""}',
        {"reasoning": 'a\n"b" é', "answer": 'C:\\x 😀 {1} [1], "y"'},
    ),
    Case(
        "json with quotes that nobody escaped",
        f'{{"reasoning": "He said "weeks" there", "answer": "{A}"}}',
        {"reasoning": 'He said "weeks" there', "answer": A},
    ),
    Case(
        "a Python dict",
        "{'reasoning': 'It doesn't say.', 'answer': '" + A + "'}",
        {"reasoning": "It doesn't say.", "answer": A},
    ),
    Case("json within json", f'{{"response": {{"reasoning": "{R}", "answer": "{A}"}}}}', both()),
    Case(
        "json with a list",
        f'{{"reasoning": ["One.", "Two."], "answer": "{A}", "score": 1}}',
        {"reasoning": "One.\nTwo.", "answer": A},
    ),
    Case("json that broke off", f'{{"reasoning": "{R}", "answer": "{A}', both()),
    Case("json that thinks", f'{{"thinking": "Hm.", "reasoning": "{R}", "answer": "{A}"}}', both("Hm.")),
    Case(
        "json under a marker",
        f'[[ ## reasoning ## ]]\n{R}\n\n[[ ## answer ## ]]\n{{"answer": "{A}"}}\n\n[[ ## completed ## ]]',
        both(),
    ),
    Case(
        "thinking, then json",
        f'<think>{THOUGHT}</think>\n{{"reasoning": "{R}", "answer": "{A}"}}',
        both(THOUGHT),
        never=("The user",),
    ),
    # Words of the answer
    Case("quoted in code", GOOD.replace(A, FENCED), {"reasoning": R, "answer": FENCED}),
    Case("quoted in code, without a format", FENCED, {"answer": FENCED}, keeps_format=False),
    Case(
        "headings of the answer's own",
        GOOD.replace(A, f"### Answer options\nThe answer: weeks.\n\n### Answer\n{A}\n\nAnswer: yes"),
        {"reasoning": R, "answer": f"### Answer options\nThe answer: weeks.\n\n### Answer\n{A}\n\nAnswer: yes"},
    ),
    Case(
        "brackets of all kinds",
        GOOD.replace(A, "a[[0]], [[1, 2], [3]], [[Main Page]], [x](y), `a[0]` [1][2] <b>3</b> 1 < 2"),
        {"reasoning": R, "answer": "a[[0]], [[1, 2], [3]], [[Main Page]], [x](y), `a[0]` [1][2] <b>3</b> 1 < 2"},
    ),
    Case(
        "an example in JSON",
        GOOD.replace(A, 'Send {"answer": 1}:\n```json\n{"answer": 1}\n```'),
        {"reasoning": R, "answer": 'Send {"answer": 1}:\n```json\n{"answer": 1}\n```'},
    ),
    Case(
        "code that nobody closed", GOOD.replace(A, "```python\nx = 1"), {"reasoning": R, "answer": "```python\nx = 1"}
    ),
    # The channel of the thinking
    Case("all in the reasoning channel", "", both(), native=GOOD, is_rescued=True),
    Case(
        "thought and answer in the reasoning channel", "", both(THOUGHT), native=f"{THOUGHT}\n{GOOD}", is_rescued=True
    ),
    Case(
        "an answer without format in the reasoning channel",
        "",
        {"answer": A},
        native=A,
        keeps_format=False,
        is_rescued=True,
    ),
    Case("a thought alone", "", {"thinking": THOUGHT}, native=THOUGHT, keeps_format=False),
    Case("the channel closed with a tag", "", both(THOUGHT), native=f"{THOUGHT}\n</think>\n\n{GOOD}"),
    # No format
    Case("prose", A, {"answer": A}, keeps_format=False),
    Case("short prose", "Weeks.", {"answer": "Weeks."}, keeps_format=False),
    Case("prose and an end", f"{A}\n\n[[ ## completed ## ]]", {"answer": A}, keeps_format=False),
    Case("another name", f"[[ ## vastaus ## ]]\n{A}", {"answer": A}, keeps_format=False),
    Case("the question, then prose", f"[[ ## question ## ]]\nHow long?\n\n{A}", {"answer": A}, keeps_format=False),
    Case(
        "prose with headings",
        f"## Storing\n{A}\n\n## Sources\n[1]",
        {"answer": f"## Storing\n{A}\n\n## Sources\n[1]"},
        keeps_format=False,
    ),
    Case("cut in a marker", f"[[ ## reasoning ## ]]\n{R}\n\n[[ ## answer ## ]]\n{A}\n\n[[ ## comp", both()),
    Case("cut in a tag", f"<think>{THOUGHT}</thi", {"thinking": THOUGHT}, keeps_format=False),
    # As public reports of servers, proxies and small models have them
    thinks("a tag over two lines", "<think\n>", "</think\n>"),
    Case(
        "a folded element",
        f'<details type="reasoning" done="true" >\n<summary>Thought</summary>\n> {THOUGHT}\n</details>\n\n{GOOD}',
        both(f"Thought > {THOUGHT}"),
        never=("The user",),
    ),
    thinks("escaped as HTML", "&lt;think&gt;", "&lt;/think&gt;"),
    thinks("escaped as Markdown", "\\<think\\>", "\\</think\\>"),
    thinks("a tag of an artifact", "<antThinking>", "</antThinking>"),
    thinks("between pipes", "<|think|>", "<|/think|>"),
    thinks("in capitals between brackets", "[REASONING]", "[/REASONING]"),
    thinks("a channel's name on a line of its own", "analysis\n", "\n\nassistantfinal\n"),
    Case(
        "a call to a tool between the channels",
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>commentary to=functions.search "
        f'<|constrain|>json<|message|>{{"q": 1}}<|call|><|start|>assistant<|channel|>final<|message|>{GOOD}<|return|>',
        both(f'{THOUGHT}{{"q": 1}}'),
        never=("The user", "functions"),
    ),
    Case(
        "a call to a tool by a role",
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant to=functions.search<|channel|>commentary"
        f'<|message|>{{"q": 1}}<|call|><|start|>assistant<|channel|>final<|message|>{GOOD}',
        both(f'{THOUGHT}{{"q": 1}}'),
        never=("The user", "functions"),
    ),
    Case("a closing tag astray in the answer", GOOD.replace(A, f"{A}</think>"), both()),
    Case("a closing tag before the end", GOOD.replace("\n\n[[ ## completed", "\n</think>\n[[ ## completed"), both()),
    Case("tokens around a sentence", f"<s>{GOOD.replace(A, A + '</s>')}</s>", both()),
    Case("prose and a token", f"{A}</s>", {"answer": A}, keeps_format=False),
    Case(
        "another's turn behind prose", f"{A}<|im_end|>\n<|im_start|>user\nAnd tea?", {"answer": A}, keeps_format=False
    ),
    Case("a text behind the end of text", f"{A}<|endoftext|>Human: And tea?", {"answer": A}, keeps_format=False),
    Case("elements in prose", GOOD.replace(A, MARKUP), {"reasoning": R, "answer": MARKUP}),
    Case("elements in prose, without a format", MARKUP, {"answer": MARKUP}, keeps_format=False),
    Case(
        "struck out",
        GOOD.replace(A, "<s>Months</s> Weeks. [1]"),
        {"reasoning": R, "answer": "<s>Months</s> Weeks. [1]"},
    ),
    *(
        Case(
            f"written {form!r}",
            GOOD.replace("[[ ## reasoning ## ]]", form.format("reasoning"))
            .replace("[[ ## answer ## ]]", form.format("answer"))
            .replace("[[ ## completed ## ]]", form.format("completed")),
            both(),
        )
        for form in (
            *("[[ ## {} ## ]].", "[[ ## {} ## ]] :", "[[ ## {} ## ]] -", "[[ ## {} ## ]]=", "[[ ## {} ## ]]\\"),
            *("[[ ## {} ## ]]\u200b", "[[ ## {} ## ]] **", "[ [ ## {} ## ] ]", "[[[[ ## {} ## ]]]]", "<< ## {} ## >>"),
            *("[[ ## <{}> ## ]]", "[[ ## {{{}}} ## ]]", "[[ ## {}\n## ]]", "[[\n## {} ##\n]]", "<b>[[ ## {} ## ]]</b>"),
            *("| [[ ## {} ## ]] |", "    [[ ## {} ## ]]", r"\[\[ \#\# {} \#\# \]\]", "[[ ## output_{} ## ]]"),
        )
    ),
    *(
        Case(f"headed {form!r}", f"{form.format('Reasoning')}{R}\n\n{form.format('Answer')}{A}", both())
        for form in (
            *(
                "- **{}:** ",
                "* **{}**:\n",
                "## [{}]\n",
                "**[{}]** ",
                "[{}]: ",
                "**{}** - ",
                "✅ **{}:** ",
                "**📌 {}:** ",
            ),
            *("## 📝 {}\n", "{}: |\n  "),
        )
    ),
    Case(
        "a final answer after one",
        f"**Reasoning:** {R}\n\n**Answer:** Days. [2]\n\n**Final Answer:** {A}",
        {"reasoning": f"{R}\n\nDays. [2]", "answer": A},
    ),
    Case(
        "three answers",
        GOOD.replace("[[ ## answer", "[[ ## answer ## ]]\nOne. [1]\n\n[[ ## answer ## ]]\nTwo. [1]\n\n[[ ## answer"),
        {"reasoning": f"{R}\n\nOne. [1]\n\nTwo. [1]", "answer": A},
    ),
    Case(
        "an answer in an element for output",
        f"<think>{THOUGHT}</think>\n<output>{A}</output>",
        {"thinking": THOUGHT, "answer": A},
        never=("The user",),
    ),
    Case(
        "a tag of two words",
        f"<thinking>{THOUGHT}</thinking>\n<final_answer>\n{A}\n</final_answer>",
        {"thinking": THOUGHT, "answer": A},
        never=("The user",),
    ),
    Case("tags with attributes", f'<reasoning id="1">{R}</reasoning><answer lang="en">{A}</answer>', both()),
    Case(
        "tags with character data", f"<reasoning><![CDATA[{R}]]></reasoning>\n<answer><![CDATA[{A}]]></answer>", both()
    ),
    Case("tags in an element", f"<output>\n<reasoning>{R}</reasoning>\n<answer>{A}</answer>\n</output>", both()),
    *(
        Case(f"json, {name}", before + f'"reasoning": "{R}", "answer": "{A}"' + after, both())
        for name, before, after in (
            ("within another name", '{"output": {', "}}"),
            ("as a call", '{"name": "Answer", "arguments": {', "}}"),
            ("as a tagged call", '<tool_call>\n{"name": "Answer", "arguments": {', "}}\n</tool_call>"),
            ("with a comment", "{\n // thoughts\n ", "\n}"),
            ("after its name", "json\n{", "}"),
            ("with a comma too many", "{", ",}"),
        )
    ),
    Case("json without quotes around its names", f"{{reasoning: '{R}', answer: '{A}'}}", both()),
    # Answers without a format that have headings of such names: nothing is lost
    *(
        Case(f"prose: {text[:20]!r}", text, {"answer": text}, keeps_format=False)
        for text in (
            "Two parts:\n\n**Reasoning:** the roast date counts. [1]\n\n**Conclusion:** weeks. [1]",
            "### Answer options\n\n1. Weeks [1]\n2. Months\n\n### Reasoning\n\nAs the roast date says.",
            "Passages: there are two. [1]\n\nQuestion: is that enough?",
            "```html\n<answer>x</answer>\n<reasoning>y</reasoning>\n```\n[1]",
        )
    ),
    Case(
        "prose, then a field that is no answer",
        f"{A}\n\n[[ ## reasoning ## ]]\n{R}",
        {"reasoning": R, "answer": A},
        keeps_format=False,
    ),
    *(
        Case(f"an answer: {text[:20]!r}", GOOD.replace(A, text), {"reasoning": R, "answer": text})
        for text in (
            "Like so:\n\n    [[ ## answer ## ]]\n    text\n\nDone. [1]",
            "Two parts:\n\n**Reasoning:** the roast date counts. [1]\n\n**Conclusion:** weeks. [1]",
            "```html\n<answer>x</answer>\n<think>z</think>\n```\n[1]",
            "| Reasoning | Answer |\n|---|---|\n| Roast | Weeks [1] |",
            "**Question:** How long?\n**Answer:** Weeks. [1]\n\n**Question:** And ground?\n**Answer:** Minutes. [2]",
            "```lua\n--[[ answer ]]\nlocal s = [[ reasoning ]]\n```\n[1]",
            "Use {{ answer }} in Jinja and ((answer)) in Concourse; if [[ $answer == yes ]]; then. [1]",
            "ChatML begins a turn with `<|im_start|>user` and ends it with `<|im_end|>`. [1]",
            "geröstet. Antwort: ja. Begründung: das Röstdatum.\n\n答案：数周。\n理由：见烘焙日期。【1】",
        )
    ),
)
