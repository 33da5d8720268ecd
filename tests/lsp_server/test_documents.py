"""What the completer learns of open documents: snapshots, the last change, undo, and what can't be used."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.documents import (
    MAX_DOCUMENT_CHARACTERS,
    REMEMBERED_CHARACTERS,
    ContentChange,
    Document,
    Documents,
    State,
    UnknownDocumentError,
)
from lsp_server.positions import Position, PositionEncoding, Range
from lsp_server.text_store import Edit, InvalidRangeError

URI = "file:///project/a.py"


class FakeClock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(marked: str, max_document_characters: int = MAX_DOCUMENT_CHARACTERS) -> tuple[Documents, Document, Position]:
    """Documents with one open, whose text is given with the cursor as ▮."""
    documents = Documents(FakeClock(), max_document_characters=max_document_characters)
    before, _, after = marked.partition("▮")
    document = documents.open(URI, "python", 1, before + after)
    line = before.count("\n")
    return documents, document, Position(line, len(before) - before.rfind("\n") - 1)


def typed(text: str, at: Position) -> ContentChange:
    return ContentChange(text, Range(at, at))


def erased(line: int, start: int, end: int) -> ContentChange:
    return ContentChange("", Range(Position(line, start), Position(line, end)))


def test_a_snapshot_gives_the_text_around_the_cursor() -> None:
    _, document, cursor = opened("import os\n\ndef f():\n    return ▮os\n\nf()\n")
    snapshot = document.snapshot(cursor)
    assert snapshot.before(lines=1, characters=1_000) == "def f():\n    return "
    assert snapshot.after(lines=1, characters=1_000) == "os\n\n"
    assert snapshot.before(lines=100, characters=1_000) == "import os\n\ndef f():\n    return "
    assert snapshot.after(lines=100, characters=1_000) == "os\n\nf()\n"
    assert (snapshot.line(3), snapshot.version, snapshot.offset) == ("    return os", 1, 31)


def test_a_snapshot_of_one_very_long_line_is_bounded_by_characters() -> None:
    _, document, _ = opened("x" * 500_000 + "y" * 500_000)
    snapshot = document.snapshot(Position(0, 500_000))
    assert snapshot.before(lines=10, characters=5) == "xxxxx"
    assert snapshot.after(lines=10, characters=5) == "yyyyy"


def test_a_snapshot_stays_as_it_was_when_the_document_changes() -> None:
    documents, document, cursor = opened("a = ▮\n")
    snapshot = document.snapshot(cursor)
    documents.change(URI, 2, [typed("1", cursor)])
    assert snapshot.before(lines=5, characters=100) + "|" + snapshot.after(lines=5, characters=100) == "a = |\n"
    assert (snapshot.version, document.version) == (1, 2)


def test_a_snapshot_speaks_of_line_feeds_only_and_can_be_encoded() -> None:
    documents = Documents(FakeClock())
    document = documents.open(URI, "python", 1, "one\r\ntwo \ud83d\rthree\r\nfour")
    snapshot = document.snapshot(Position(2, 2))
    assert snapshot.before(lines=9, characters=100) == "one\ntwo \ufffd\nth"
    assert snapshot.after(lines=9, characters=100) == "ree\nfour"


def test_a_snapshot_brings_its_cursor_within_the_text() -> None:
    _, document, _ = opened("ab\nc")
    assert document.snapshot(Position(0, 9)).cursor == Position(0, 2)
    assert document.snapshot(Position(9, 9)).cursor == Position(1, 1)


@pytest.mark.parametrize("encoding", list(PositionEncoding))
def test_positions_are_in_the_agreed_encoding(encoding: PositionEncoding) -> None:
    documents = Documents(FakeClock(), encoding)
    document = documents.open(URI, "python", 1, "é😋x")
    column = {PositionEncoding.UTF8: 6, PositionEncoding.UTF16: 3, PositionEncoding.UTF32: 2}[encoding]
    snapshot = document.snapshot(Position(0, column))
    assert (snapshot.after(lines=0, characters=10), snapshot.cursor.character) == ("x", column)


def test_typing_is_a_single_edit_that_ends_at_the_cursor() -> None:
    documents, document, cursor = opened("x = fo▮\ny\n")
    change = documents.change(URI, 2, [typed("o", cursor)])
    assert change.single
    assert (change.inserted, change.removed, change.edits) == ("o", "", (Edit(6, "", "o"),))
    assert (change.end, change.version) == (Position(0, 7), 2)
    assert document.last_change is change


def test_a_change_carries_the_time_of_the_clock() -> None:
    clock = FakeClock()
    documents = Documents(clock)
    documents.open(URI, "python", 1, "")
    clock.now = 107.25
    assert documents.change(URI, 2, [typed("a", Position(0, 0))]).at == 107.25


def test_several_edits_at_once_are_not_single() -> None:
    documents, document, _ = opened("a\na\n")
    change = documents.change(URI, 2, [typed("b", Position(1, 1)), typed("b", Position(0, 1))])
    assert not change.single
    assert change.inserted == ""
    assert str(document.text) == "ab\nab\n"


def test_the_whole_text_sent_anew_is_not_typing() -> None:
    documents, document, _ = opened("old")
    change = documents.change(URI, 2, [ContentChange("new text")])
    assert change.whole
    assert not change.single
    assert str(document.text) == "new text"


def test_undo_is_known_by_the_version_whose_text_comes_back() -> None:
    documents, _, cursor = opened("x = ▮\n")
    assert documents.change(URI, 2, [typed("foo", cursor)]).same_text_as is None
    assert documents.change(URI, 3, [typed("!", Position(0, 7))]).same_text_as is None
    assert documents.change(URI, 4, [erased(0, 4, 8)]).same_text_as == 1  # undo of both at once
    assert documents.change(URI, 5, [typed("foo!", cursor)]).same_text_as == 3  # redo


def test_a_change_that_changes_nothing_is_no_undo() -> None:
    documents, _, cursor = opened("x▮")
    assert documents.change(URI, 2, [typed("", cursor)]).same_text_as is None


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.text("ab\n\r😋", max_size=5)), max_size=8))
@settings(deadline=None)
def test_taking_back_all_edits_one_by_one_names_each_earlier_version(edits: list[tuple[int, int, str]]) -> None:
    documents = Documents(FakeClock(), PositionEncoding.UTF32)
    text = "def f(x):  # 😋 "
    document = documents.open(URI, "python", 1, text)
    texts, version = [text], 1
    for offset, length, inserted in edits:
        start = min(offset, len(text))
        text = text[:start] + inserted + text[start + length :]
        version += 1
        documents.change(URI, version, [ContentChange(text)])
        texts.append(text)
    latest = {then: number for number, then in enumerate(texts, 1)}
    for then in reversed(texts[:-1]):
        version += 1
        changed = then != str(document.text)
        change = documents.change(URI, version, [ContentChange(then)])
        assert change.same_text_as == (latest[then] if changed else None)
        latest[then] = version


def test_a_long_removed_text_is_not_kept_whole() -> None:
    documents, _, _ = opened("x" * 50_000)
    change = documents.change(URI, 2, [erased(0, 0, 50_000)])
    assert len(change.edits[0].removed) == REMEMBERED_CHARACTERS


def test_a_document_over_the_limit_is_open_without_its_text() -> None:
    documents, document, _ = opened("x" * 101, max_document_characters=100)
    assert document.state is State.TOO_LARGE
    assert document.problem == f"{URI} has 101 characters, more than 100: no suggestions in it."
    assert (len(document.text), documents.kept_characters) == (0, 0)
    documents.change(URI, 2, [typed("y", Position(0, 5))])
    assert document.version == 2
    assert document.snapshot(Position(3, 3)).before(lines=1, characters=10) == ""


def test_a_document_that_grows_over_the_limit_gives_its_text_up_and_takes_a_smaller_one() -> None:
    documents, document, _ = opened("x" * 99, max_document_characters=100)
    documents.change(URI, 2, [typed("yy", Position(0, 0)), typed("z", Position(0, 0))])
    assert (document.state, documents.kept_characters) == (State.TOO_LARGE, 0)
    documents.change(URI, 3, [ContentChange("small")])
    assert (document.state, document.problem, str(document.text)) == (State.READY, None, "small")


def test_all_documents_together_are_bounded() -> None:
    documents = Documents(FakeClock(), max_total_characters=10)
    first = documents.open("file:///1", "python", 1, "x" * 6)
    second = documents.open("file:///2", "python", 1, "y" * 6)
    assert (first.state, second.state) == (State.READY, State.TOO_LARGE)
    documents.close("file:///1")
    assert documents.open("file:///2", "python", 1, "y" * 6).state is State.READY
    assert documents.kept_characters == 6


def test_nul_characters_make_a_document_binary_until_they_are_gone() -> None:
    documents, document, _ = opened("a\0b")
    states, problems = [document.state], [document.problem]
    for version, change in enumerate([erased(0, 1, 2), typed("\0", Position(0, 0))], 2):
        documents.change(URI, version, [change])
        states.append(document.state)
        problems.append(document.problem)
    assert states == [State.BINARY, State.READY, State.BINARY]
    sentence = f"{URI} has NUL characters, so it is taken for a binary file: no suggestions in it."
    assert problems == [sentence, None, sentence]


def test_a_bad_range_puts_the_document_out_of_sync_until_the_whole_text_comes() -> None:
    documents, document, _ = opened("one\ntwo\n")
    with pytest.raises(InvalidRangeError) as caught:
        documents.change(URI, 2, [ContentChange("x", Range(Position(1, 0), Position(0, 0)))])
    assert str(caught.value) == (
        f"{URI}, version 2: The range ends at 0:0, before its start 1:0. No suggestions in it until it is reopened."
    )
    assert (document.state, document.problem) == (State.OUT_OF_SYNC, str(caught.value))
    documents.change(URI, 3, [typed("y", Position(0, 0))])  # ignored, not raised again
    assert document.state is State.OUT_OF_SYNC
    documents.change(URI, 4, [ContentChange("whole")])
    assert (document.state, str(document.text)) == (State.READY, "whole")
    assert documents.kept_characters == 5


def test_a_change_to_a_document_never_opened_is_reported_once() -> None:
    documents = Documents(FakeClock())
    with pytest.raises(UnknownDocumentError, match="never opened"):
        documents.change(URI, 1, [typed("x", Position(0, 0))])
    documents.change(URI, 2, [typed("x", Position(0, 0))])
    document = documents.get(URI)
    assert document is not None
    assert document.state is State.OUT_OF_SYNC


def test_closing_forgets_the_text() -> None:
    documents, _, _ = opened("text")
    documents.close(URI)
    documents.close(URI)
    assert (documents.get(URI), documents.kept_characters, len(documents)) == (None, 0, 0)


def test_a_uri_is_found_however_its_characters_are_escaped() -> None:
    documents = Documents(FakeClock())
    document = documents.open("file:///c%3A/a%20b.py", "python", 1, "")
    assert documents.get("file:///c:/a b.py") is document


def test_an_untitled_buffer_is_a_document_like_any_other() -> None:
    documents = Documents(FakeClock())
    documents.open("untitled:Untitled-1", "python", 1, "x")
    documents.change("untitled:Untitled-1", 2, [typed("y", Position(0, 1))])
    document = documents.get("untitled:Untitled-1")
    assert document is not None
    assert str(document.text) == "xy"
