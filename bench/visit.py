"""Measures in Chromium what an open page costs the server and how late its first token is, next to a bare Gradio page.

Cost: CPU of the server (all threads) from the question to the settled answer, at 100 tokens/s, by the tokens. First
token: from the question to the first text of the answer on the page, minus the provider's own time to its first
token. Pages take turns, so that a slow minute affects all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import httpx
from playwright.sync_api import Page, expect

from bench.crowd import QUESTION
from bench.processes import cpu_of
from tests.chromium import chromium

TOKENS = 400
STEADY, BURST = f"ok-tokens-{TOKENS}-rate-100", f"ok-tokens-{TOKENS}"
PATIENCE_MS = 60_000
REST_S = 1.0  # between two questions
# Milliseconds until the first change of the page after which `text()` is different and not empty.
FIRST_TEXT = """(selector) => {
    const text = () => [...document.querySelectorAll(selector)].map((each) => each.value ?? each.textContent).join("");
    const before = text(), began = performance.now();
    window.firstText = new Promise((done) => {
        const look = () => {
            const now = text();
            if (now && now !== before) done(performance.now() - began); else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    });
}"""


@dataclass(frozen=True, slots=True)
class Road:
    """A page and how to ask on it: `picked` chooses the model, `asked` returns once the answer has settled."""

    name: str
    url: str
    pid: int
    text: str  # selector of the element with the first text
    picked: Callable[[Page, str], None]
    asked: Callable[[Page], None]


@dataclass(slots=True)
class Taken:
    """Per run: seconds of the server's CPU, and seconds to the first text."""

    cpu_s: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)


def pick_bare(page: Page, model: str) -> None:
    """Type the model's name, which the bare Gradio page takes as its question."""
    page.locator("textarea").first.fill(model)


def ask_bare(page: Page) -> None:
    """Ask, and wait until the last token is shown."""
    page.locator("textarea").first.press("Enter")
    page.evaluate("window.firstText")
    page.wait_for_function("""document.querySelector("textarea:disabled").value.includes("completed")""")


def pick_ours(page: Page, model: str) -> None:
    """Choose the model unless it is chosen, and type the question."""
    choice = page.locator(f'#model input[value="{model}"]')
    if not choice.is_checked():
        page.locator(f'#model label:has(input[value="{model}"])').click()
        expect(choice).to_be_checked()
    page.locator("#question textarea").fill(QUESTION)


def ask_ours(page: Page) -> None:
    """Ask, and wait until the turn has moved into the thread."""
    settled = page.locator("#thread .facts").count() + 1
    page.locator("#question textarea").press("Enter")
    expect(page.locator("#thread .facts")).to_have_count(settled)


def measure(roads: list[Road], base: str, runs: int) -> str:
    """Ask on every page in turns and return a Markdown table; the first round is a warm-up."""
    expect.set_options(timeout=PATIENCE_MS)
    taken = {road.name: Taken() for road in roads}
    providers_s = median(first_of_provider(base) for _ in range(runs))
    with chromium() as browser:
        pages = {road.name: browser.new_page(viewport={"width": 1440, "height": 900}) for road in roads}
        for road in roads:
            pages[road.name].set_default_timeout(PATIENCE_MS)
            pages[road.name].goto(road.url)
            expect(pages[road.name].locator("textarea").first).to_be_visible()
        for number in range(runs + 1):
            for road in roads:
                cpu_s, first_s = one(road, pages[road.name])
                if number:
                    taken[road.name].cpu_s.append(cpu_s)
                    taken[road.name].first_s.append(first_s)
    head = "| page | CPU per token, ms (lowest) | first token after the provider's, s (lowest) |\n|---|---|---|"
    return "\n".join([head, *(row(name, each, providers_s) for name, each in taken.items())])


def row(name: str, taken: Taken, providers_s: float) -> str:
    """Format medians and the lowest values, which the machine's other work affects least."""
    costs_ms = [cpu_s / TOKENS * 1e3 for cpu_s in taken.cpu_s]
    firsts_s = [first_s - providers_s for first_s in taken.first_s]
    cost, first = (f"{median(each):.2f} ({min(each):.2f})" for each in (costs_ms, firsts_s))
    return f"| {name} | {cost} | {first} |"


def one(road: Road, page: Page) -> tuple[float, float]:
    """Return the CPU seconds of a steady answer, and the time to the first text of an immediate one."""
    cpu_s = ask(road, page, STEADY)
    ask(road, page, BURST)
    return cpu_s, page.evaluate("window.firstText") / 1e3


def ask(road: Road, page: Page, model: str) -> float:
    """Ask, have the page record when the first text came, and return the server's CPU in seconds."""
    road.picked(page, model)
    time.sleep(REST_S)
    page.evaluate(FIRST_TEXT, road.text)
    before_s = cpu_of(road.pid)
    road.asked(page)
    return cpu_of(road.pid) - before_s


def first_of_provider(base: str) -> float:
    """Return the seconds until the provider itself sends its first token."""
    body = {"messages": [{"role": "user", "content": "?"}], "stream": True, "model": BURST}
    began = time.perf_counter()
    with httpx.stream("POST", f"{base}/chat/completions", json=body) as answer:
        next(line for line in answer.iter_lines() if '"content":' in line)
        return time.perf_counter() - began
