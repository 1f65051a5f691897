"""Every fault that a provider can produce, over real sockets and through both engines: how the turn goes on and ends.

One row is one fault; its story is what a reader is told, in order: `retry server` (a rung and the fault that led to
it), `format` (a warning), and last `finished`, or `failed` with its code. All rows run at once, each as its own turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import dspy
import pytest
import pytest_asyncio

from pipeline.events import (
    Event,
    FieldDelta,
    Recovered,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    TurnStopped,
    Warned,
)
from pipeline.models.catalogue import Models
from pipeline.programs.chain_of_thought import Rag
from pipeline.recording import fields_of, record_to_wire
from pipeline.retrieval.edge import EdgeIndex
from pipeline.settings import BUILTIN_MODEL, ModelEntry, Settings
from pipeline.turn import AskOptions, TurnRequest
from pipeline.turns.engine import Pipeline
from server import Parts, build
from tests.in_process import events_of
from tests.provider import Provider, reply
from tests.scripted import find_tea

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "Why does water temperature change the taste of coffee?"
KEY = "sk-fault-0123456789abcdef"
VISITOR = "maya-0123456789abcdef"
Engine = Literal["native", "litellm"]
PREFIXES: Mapping[Engine, str] = {"native": "hosted_vllm", "litellm": "lm_studio"}
AT_ONCE = 6
HERE = Path(__file__)
WHOLE = dspy.ChatAdapter().parse(Rag(find_tea).answer.predict.signature, reply(60))


@dataclass(frozen=True)
class Row:
    """`requests` is how many the provider sees. `litellm` are the (story, requests) that engine may make of it instead.

    A finished answer is what the provider says to the end, or its beginning where there is a warning; else `says` is
    a part of it.
    """

    model: str
    story: str
    requests: int = 1
    litellm: tuple[tuple[str, int], ...] = ()
    place: str = "provider"  # or a key of `places`
    asked: Mapping[str, Any] = field(default_factory=dict)  # keys of the AskOptions
    follows: bool = False  # there is an earlier turn
    settings: tuple[tuple[str, Any], ...] = ()
    says: str = ""

    def __str__(self) -> str:
        return self.model

    def expected(self, engine: Engine) -> tuple[tuple[str, int], ...]:
        """What that engine may make of it."""
        return (engine == "litellm" and self.litellm) or ((self.story, self.requests),)

    @property
    def deadlines(self) -> tuple[tuple[str, Any], ...]:
        """Settings that are short where a row waits for one of them, else long enough for the slowest machine."""
        stories = " ".join([self.story, *(story for story, _ in self.litellm)])
        waits = "first_token_timeout" in stories or "idle_timeout" in stories
        return (("first_token_timeout_s", 3), ("idle_timeout_s", 2)) if waits else LONG


def thrice(code: str) -> str:
    return f"retry {code}, retry {code}, extractive {code}, finished"


def quoted(code: str) -> str:
    return f"extractive {code}, finished"


def whole(code: str) -> str:
    return f"unstreamed {code}, finished"


# LiteLLM's HTTP client (aiohttp) discards what it has not handed on yet when the connection breaks, so a busy machine
# can lose the whole reply, each time that it is asked.
BROKEN_LATE = (
    *((f"{'retry connection, ' * n}failed connection", n + 1) for n in range(3)),
    (thrice("connection"), 3),
)
SILENT = "extractive idle_timeout, finished"
NO_REPLY = "unstreamed incomplete, extractive bad_reply, finished"
NO_REPLY_AT_ALL = "unstreamed incomplete, retry server, retry server, extractive resting, finished"
NO_PLACE = [
    Row("refused", thrice("refused"), 0, place="refused"),
    Row("no-dns", quoted("unreachable"), 0, place="no-dns"),
    Row("tls", quoted("unreachable"), 0, place="tls"),
]
STATUSES = [
    Row("status-400", "failed invalid_request"),
    Row("status-401", quoted("auth")),
    Row("status-402", quoted("billing")),
    Row("status-403", quoted("auth")),
    Row("status-404", quoted("unsupported_model")),
    Row("status-408", thrice("connect_timeout"), 3),
    Row("status-409", thrice("server"), 3),
    Row("status-413", "failed invalid_request"),
    Row("status-422", "failed invalid_request"),
    Row("status-429", thrice("rate_limit"), 3),
    Row("status-429-retry-1", thrice("rate_limit"), 3),
    Row("status-429-retry-60", quoted("rate_limit")),
    Row("no-credit", quoted("billing")),
    *(Row(f"status-{code}", thrice("server"), 3) for code in (500, 502, 503, 529)),
    *(Row(f"status-{code}-html", thrice("server"), 3) for code in (500, 502, 503)),
    Row("status-503-retry-1", thrice("server"), 3),
    Row("status-503-retry-60", quoted("server")),
    Row("status-504", thrice("connect_timeout"), 3),
    Row(
        "redirect",
        NO_REPLY,
        2,
        litellm=((quoted("wrong_address"), 1),),
    ),
    Row("too-long", f"{'retry context_window_exceeded, prompt_limit, ' * 2}failed context_window_exceeded", 3),
    Row(
        "too-long-history",
        "retry context_window_exceeded, prompt_limit, finished",
        2,
        follows=True,
        says="hot water takes",
    ),
    Row("filtered", "failed content_filter"),
    Row("no-streams", whole("cannot_stream"), 2),
]
NO_STREAM = [
    Row("html", NO_REPLY, 2, litellm=((NO_REPLY_AT_ALL, 3),)),
    Row("unstreamed", whole("incomplete"), 2),
    Row("no-body", NO_REPLY, 2, litellm=((NO_REPLY_AT_ALL, 3),)),
    Row("hang", quoted("first_token_timeout")),
    Row("head-no-token", quoted("first_token_timeout")),
]
BROKEN = [
    Row("stall-after-3", quoted("idle_timeout")),
    Row("stall-after-8", quoted("idle_timeout")),
    Row("stall-after-30", "failed idle_timeout"),
    *(Row(f"{how}-after-{n}", thrice("connection"), 3) for how in ("cut", "reset", "short") for n in (3, 8)),
    *(Row(f"{how}-after-30", "failed connection", litellm=BROKEN_LATE) for how in ("cut", "short")),
    Row(
        "reset-after-30-gap-10", "failed connection", litellm=BROKEN_LATE
    ),  # a reset discards what the client has not read yet
    # LiteLLM's client sometimes waits for more of a chunk that makes no sense.
    Row(
        "bad-chunk-after-3",
        thrice("connection"),
        3,
        litellm=((thrice("connection"), 3), *((f"{'retry connection, ' * n}{SILENT}", n + 1) for n in range(3))),
    ),
    Row("bad-chunk-after-30", "failed connection", litellm=(("failed connection", 1), ("failed idle_timeout", 1))),
    Row("eof-after-3", whole("incomplete"), 2),
    Row("eof-after-30", "failed incomplete"),
    Row("no-done", "finished"),
    Row("no-finish", "finished"),
    Row("error-in-stream-after-0", thrice("server"), 3),
    Row("error-in-stream-after-8", thrice("server"), 3),
    Row("error-in-stream-after-30", "failed server"),
    Row("badjson-after-3", whole("bad_reply"), 2),
    Row("badjson-after-8", whole("bad_reply"), 2),
    Row("badjson-after-30", "failed bad_reply"),
    Row("badutf8-after-3", "finished", litellm=((whole("bad_reply"), 2),)),
    Row("badutf8-after-8", "finished", litellm=((whole("bad_reply"), 2),)),
    Row("badutf8-after-30", "finished", litellm=(("failed bad_reply", 1),), says="hot water takes"),
    Row("splitutf8", "unsupported, finished", says="Wässer 水 💧"),
    Row("crlf", "finished"),
    Row("huge-kb-100-after-3", whole("bad_reply"), 2, litellm=(("finished", 1),)),
    Row("huge-kb-100-after-8", whole("bad_reply"), 2, litellm=(("finished", 1),)),
    Row("huge-kb-100-after-30", "failed bad_reply", litellm=(("finished", 1),), says="hot water takes"),
    Row("huge-kb-300-after-30", "failed bad_reply", litellm=(("finished", 1),), says="hot water takes"),
    Row("endless-gap-0", "failed answer_limit"),
    Row("same", "failed repeats"),
    Row("drip-gap-100", "failed turn_timeout", settings=(("turn_timeout_s", 4),)),
]
WORDS = [
    Row("ok", "finished"),
    Row("onechunk", "finished"),
    Row("chars", "finished"),
    Row("empty", "retry empty, extractive empty, finished", 2),
    Row("thinking", "finished"),
    Row("thinking-elsewhere", "finished"),
    Row("answer-in-thinking", "reasoning_channel, finished", says="hot water takes"),
    Row("parts", "finished"),
    Row("thinking-only", "retry empty, extractive empty, finished", 2),
    Row("no-markers", "format, finished", says="hot water takes"),
    Row("pirate", "format, finished", asked={"instructions": "Answer like a pirate."}, says="hot water takes"),
    Row("no-markers-tokens-90", "format, finished", asked={"instructions": "Be brief."}, says="hot water takes"),
    Row("dazed", "default_prompt empty, finished", 2, asked={"instructions": "Answer as if in a daze."}),
    Row("no-reasoning", "finished"),
    Row("no-completed", "finished"),
    Row("dup-markers", "finished", says="Once more [1]."),
    Row("swap-markers", "finished"),
    Row("odd-markers", "finished"),
    Row("length", "length, finished"),
    Row("length-before", quoted("cut_short")),
    Row("silent-length", quoted("cut_short")),
    Row("spendthrift", "retry cut_short, finished", 2, asked={"max_tokens": 50}),
    Row("content-filter", "content_filter, finished"),
]
ROWS = [*NO_PLACE, *STATUSES, *NO_STREAM, *BROKEN, *WORDS]
FIRST = Row("ok-tokens-30", "")  # LiteLLM's very first turn is slower than the deadlines here
LONG = (("first_token_timeout_s", 100), ("idle_timeout_s", 100))
ENDLESS = {"endless-gap-0", "same"}  # these say more than the others


@dataclass(frozen=True)
class Told:
    """What became of one row."""

    events: list[Event]
    requests: int
    left_open: int


class Stage:
    """One engine's provider, and the pipelines that ask it."""

    def __init__(self, engine: Engine, tmp_path: Path, index: EdgeIndex, places: Mapping[str, str]) -> None:
        self.tmp_path, self.provider = tmp_path, Provider()
        self._engine, self._index, self._places = engine, index, places
        self._parts: dict[tuple[tuple[str, Any], ...], Parts] = {}

    def pipeline(self, settings: tuple[tuple[str, Any], ...]) -> Pipeline:
        """The one for these settings."""
        if settings not in self._parts:
            database = self.tmp_path / f"{len(self._parts)}.db"
            values = Settings(
                models=tuple(self._entry(row) for row in (FIRST, *ROWS)),
                data_dir=self.tmp_path,
                database_url=f"sqlite:///{database}",
                answer_limit_chars=3000,
                **dict(settings),
            )
            self._parts[settings] = build(values, index=self._index, models=Models(values, pace_s=0.0))
        return self._parts[settings].pipeline

    def _entry(self, row: Row) -> ModelEntry:
        place = self.provider.base if row.place == "provider" else self._places[row.place]
        name = f"{PREFIXES[self._engine]}/{row.model}"
        return ModelEntry(label=row.model, model=name, api_base=place, api_key_env="FAULT_KEY")

    async def told(self, row: Row) -> Told:
        """Play one row to its end, and wait until the provider is left alone."""
        pipeline = self.pipeline(row.deadlines + row.settings)
        request = TurnRequest(QUESTION, AskOptions(**row.asked), VISITOR, model=row.model)
        if row.follows:
            (started, *_) = await events_of(pipeline, replace(request, model=BUILTIN_MODEL))
            assert isinstance(started, TurnStarted)
            request = replace(request, conversation_id=started.conversation_id)
        events = await events_of(pipeline, request)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while self.provider.talking[row.model]:  # noqa: ASYNC110  it talks in another thread
                    await asyncio.sleep(0.02)
        requests = sum(body["model"] == row.model for body in self.provider.requests)
        return Told(events, requests, self.provider.talking[row.model])

    async def close(self) -> None:
        """End what is left."""
        for parts in self._parts.values():
            await parts.pipeline.close()
            parts.store.close()


