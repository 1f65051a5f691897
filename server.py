"""Composition: builds the parts from the settings, and one server from the parts.

`app.py` starts it as a process; tests and benches build with it too. `pipeline.settings.load` has to run before this
module is imported, since dspy, litellm, gradio and the hub client read their environment when they are imported.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware import Middleware

import api.error_responses
import api.guard
import api.routes.about
import api.routes.analysis_chat
import api.routes.basic_chat
import api.routes.chat_completions
import api.routes.documents
import api.routes.evaluations
import api.routes.experiment
import api.routes.health
import api.routes.inquiries
import api.routes.mcp
import api.routes.metrics
import api.routes.models
import api.routes.optimisations
import api.routes.passages
import api.routes.profiles
import api.routes.programs
import api.routes.public_chat
import api.routes.question_stream
import api.routes.ratings
import api.routes.responses
import api.routes.session_chat
import api.routes.sign_in
import api.routes.stats
import api.routes.turns
import api.routes.uploads
import api.routes.verdict_reports
from api import serving
from api.access import Access
from api.asking import Asking
from api.citation_links import Linker, linker
from api.dialects.basic_chat import BasicChat
from api.endpoints import Endpoints
from api.hosts import Place
from api.mcp_server import McpServer
from api.repeated_requests import RepeatedRequests
from components import mounting
from components.handlers.choices import Choices
from components.handlers.compare_handlers import CompareHandlers
from components.handlers.evaluate_handlers import EvaluateHandlers
from components.handlers.optimise_handlers import OptimiseHandlers
from components.handlers.ratings_handlers import RatingsHandlers
from components.handlers.side_by_side_handlers import AskedAbout
from components.handlers.signed_in import SignedIn
from components.html.html_elements import mark
from components.html.markdown import passage
from components.pages import chat_page, compare_page, endpoints, evaluate_page, optimise_page, ratings_page
from components.pages.frame import Frames
from i18n.messages import profile_fault_text
from pipeline import logs
from pipeline.accounts.sessions import Accounts
from pipeline.conversations.service import Conversations
from pipeline.database.connections import described
from pipeline.database.store import Store
from pipeline.database.write_behind import WriteBehind
from pipeline.documents.library import Library
from pipeline.documents.shared_folder import synchronise
from pipeline.errors import StoreFault
from pipeline.experiments.comparisons import Comparisons
from pipeline.experiments.evaluations import Evaluations
from pipeline.experiments.experiment_results import ExperimentResults
from pipeline.experiments.prompt_results import PromptResults
from pipeline.experiments.question_sets import QuestionSets
from pipeline.ingest import ChunkSize
from pipeline.ingest.files import files_below, read_below
from pipeline.inquiries.counterfactuals import Counterfactuals
from pipeline.inquiries.second_checks import SecondChecks
from pipeline.inquiries.service import Inquiries
from pipeline.keyed_hashes import Secret
from pipeline.models.catalogue import Models
from pipeline.models.spending import Spending
from pipeline.optimisation.service import Optimisations
from pipeline.programs.profile_folder import ProfileFolder
from pipeline.programs.profiles import ProfileFault, Profiles
from pipeline.programs.registry import PROGRAMS, Programs, limited
from pipeline.programs.saved_programs import SavedPrograms
from pipeline.retrieval import Index
from pipeline.retrieval.open_index import open_index
from pipeline.settings import SAMPLE_PROFILES, SAMPLE_QUESTIONS, Settings
from pipeline.turns.engine import Pipeline
from pipeline.turns.experiment import Experiment
from pipeline.turns.tracing import Tracing, mlflow_writer
from pipeline.turns.verdict_reporting import VerdictReports

CLOSING_S = 4.0  # for the turns' endings; together with the server's and the interpreter's end it stays under 10 s

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

log = logging.getLogger("glassbox")


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that answers questions, built and connected; `close` gives it back."""

    settings: Settings
    store: Store
    index: Index
    models: Models
    library: Library
    pipeline: Pipeline
    history: WriteBehind
    conversations: Conversations
    programs: SavedPrograms
    spending: Spending
    profiles: Profiles
    inquiries: Inquiries
    counterfactuals: Counterfactuals
    second_checks: SecondChecks
    optimisations: Optimisations
    verdict_reports: VerdictReports
    comparisons: Comparisons
    evaluations: Evaluations
    question_sets: QuestionSets
    meters: api.routes.metrics.Meters
    secret: Secret
    asking: Asking
    link: Linker
    experiment: ExperimentResults | None = None
    tracing: Tracing | None = None
    accounts: Accounts | None = None

    @property
    def about(self) -> AskedAbout:
        """What can be said and asked about verdicts on the page."""
        return AskedAbout(self.verdict_reports, self.inquiries, self.counterfactuals, self.second_checks)

    async def close(self) -> None:
        """Stop every turn, then close index and store."""
        await self.end_turns()
        self.close_stores()

    async def end_turns(self) -> None:
        """Stop every turn, inquiry and optimisation, and wait until what they cost is stored."""
        await self.comparisons.close()
        await self.evaluations.close()
        await self.pipeline.close()
        await self.inquiries.close()
        await self.optimisations.close()
        await self.spending.flush()
        if self.tracing:
            await self.tracing.close()

    def close_stores(self) -> None:
        """Close index and store; no turn may run any more."""
        self.index.close()
        self.store.close()


