"""Measures whether a token costs more in a longer answer or conversation: on the server and in a real Chromium.

    python -m bench.growth [--tokens 200 2000 10000] [--messages 0 20 100] [--bursts 5] [--model essay] [--root .]

A page asks; the provider sends 200 tokens per second in paragraphs of 60, without citations by default; the sentences
of `checked-essay` have every verdict. `--root` is the tree of another version, to be compared with this one. The
server's CPU is the app's (all threads), the browser's that of the page's main thread (CDP, Performance.getMetrics); the
idle use of both is subtracted. Last, the time from the provider's last byte until a burst of 2,000 tokens is shown
completely.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, CDPSession, Page, expect

from bench.processes import cpu_of
from bench.streaming import QUESTION, entries_of
from pipeline.settings import ROOT
from tests.chromium import chromium
from tests.provider import Provider
from tests.served import Served, served

RATE, HISTORY_TOKENS, IDLE_S, PATIENCE_MS = 200, 200, 3.0, 180_000
SHORT_TOKENS, SHORT_TURNS = 1000, 5  # shorter answers are asked for five times, since each ends so soon
BURST = "ok-tokens-2000"
WHEN_DONE = "() => { if (document.querySelector('#chat .facts')) return Date.now() / 1000; }"


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of CPU at one moment, or between two."""

    at_s: float
    server_s: float
    task_s: float
    script_s: float
    layout_s: float

    def since(self, other: Cpu) -> Cpu:
        """Return the CPU used since another moment."""
        mine, its = ((each.at_s, each.server_s, each.task_s, each.script_s, each.layout_s) for each in (self, other))
        return Cpu(*(now - before for now, before in zip(mine, its, strict=True)))


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of one kind of turn in µs per token; `task_us` is everything that the page's main thread did."""

    tokens: int
    messages: int
    server_us: float
    task_us: float
    script_us: float
    layout_us: float

    def row(self) -> str:
        """Format one line of the table."""
        costs = (self.server_us, self.task_us, self.script_us, self.layout_us)
        return f"| {self.tokens:,} | {self.messages} | {' | '.join(f'{cost:.0f}' for cost in costs)} |"


def cpu_now(app: Served, session: CDPSession) -> Cpu:
    """Read the CPU times of server and browser."""
    told = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    layout_s = told["LayoutDuration"] + told["RecalcStyleDuration"]
    return Cpu(time.monotonic(), cpu_of(app.process.pid), told["TaskDuration"], told["ScriptDuration"], layout_s)


def sized(model: str, tokens: int) -> str:
    """Return the model that writes that many tokens."""
    return f"{model}-tokens-{tokens}-rate-{RATE}"


