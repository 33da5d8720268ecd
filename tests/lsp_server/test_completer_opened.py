"""A document that was opened is read ahead by a source that can, unless nothing may be suggested in it."""

from __future__ import annotations

import pytest
from completion_fakes import FakeSource, run_virtual
from fake_editor import FakeEditor

from lsp_server.settings import Settings
from wire_protocol.frames import Context


class FakeReader(FakeSource):
    """A source that can read ahead."""

    def __init__(self) -> None:
        super().__init__(lambda context: "")
        self.warmed: list[tuple[str, Context]] = []

    def warm(self, doc: str, context: Context) -> None:
        self.warmed.append((doc, context))


def opened(source: FakeSource, settings: Settings | None = None) -> None:
    async def main() -> None:
        editor = FakeEditor(source, "a = 1\nb = 2\n", settings)
        editor.completer.opened(editor.ask_at(6))

    run_virtual(main())


def test_the_text_around_the_place_is_read() -> None:
    source = FakeReader()
    opened(source)
    ((doc, context),) = source.warmed
    assert (doc, context.before, context.typed, context.after) == ("key", "a = 1\n", "", "b = 2\n")


@pytest.mark.parametrize("settings", [Settings(enabled=False), Settings(languages=frozenset({"lua"}))])
def test_nothing_is_read_where_nothing_may_be_suggested(settings: Settings) -> None:
    source = FakeReader()
    opened(source, settings)
    assert source.warmed == []


def test_a_source_that_cannot_read_ahead_is_left_alone() -> None:
    source = FakeSource(lambda context: "")
    opened(source)
    assert source.requests == []