def build(
    settings: Settings,
    *,
    index: Index | None = None,
    models: Models | None = None,
    programs: Programs = PROGRAMS,
    profiles: Profiles | None = None,
    uploads: Path | None = None,
) -> Parts:
    """The parts for these settings; tests and benches may bring an index, models, programs and profiles.

    `uploads` is where the page's files lie until they are taken. A database that cannot be opened is logged, and tried
    again later. Raises SettingsFault, IndexTaken, NotInstalled, SearchFault and, for an address of a database that
    cannot be used at all, StoreFault.
    """
    programs = limited(programs, settings.agent_steps)
    store, known = _opened_store(settings), SavedPrograms(programs, settings.data_dir / "programs")
    index, models, secret = index or open_index(settings), models or Models(settings), Secret.of(settings.data_dir)
    history, profiles = WriteBehind(store), profiles or _profiles(settings, known, models)
    spending = Spending(store, settings.budget_usd_day, settings.budget_usd_day_visitor)
    experiment = Experiment(settings.experiment, models, known, secret) if settings.experiment else None
    pipeline = Pipeline(settings, models, index, history, known, spending, profiles, experiment)
    meters = api.routes.metrics.Meters(pipeline, models)
    library = Library(index, settings, uploads, profiles.scope, secret)
    inquiries = Inquiries(settings, models, pipeline, history, spending)
    second_checks = SecondChecks(inquiries)
    conversations = Conversations(history, pipeline.end_turns)
    sets = QuestionSets(conversations, history)
    address = settings.mlflow_tracking_uri
    tracing = Tracing(pipeline, mlflow_writer(address.get_secret_value())) if address else None
    pipeline.watchers += [logs.log_turn, meters.ended, second_checks.ended, *([tracing.ended] if tracing else [])]
    return Parts(
        settings=settings,
        store=store,
        index=index,
        models=models,
        library=library,
        pipeline=pipeline,
        history=history,
        conversations=conversations,
        programs=known,
        spending=spending,
        profiles=profiles,
        inquiries=inquiries,
        counterfactuals=Counterfactuals(inquiries),
        second_checks=second_checks,
        optimisations=Optimisations(settings, models, pipeline, store, spending, known, conversations, sets, index),
        verdict_reports=VerdictReports(pipeline, history),
        comparisons=Comparisons(pipeline, history),
        evaluations=Evaluations(pipeline, history),
        question_sets=sets,
        meters=meters,
        secret=secret,
        asking=Asking(pipeline, secret, on_space=settings.on_space),
        link=linker(library, settings.public_address),
        experiment=ExperimentResults(experiment, history) if experiment else None,
        tracing=tracing,
        accounts=Accounts(settings.sign_in) if settings.sign_in else None,
    )


