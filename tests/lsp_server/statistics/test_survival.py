"""What is left of accepted texts after 30 s of edits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents import REMEMBERED_CHARACTERS, ContentChange, Documents
from lsp_server.positions import PositionEncoding, Range
from lsp_server.statistics.outcomes import Inserted
from lsp_server.statistics.survival import AFTER_S, MAX_FOLLOWED, Survival
from lsp_server.text_store import TextView

URI = "file:///w/a.py"


class Session:
    """One open document whose accepted texts are followed."""

    def __init__(self, text: str) -> None:
        self.documents = Documents(lambda: 0.0, PositionEncoding.UTF32)
        self.document = self.documents.open(URI, "python", 0, text)
        self.survival = Survival(self.read)

    def read(self, uri: str) -> TextView | None:
        document = self.documents.get(uri)
        return document.text if document is not None else None

    def edit(self, start: int, end: int, new: str) -> None:
        text = self.document.text
        span = Range(text.position_at(start), text.position_at(end))
        self._change(ContentChange(new, span))

    def _change(self, change: ContentChange) -> None:
        self.survival.changed(URI, self.documents.change(URI, self.document.version + 1, [change]))

    def replace(self, old: str, new: str) -> None:
        start = str(self.document.text).index(old)
        self.edit(start, start + len(old), new)

    def reload(self, text: str) -> None:
        self._change(ContentChange(text))

    def accept(self, text: str, start: int, cursor: int | None = None) -> None:
        self.survival.accepted(Inserted(URI, start, start if cursor is None else cursor, text), 0.0)

    def after(self, seconds: float = AFTER_S) -> dict[str, int]:
        self.survival.look(seconds)
        return {name: count for name, count in self.survival.tally.items() if count}


def accepted(before: str, text: str, after: str = "\n") -> Session:
    session = Session(before + after)
    session.edit(len(before), len(before), text)
    session.accept(text, len(before), len(before) + len(text))
    return session


def test_a_text_that_nobody_touched_is_unchanged_after_thirty_seconds_and_not_before() -> None:
    session = accepted("x = ", "value + 1")
    assert session.after(AFTER_S - 0.1) == {}
    assert session.after() == {"kept_unchanged": 1}
    assert session.after(99.0) == {"kept_unchanged": 1}


def test_it_is_followed_when_lines_come_above_and_below_it() -> None:
    session = accepted("x = ", "value + 1")
    session.edit(0, 0, "import os\n")
    session.edit(len(session.document.text), len(session.document.text), "y = 2\n")
    session.replace("+ 1\n", "+ 1  # more\n")
    assert session.after() == {"kept_mostly": 1}


def test_typing_on_behind_it_leaves_it_unchanged() -> None:
    session = accepted("x = ", "value")
    session.edit(9, 9, "s")
    assert session.after() == {"kept_unchanged": 1}


def test_a_changed_word_leaves_most_of_it() -> None:
    session = accepted("x = ", "value + other")
    session.replace("other", "one")
    assert session.after() == {"kept_mostly": 1}


@pytest.mark.parametrize("undone", ["value + other", "x = value + other", "alue + othe"])
def test_a_text_that_was_deleted_is_gone(undone: str) -> None:
    session = accepted("x = ", "value + other")
    session.replace(undone, "")
    assert session.after() == {"kept_gone": 1}


def test_a_formatter_that_writes_the_line_anew_leaves_it_there() -> None:
    session = accepted("x=", "value+other")
    session.replace("x=value+other", "x = value + other")
    assert session.after() == {"kept_mostly": 1}


def test_undo_and_redo_leave_it_there() -> None:
    session = accepted("x = ", "value + other")
    session.edit(4, 17, "")
    session.edit(4, 4, "value + other")
    assert session.after() == {"kept_unchanged": 1}


def test_it_is_found_when_the_report_comes_before_the_change() -> None:
    session = Session("x = \n")
    session.accept("value", 4)
    session.edit(4, 4, "value")
    assert session.after() == {"kept_unchanged": 1}


def test_it_is_found_where_the_editor_replaced_the_word_before_it() -> None:
    session = Session("x = pa\n")
    session.edit(4, 6, "pathlib")
    session.accept("lib", 8)
    assert session.after() == {"kept_unchanged": 1}


def test_lines_are_compared_whatever_their_endings() -> None:
    session = Session("if x:\r\n")
    session.edit(5, 5, "\r\n    y = 1\r\n    z = 2")
    session.accept("\n    y = 1\n    z = 2", 5)
    assert session.after() == {"kept_unchanged": 1}


def test_what_is_found_nowhere_is_not_known() -> None:
    session = Session("x = \n")
    session.accept("value", 4)
    session.edit(4, 4, "other")
    assert session.after() == {"kept_unknown": 1}


def test_a_closed_or_reloaded_document_makes_it_unknown() -> None:
    session = accepted("x = ", "value")
    session.survival.closed(URI)
    other = accepted("x = ", "value")
    other.reload("x = value\n")
    assert (session.after(), other.after()) == ({"kept_unknown": 1}, {"kept_unknown": 1})


def test_an_edit_of_unknown_length_makes_it_unknown() -> None:
    session = accepted("x = ", "value")
    session.edit(0, 0, "#" * (REMEMBERED_CHARACTERS + 1))
    assert session.after() == {"kept_unknown": 1}


def test_few_are_followed_at_once() -> None:
    session = accepted("x = ", "value")
    for _ in range(MAX_FOLLOWED):
        session.accept("value", 4)
    assert session.after(0.0) == {"kept_unknown": 1}


def test_at_the_end_of_the_session_the_rest_is_not_known() -> None:
    session = accepted("x = ", "value")
    session.survival.finish()
    assert session.after() == {"kept_unknown": 1}


EDITS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6), st.text("ab\n", max_size=4)), max_size=8)


@given(EDITS)
def test_edits_outside_of_it_never_change_it(edits: list[tuple[int, int, str]]) -> None:
    session = accepted("a" * 20 + "\n", "VALUE 1", "\n" + "b" * 20)
    for at, length, new in edits:
        text = str(session.document.text)
        place = text.index("VALUE 1")
        start = min(at, len(text))
        end = min(start + length, len(text))
        if end <= place or start >= place + len("VALUE 1"):
            session.edit(start, end, new)
    assert session.after() == {"kept_unchanged": 1}


@given(EDITS)
def test_no_edit_breaks_it(edits: list[tuple[int, int, str]]) -> None:
    session = accepted("aa\n", "VALUE 1", "\nbb")
    for at, length, new in edits:
        size = len(session.document.text)
        session.edit(min(at, size), min(at + length, size), new)
    assert sum(session.after().values()) == 1