def conversation(app: Served, messages: int) -> str | None:
    """Store a new conversation of that many messages, which anybody with its id may open."""
    number: str | None = None
    for _ in range(messages // 2):
        body = {"question": QUESTION, "model": f"essay-tokens-{HISTORY_TOKENS}"}
        number = app.ask({**body, "conversation_id": number} if number else body)[0]["conversation_id"]
    return number


@contextmanager
def opened(browser: Browser, url: str) -> Iterator[Page]:
    """Open a new visitor's page, ready for a question."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(url)
    expect(page.locator("#question textarea")).to_be_visible()
    yield page
    context.close()


def ask(page: Page, model: str) -> None:
    """Choose the model and ask."""
    page.locator("#model label", has_text=model).first.click()
    expect(page.locator("#model input:checked")).to_have_attribute("value", model)
    page.locator("#question textarea").fill(QUESTION)
    page.locator("#question textarea").press("Enter")


def grown(app: Served, browser: Browser, model: str, tokens: int, messages: int) -> Costs:
    """Ask in a conversation of that length and measure what its tokens cost."""
    number = conversation(app, messages)
    turns = SHORT_TURNS if tokens < SHORT_TOKENS else 1
    with opened(browser, f"{app.url}/?c={number}" if number else app.url) as page:
        expect(page.locator("#thread .facts")).to_have_count(messages // 2)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        ask(page, sized(model, SHORT_TOKENS // 10))  # a warm-up: the first question of a page draws elements that stay
        expect(page.locator("#thread .facts")).to_have_count(messages // 2 + 1)
        at_rest = cpu_now(app, session)
        page.wait_for_timeout(IDLE_S * 1000)
        begun = cpu_now(app, session)
        for turn in range(turns):
            ask(page, sized(model, tokens))
            expect(page.locator("#thread .facts")).to_have_count(messages // 2 + 2 + turn)
        used, idle = cpu_now(app, session).since(begun), begun.since(at_rest)

    def per_token_us(name: str) -> float:
        spent_s = getattr(used, name) - getattr(idle, name) * used.at_s / idle.at_s
        return float(spent_s / (tokens * turns) * 1e6)

    return Costs(tokens, messages, *map(per_token_us, ("server_s", "task_s", "script_s", "layout_s")))


def burst(app: Served, browser: Browser, provider: Provider) -> float:
    """Measure the seconds from the provider's last byte until the complete answer is shown."""
    ended: list[float] = []

    def watch() -> None:
        before = len(provider.requests)
        while len(provider.requests) == before or provider.active:
            time.sleep(0.002)
        ended.append(time.time())

    with opened(browser, app.url) as page:
        watching = threading.Thread(target=watch)
        watching.start()
        ask(page, BURST)
        shown = page.wait_for_function(WHEN_DONE, polling="raf").json_value()
        watching.join()
    return float(shown) - ended[0]


def measure(sizes: Sequence[int], histories: Sequence[int], bursts: int, model: str, root: Path) -> str:
    """Run everything and return a Markdown table and two lines."""
    names = [sized(model, tokens) for tokens in {*sizes, SHORT_TOKENS // 10}]
    limits = {f"{name}_TIMEOUT_S": "600" for name in ("CONNECT", "FIRST_TOKEN", "IDLE", "TURN")}
    limits["ANSWER_LIMIT_CHARS"] = "1000000"
    with Provider() as provider, tempfile.TemporaryDirectory() as folder, chromium() as browser:
        entries = entries_of(provider.base, *names, BURST, f"essay-tokens-{HISTORY_TOKENS}")
        with served(Path(folder) / "app", root, MODELS=json.dumps(entries), **limits) as app:
            rows = [grown(app, browser, model, tokens, 0) for tokens in sizes]
            rows += [grown(app, browser, model, sizes[1], messages) for messages in histories if messages]
            waited_s = [burst(app, browser, provider) for _ in range(bursts)]
    server = max(each.server_us for each in rows) / rows[0].server_us
    page = max(each.task_us for each in rows) / rows[0].task_us
    burst_s = f"{median(waited_s):.2f} s after the last byte, at most {max(waited_s):.2f}"
    head = (
        "| answer, tokens | messages before | server, µs per token | page, µs per token | script | style and layout |"
    )
    return "\n".join(
        [
            f"{head}\n|---|---|---|---|---|---|",
            *(each.row() for each in rows),
            f"\nNext to the first line a token costs at most {server:.2f}× on the server and {page:.2f}× on the page.",
            f"A burst of 2,000 tokens stands on the page {burst_s}.",
        ]
    )


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--tokens", type=int, nargs="+", default=(200, 2000, 10000))
    reader.add_argument("--messages", type=int, nargs="+", default=(0, 20, 100))
    reader.add_argument("--bursts", type=int, default=5)
    reader.add_argument("--model", choices=("essay", "checked-essay"), default="essay")
    reader.add_argument("--root", type=Path, default=ROOT)
    asked = reader.parse_args()
    expect.set_options(timeout=PATIENCE_MS)
    print(measure(asked.tokens, asked.messages, asked.bursts, asked.model, asked.root))


if __name__ == "__main__":
    main()