def _profiles(settings: Settings, programs: Programs, models: Models) -> Profiles:
    """Return the profiles of PROFILES_DIR, which are read now for the first time. Faults are logged as they appear."""
    folder = ProfileFolder(settings.profiles_dir, programs, models.known, _log_profile_fault)
    folder()
    return Profiles(folder, are_samples=settings.profiles_dir == SAMPLE_PROFILES)


def _log_profile_fault(fault: ProfileFault) -> None:
    log.warning("profile %s, line %d: %s", fault.file, fault.line, profile_fault_text(fault))


def _opened_store(settings: Settings) -> Store:
    store = Store(settings.database_address)
    try:
        store.open()
    except StoreFault:  # the page says it too, and the store tries again
        address = described(settings.database_address)
        log.warning("the database cannot be used now (%s): answers will not be saved", address)
    return store


async def index_shared_documents(parts: Parts) -> None:
    """Bring the index up to date with DOCUMENTS_DIR. Raises SearchFault.

    Profiles and questions below it are no documents, though their kinds can be read.
    """
    settings = parts.settings
    folder, size = settings.documents_dir, ChunkSize(settings.chunk_chars, settings.chunk_overlap_chars)
    others = {settings.profiles_dir, SAMPLE_PROFILES, SAMPLE_QUESTIONS}
    files = [file for file in files_below(folder) if others.isdisjoint((file, *file.parents))]
    await synchronise(parts.index, folder, files, lambda path: read_below(folder, path, size), size.recipe)


def application(parts: Parts, lifespan: Lifespan | None = None) -> FastAPI:
    """The API of these parts, behind its guards."""
    settings = parts.settings
    access, operators = Access(settings.api_token), Access(settings.metrics_token, settings.api_token)
    link, asking = parts.link, parts.asking
    mcp = McpServer(asking, parts.library, link)
    routers = (
        api.routes.turns.routes(asking),
        api.routes.inquiries.routes(parts.pipeline, parts.counterfactuals, parts.second_checks),
        api.routes.verdict_reports.routes(parts.verdict_reports, operators),
        api.routes.ratings.routes(parts.conversations, operators),
        api.routes.evaluations.routes(parts.evaluations, parts.question_sets, asking),
        api.routes.basic_chat.routes(asking, BasicChat(settings.enable_rationale_streaming, settings.enable_metadata)),
        api.routes.analysis_chat.routes(asking, parts.programs, link),
        api.routes.analysis_chat.provider_routes(parts.models),
        api.routes.question_stream.routes(asking, link),
        api.routes.public_chat.routes(asking, link),
        *(api.routes.session_chat.routes(asking, link, prefix) for prefix in api.routes.session_chat.PREFIXES),
        api.routes.documents.routes(parts.library),
        api.routes.programs.routes(parts.programs, parts.pipeline.saved_programs),
        api.routes.profiles.routes(parts.profiles, parts.programs, parts.models),
        api.routes.models.routes(parts.models, parts.pipeline, RepeatedRequests(parts.secret, parts.history)),
        api.routes.chat_completions.routes(asking, parts.models, link),
        api.routes.responses.routes(asking, parts.models, link),
        api.routes.mcp.routes(mcp),
        api.routes.optimisations.routes(parts.optimisations),
        api.routes.passages.routes(parts.library, partial(passage, spans=()), mark(26)),
        api.routes.uploads.routes(parts.library),
        api.routes.about.routes(parts.models, access),
        api.routes.health.routes(parts.pipeline, parts.models, parts.library),
        api.routes.metrics.routes(parts.meters, operators),
        api.routes.stats.routes(parts.spending, operators),
        api.routes.experiment.routes(parts.experiment, PromptResults(parts.history), operators),
        *([api.routes.sign_in.routes(parts.accounts)] if parts.accounts else []),
    )
    place = Place.of(settings.address[0], settings.public_address, settings.proxies)
    traced = Middleware(api.error_responses.Traced, routers)
    routes = [route for router in routers for route in router.routes]
    api.guard.answer_head(routes)
    app = FastAPI(
        routes=routes,
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        # The outer one reports what the guards raise; with the inner one a route's bug gets the guards' headers.
        middleware=[traced, *api.guard.middleware(place, settings.embed_origins, settings.cors_origins), traced],
        exception_handlers=api.error_responses.HANDLERS,
    )
    app.state.access, app.state.mcp = access, mcp
    return app


