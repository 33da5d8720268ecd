"""An editor over the completer alone: it types, deletes, accepts, and asks at each key, as editors do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from completion_fakes import FakeSource

from lsp_server.completer import Ask, Completer, Outcome, Suggested
from lsp_server.documents import ContentChange, Documents
from lsp_server.positions import PositionEncoding, Range
from lsp_server.settings import Settings
from lsp_server.sources.base import SourceRequest
from lsp_server.techniques import Techniques
from wire_protocol.frames import Context

URI = "file:///w/a.py"


def oracle(truth: str) -> Callable[[Context], str]:
    """A source that knows the whole text."""

    def script(context: Context) -> str:
        so_far = context.before + context.typed
        return truth[len(so_far) :] if truth.startswith(so_far) else ""

    return script


def asked(source: FakeSource) -> list[SourceRequest]:
    """What was asked for a person who waits."""
    return [request for request in source.requests if request.kind != "prefetch"]


class FakeEditor:
    """Types into a document and asks, each key one request, as editors do."""

    def __init__(
        self,
        source: FakeSource,
        text: str = "",
        settings: Settings | None = None,
        techniques: Techniques | None = None,
        *,
        looks: bool = False,
    ) -> None:
        clock = asyncio.get_running_loop().time
        self.source = source
        self.documents = Documents(clock, PositionEncoding.UTF32)
        self.document = self.documents.open(URI, "python", 0, text)
        self.completer = Completer(
            source, settings or Settings(), lambda uri: "key", techniques=techniques, clock=clock
        )
        self.looks = looks
        """Whether the server may look at the document at each change."""
        self.cursor = len(text)

    def edit(self, start: int, end: int, new: str) -> None:
        text = self.document.text
        span = Range(text.position_at(start), text.position_at(end))
        change = self.documents.change(URI, self.document.version + 1, [ContentChange(new, span)])
        self.completer.changed(URI, change, self.ask_at if self.looks else None)

    def type(self, key: str) -> None:
        self.edit(self.cursor, self.cursor, key)
        self.cursor += len(key)

    async def ask(self, *, invoked: bool = False, channel: str = "inline") -> Outcome:
        return await self.completer.complete(replace(self.ask_at(self.cursor), invoked=invoked, channel=channel))

    def ask_at(self, offset: int) -> Ask:
        change = self.document.last_change
        snapshot = self.document.snapshot(self.document.text.position_at(offset))
        return Ask(snapshot, "a.py", self.document.problem, changed_at=change.at if change else None)

    def backspace(self) -> None:
        self.edit(self.cursor - 1, self.cursor, "")
        self.cursor -= 1

    def accept(self, outcome: Outcome) -> asyncio.Task[Outcome]:
        """Tab."""
        return self.press(text_of(outcome))

    def press(self, key: str) -> asyncio.Task[Outcome]:
        self.type(key)
        return asyncio.create_task(self.ask())


def text_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Suggested), outcome
    return outcome.text