@pytest.fixture(scope="module")
def logged() -> Iterator[list[str]]:
    """Every line of ours, with the text of its exception, as the most talkative handler would write it."""
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    listener = Listener()
    logging.getLogger("pipeline").addHandler(listener)
    yield lines
    logging.getLogger("pipeline").removeHandler(listener)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Addresses where no provider can be reached: a closed port, no such name, a certificate that nobody signed."""
    folder = tmp_path_factory.mktemp("tls")
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    subprocess.run(
        [*make.split(), "-keyout", "key.pem", "-out", "cert.pem"], cwd=folder, check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with Provider(tls=context) as unsigned, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and never listens
        yield {
            "refused": f"http://127.0.0.1:{bound.getsockname()[1]}/v1",
            "no-dns": "http://nowhere.invalid/v1",
            "tls": unsigned.base,
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stages(
    tmp_path_factory: pytest.TempPathFactory, places: Mapping[str, str], search: EdgeIndex
) -> AsyncIterator[Mapping[Engine, Stage]]:
    built = {engine: Stage(engine, tmp_path_factory.mktemp(engine), search, places) for engine in PREFIXES}
    with contextlib.ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("FAULT_KEY", KEY)
        for stage in built.values():
            stack.enter_context(stage.provider)
        yield built
        for stage in built.values():
            await stage.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(
    request: pytest.FixtureRequest, stages: Mapping[Engine, Stage], logged: list[str]
) -> AsyncIterator[Mapping[tuple[str, Engine], asyncio.Task[Told]]]:
    """(model, engine) → its turn. Those that were asked for all run, some at a time, while the tests wait for each."""
    specs = [item.callspec for item in request.session.items if isinstance(item, pytest.Function) and item.path == HERE]
    cases: list[dict[str, Any]] = [spec.params for spec in specs if "row" in spec.params]
    if any(case["engine"] == "litellm" for case in cases):
        await stages["litellm"].told(FIRST)
    room = asyncio.Semaphore(AT_ONCE)

    async def play(row: Row, engine: Engine) -> Told:
        async with room:
            return await stages[engine].told(row)

    tasks = {
        (case["row"].model, case["engine"]): asyncio.create_task(play(case["row"], case["engine"])) for case in cases
    }
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


def story_of(events: list[Event]) -> str:
    """What a reader is told, in order."""
    parts = []
    for event in events:
        match event:
            case Recovered():
                parts.append(f"{event.what} {event.code}")
            case Warned():
                parts.append(event.code)
            case TurnFailed():
                parts.append(f"failed {event.code}")
            case TurnFinished():
                parts.append("finished")
            case _:
                pass
    return ", ".join(parts)


@pytest.mark.parametrize("engine", PREFIXES)
@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_a_fault_ends_as_the_table_says(
    row: Row,
    engine: Engine,
    told: Mapping[tuple[str, Engine], asyncio.Task[Told]],
    stages: Mapping[Engine, Stage],
    logged: list[str],
) -> None:
    became = await told[row.model, engine]
    events, ending = became.events, became.events[-1]
    assert (story_of(events), became.requests) in row.expected(engine)

    # exactly one ending, nothing after it
    assert [event.seq for event in events] == list(range(len(events)))
    assert [event for event in events if isinstance(event, TurnFinished | TurnFailed | TurnStopped)] == [ending]
    assert isinstance(ending, TurnFinished | TurnFailed)
    assert ending.saved

    # nothing is replayed once the answer was seen, and what came before it is taken back
    answered = [at for at, event in enumerate(events) if isinstance(event, FieldDelta) and event.field == "answer"]
    climbed = [at for at, event in enumerate(events) if isinstance(event, Recovered)]
    assert not answered or not climbed or climbed[-1] < answered[0]
    assert all(fields_of(events[:at]) == {} for at in climbed)

    # what was said is kept, and it is what the provider said
    fields = ending.fields if isinstance(ending, TurnFinished) else ending.partial
    assert fields_of(events) == {name: text for name, text in fields.items() if text}
    if isinstance(ending, TurnFailed):
        assert row.model in ENDLESS or all(
            WHOLE[name].startswith(text) for name, text in fields.items() if name in WHOLE
        )
    elif ending.model == BUILTIN_MODEL:
        assert "[1]" in fields["answer"]
    elif row.says:
        assert row.says in fields["answer"]
    elif any(isinstance(event, Warned) for event in events):
        assert len(WHOLE["answer"]) > len(fields["answer"]) > 10
        assert WHOLE["answer"].startswith(fields["answer"])
    else:
        assert fields["answer"] == WHOLE["answer"]

    # no connection stays open, and nobody reads the key
    assert became.left_open == 0
    assert stages[engine].provider.redirected == []
    assert KEY not in record_to_wire(tuple(events)).decode()
    assert KEY not in "".join(logged)
    assert all(KEY.encode() not in file.read_bytes() for file in stages[engine].tmp_path.iterdir() if file.is_file())