class Server:
    """Page and API at one address, in a thread of its own."""

    def __init__(self, parts: Parts, sockets: list[socket.socket]) -> None:
        """The sockets are bound already. Nothing is answered before `start`."""
        self._parts = parts
        self._loop: asyncio.AbstractEventLoop | None = None
        app = application(parts, self._lifespan)
        page = chat_page.build(
            parts.pipeline,
            parts.conversations,
            parts.models,
            parts.library,
            parts.settings,
            parts.about,
            accounts=parts.accounts,
        )
        inside = {
            "middleware": [Middleware(api.error_responses.Traced)],
            "exception_handlers": api.error_responses.PAGE_HANDLERS,
        }
        _add_pages(Frames(page, parts.conversations, SignedIn(parts.accounts)), parts)
        called = endpoints.add(page, Endpoints(parts.asking, parts.library, parts.link))
        self._page = mounting.mount(app, page, {**chat_page.launch_options(), "app_kwargs": inside})
        api.guard.narrow(app.router.routes, self._page.pending, self._page.forget, called, app.state.access)
        self._http = serving.Server(app, sockets)

    def start(self) -> None:
        """Return when requests are answered. Raises RuntimeError when the server could not start."""
        self._http.start()

    def stop(self) -> None:
        """End the turns first, then the server, then close the parts."""
        assert self._loop
        try:
            asyncio.run_coroutine_threadsafe(self._parts.end_turns(), self._loop).result(CLOSING_S)
        except TimeoutError:
            log.warning("a turn did not end in time; what it had saved is kept")
        finally:
            self._page.close(self._loop)
            self._http.stop()
            self._parts.close_stores()

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncGenerator[None, None]:
        self._loop = asyncio.get_running_loop()
        logs.watch(self._loop)
        library, meters = self._parts.library, self._parts.meters
        retention_s = 86_400 * self._parts.settings.exchanges_retention_d
        sweep = self._parts.history.sweep_exchanges(retention_s)
        work = (
            sweep,
            library.sweep(),
            meters.watch_lag(),
            library.reread(),
            library.embed(),
            self._parts.models.find_at_start(),
            *([self._parts.experiment.watch()] if self._parts.experiment else []),
            _warn_of_unknown_providers(self._parts.models),
        )
        tasks = [asyncio.create_task(each) for each in work]
        yield
        for task in tasks:
            task.cancel()
        await app.state.mcp.close()


def _add_pages(frames: Frames, parts: Parts) -> None:
    """Add the pages beside the chat, in the order of `navigation.PAGES`."""
    choices = Choices(parts.pipeline, parts.models, parts.library, SignedIn(parts.accounts))
    compare_page.add(frames, CompareHandlers(parts.pipeline, parts.comparisons, choices, parts.question_sets))
    optimising = OptimiseHandlers(
        parts.optimisations, parts.question_sets, parts.conversations, parts.models, parts.programs
    )
    optimise_page.add(frames, optimising)
    ratings_page.add(frames, RatingsHandlers(parts.conversations, PromptResults(parts.history)))
    evaluating = EvaluateHandlers(
        parts.evaluations, parts.question_sets, parts.conversations, parts.models, parts.programs
    )
    evaluate_page.add(frames, evaluating)


async def _warn_of_unknown_providers(models: Models) -> None:
    """Log at the start which models nobody could be asked for."""
    for label in await asyncio.to_thread(models.without_provider):
        log.warning("MODELS: no library knows the provider of “%s”. A model's name is like provider/model.", label)
