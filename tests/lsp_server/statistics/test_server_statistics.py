"""The server's statistics: what editors report, what is written to disk, and what goes to the edge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from completion_fakes import FakeSource
from lsprotocol import types

from lsp_server.documents import ContentChange
from lsp_server.positions import Position, Range
from lsp_server.server import ForetypeServer
from lsp_server.settings import Loaded, Settings, TelemetrySettings
from lsp_server.statistics.days import read, totals
from lsp_server.statistics.outcomes import GRACE_S
from lsp_server.statistics.survival import AFTER_S
from wire_protocol.frames import Feedback

URI = "file:///w/a.py"
WITH, WITHOUT = Settings(telemetry=TelemetrySettings(enabled=True)), Settings()


class FakeEdge(FakeSource):
    """A source that can pass counts on."""

    def __init__(self) -> None:
        super().__init__(lambda context: "value\n" if not context.typed.endswith("value") else "", latency_s=0.0)
        self.connected = True
        self.feedback: list[Feedback] = []

    def send_feedback(self, frame: Feedback) -> bool:
        if self.connected:
            self.feedback.append(frame)
        return self.connected


class Session:
    """An editor with one document, over the server's own methods, and a clock that the test turns."""

    def __init__(self, settings: Settings, editor: str = "tests") -> None:
        self.source = FakeEdge()
        self.ahead = 0.0
        self.server = ForetypeServer(lambda settings: self.source, lambda **layers: Loaded(settings, ()), self._clock)
        params = types.InitializeParams(types.ClientCapabilities(), client_info=types.ClientInfo(name=editor))
        list(self.server.protocol.lsp_initialize(params))
        self.server.initialized_with(params)
        self.document = self.server.documents.open(URI, "python", 0, "x = \n")

    def _clock(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead

    async def ask(self, character: int = 4) -> Any:
        params = types.InlineCompletionParams(
            context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked),
            text_document=types.TextDocumentIdentifier(URI),
            position=types.Position(0, character),
        )
        answer = await self.server.inline(params)
        assert answer is not None
        return answer.items[0] if answer.items else None

    def put(self, character: int, text: str) -> None:
        at = Position(0, character)
        self.server.documents.change(URI, self.document.version + 1, [ContentChange(text, Range(at, at))])
        self.server.document_changed(URI)

    def accept(self, item: Any) -> None:
        self.server.accepted(item.command.arguments[0])

    def stats(self, after_s: float = 0.0) -> dict[str, Any]:
        self.ahead += after_s
        assert self.server.completer is not None
        self.server.completer.statistics.look()
        return self.server.statistics()


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    made = Session(WITHOUT)
    yield made
    await made.server.finish()


async def test_an_accepted_text_that_stays_is_still_there_after_thirty_seconds(session: Session) -> None:
    item = await session.ask()
    session.put(4, item.insert_text)
    session.accept(item)
    assert "kept_unchanged" not in session.stats()
    stats = session.stats(AFTER_S)
    assert (stats["accepted"], stats["kept_unchanged"], stats["saved_characters"]) == (1, 1, 4)
    assert stats["languages"]["python"]["accepted"] == 1


async def test_shown_is_reported_by_some_editors_and_inferred_with_others(session: Session) -> None:
    item = await session.ask()
    session.put(4, "w")
    assert session.stats(GRACE_S)["shown_inferred"] == 1
    item = await session.ask(5)
    session.server.shown({"item": {"command": {"arguments": item.command.arguments}}})
    session.put(5, "?")
    assert session.stats(GRACE_S)["shown"] == 1


async def test_an_editor_that_runs_no_command_accepts_by_inference() -> None:
    session = Session(WITHOUT, "IntelliJ IDEA 2026.2")
    item = await session.ask()
    session.put(4, item.insert_text)
    stats = session.stats(AFTER_S)
    assert (item.command, stats["accepted_inferred"], stats["kept_unchanged"]) == (None, 1, 1)
    assert "accepted" not in stats
    await session.server.finish()


async def test_latencies_and_tokens_are_told_by_source_and_purpose(session: Session) -> None:
    await session.ask()
    stats = session.stats()
    (source,) = stats["latency_ms"]["answer"]
    assert stats["latency_ms"]["answer"][source]["count"] == 1
    assert stats["latency_ms"]["first_token"]["local"]["count"] == 1
    assert 0 < stats["tokens_seen_foreground"] <= stats["tokens_generated_foreground"]


async def test_nothing_of_the_text_is_written_to_disk(state: Path) -> None:
    session = Session(WITHOUT)
    item = await session.ask()
    session.put(4, item.insert_text)
    session.accept(item)
    await session.server.finish()
    counts = totals(read(state / "stats.json"))
    assert (counts["accepted"], counts["kept_unknown"], counts["accepted_characters"]) == (1, 1, 5)
    kept = (state / "stats.json").read_text()
    assert item.insert_text not in kept
    assert "a.py" not in kept


async def test_a_session_is_written_once_however_often_it_is_flushed(state: Path) -> None:
    session = Session(WITHOUT)
    session.accept(await session.ask())
    assert session.server.completer is not None
    for _ in range(3):
        session.server._keeper.write(session.server.completer.statistics.counts())
    await session.server.finish()
    assert totals(read(state / "stats.json"))["accepted"] == 1


async def test_nothing_goes_out_while_telemetry_is_off() -> None:
    session = Session(WITHOUT)
    session.accept(await session.ask())
    await session.server.finish()
    assert session.source.feedback == []


async def test_counts_go_to_the_edge_while_telemetry_is_on() -> None:
    session = Session(WITH)
    session.accept(await session.ask())
    await session.server.finish()
    ((minute,),) = [frame.minutes for frame in session.source.feedback]
    assert (minute.shown, minute.accepted, minute.characters) == (1, 1, 5)


async def test_counts_wait_for_an_edge_that_is_away() -> None:
    session = Session(WITH)
    session.source.connected = False
    session.accept(await session.ask())
    assert session.server.completer is not None
    session.server._send(session.source, session.server.completer.statistics)
    session.source.connected = True
    await session.server.finish()
    assert sum(minute.accepted for frame in session.source.feedback for minute in frame.minutes) == 1
