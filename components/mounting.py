"""Gradio below an app of ours: what `Blocks.launch` would set up, without its server and its requests to itself."""

from __future__ import annotations

import asyncio
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

LOOK_EVERY_S = 0.01
PROGRESS_EVERY_S = 5.0  # nothing of ours uses Gradio's progress bars
MOST_EVENTS = 1000  # that Gradio works on at once, each follower of a turn is one of them


@dataclass(frozen=True, slots=True)
class Mounted:
    """The page as it is served. Its queue is Gradio's own; nothing else of ours looks into it."""

    demo: gr.Blocks
    app: Any  # Gradio's, below ours

    def pending(self, session: str) -> int:
        """Return the number of events of a session that have not been read to their end."""
        return len(self.demo._queue.pending_event_ids_session.get(session, ()))

    async def forget(self, session: str) -> None:
        """End a session's events and drop what they said: nobody reads it."""
        queue = self.demo._queue
        await queue.clean_events(session_hash=session)
        queue.pending_event_ids_session.pop(session, None)
        queue.pending_messages_per_session.pop(session, None)

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let open pages go, which never hang up by themselves."""
        self.demo._queue.close()
        self.demo.is_running = False
        loop.call_soon_threadsafe(self.app.stop_event.set)


def upload_folder() -> Path:
    """The folder in which Gradio looks for files that the page has sent."""
    return Path(get_upload_folder())


def mount(app: Any, demo: gr.Blocks, options: dict[str, Any]) -> Mounted:
    """Put the page at the root of `app`, behind the app's own routes. Analytics, run history and node stay off."""
    demo.queue(default_concurrency_limit=None, max_size=None)
    # Gradio looks for work a thousand times a second, which costs an idle process a twentieth of a core.
    demo._queue.sleep_when_free = LOOK_EVERY_S
    demo._queue.progress_update_sleep_when_free = PROGRESS_EVERY_S
    demo.max_threads = demo._queue.max_thread_count = MOST_EVENTS
    with warnings.catch_warnings():
        # Gradio says so even where nobody asked for it: without Node there is no such mode.
        warnings.filterwarnings("ignore", message="SSR mode")
        gr.mount_gradio_app(
            app,
            demo,
            path="/",
            ssr_mode=False,
            show_error=False,
            run_history=False,
            enable_monitoring=False,
            footer_links=[],
            pwa=False,
            **options,
        )
    return Mounted(demo, app.router.routes[-1].app)
