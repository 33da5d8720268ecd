"""What a didChange was as a key, through edits as editors make them."""

from __future__ import annotations

import pytest

from lsp_server.documents import Change, ContentChange, Documents
from lsp_server.keys import Boundary, Key, Keys, boundary_of, cursor_after
from lsp_server.positions import Position, PositionEncoding, Range

URI = "file:///a.py"


class FakeHands:
    """A document of one line at whose edits `keys` looks; `pause` passes time."""

    def __init__(self, text: str = "") -> None:
        self.now = 100.0
        self.documents = Documents(lambda: self.now, PositionEncoding.UTF32)
        self.document = self.documents.open(URI, "python", 0, text)
        self.keys = Keys()

    def change(self, *edits: tuple[int, int, str]) -> Change:
        changes = [ContentChange(new, Range(Position(0, start), Position(0, end))) for start, end, new in edits]
        return self.documents.change(URI, self.document.version + 1, changes)

    def edit(self, *edits: tuple[int, int, str], after_s: float = 0.1) -> Key:
        self.now += after_s
        return self.keys.changed(self.change(*edits))


@pytest.mark.parametrize(
    ("edit", "key"),
    [
        ((3, 3, "d"), Key.TYPED),
        ((3, 3, "()"), Key.TYPED),
        ((3, 3, "\n    "), Key.TYPED),
        ((3, 3, "    "), Key.TYPED),
        ((2, 3, ""), Key.DELETED),
        ((3, 3, "def f"), Key.PUT),
        ((0, 3, "x"), Key.OTHER),
        ((2, 3, "c"), Key.TYPED),
    ],
    ids=["letter", "pair", "line break", "tab", "deletion", "paste", "replacement", "typed over itself"],
)
def test_one_edit_is_what_the_person_did(edit: tuple[int, int, str], key: Key) -> None:
    assert FakeHands("abc").edit(edit) is key


def test_several_places_at_once_are_no_key() -> None:
    hands = FakeHands("abc abc")
    assert hands.edit((3, 3, "d"), (0, 0, "d")) is Key.OTHER
    assert hands.keys.boundary is None


def test_a_bracket_closed_by_a_second_edit_is_one_key() -> None:
    hands = FakeHands("f")
    assert hands.edit((1, 1, "("), (2, 2, ")")) is Key.TYPED
    assert hands.keys.boundary is Boundary.OPEN


def test_a_bracket_closed_in_a_message_of_its_own_is_no_key() -> None:
    hands = FakeHands("f")
    hands.edit((1, 1, "("))
    assert hands.edit((2, 2, ")"), after_s=0.001) is Key.OTHER
    assert (hands.keys.boundary, hands.keys.at) == (Boundary.OPEN, pytest.approx(100.1))


@pytest.mark.parametrize(
    ("inserted", "boundary"),
    [
        ("a", Boundary.WORD), ("_", Boundary.WORD), ("é", Boundary.WORD), (".", Boundary.DOT), ("(", Boundary.OPEN),
        ('""', Boundary.OPEN), (" ", Boundary.SPACE), ("=", Boundary.SPACE), (")", Boundary.SPACE),
        ("\n    ", Boundary.LINE), ("\r\n", Boundary.LINE),
    ],
)  # fmt: skip
def test_a_key_leaves_the_cursor_at_a_boundary(inserted: str, boundary: Boundary) -> None:
    assert boundary_of(inserted) is boundary


def test_one_deletion_mends_and_two_take_away() -> None:
    hands = FakeHands("abcd")
    hands.edit((3, 4, ""))
    assert not hands.keys.deletes
    hands.edit((2, 3, ""))
    assert hands.keys.deletes
    hands.edit((2, 2, "x"))
    assert not hands.keys.deletes


def test_an_input_method_that_replaces_what_it_put_there_composes_until_something_else_is_typed() -> None:
    hands = FakeHands("x = ")
    hands.edit((4, 4, "k"))
    assert hands.edit((4, 5, "か")) is Key.COMPOSED
    assert hands.edit((4, 5, "かn")) is Key.COMPOSED
    assert hands.edit((4, 6, "かん")) is Key.COMPOSED
    assert hands.edit((4, 6, "漢")) is Key.COMPOSED
    assert hands.keys.composing
    hands.edit((5, 5, " "))
    assert not hands.keys.composing


@pytest.mark.parametrize(
    ("edit", "after_s"),
    [((4, 5, "K"), 0.1), ((4, 5, "か"), 5.0), ((3, 5, "か"), 0.1)],
    ids=["all of it ASCII", "long after", "another range"],
)
def test_other_replacements_do_not_compose(edit: tuple[int, int, str], after_s: float) -> None:
    hands = FakeHands("x = ")
    hands.edit((4, 4, "k"))
    assert hands.edit(edit, after_s=after_s) is Key.OTHER


@pytest.mark.parametrize(
    ("edit", "cursor"),
    [((1, 1, "a"), 2), ((1, 1, "()"), 2), ((1, 1, "\n  "), 4), ((1, 1, "\n  \n"), None), ((1, 1, "paste"), None)],
)
def test_the_cursor_after_a_key_is_told_where_it_is_sure(edit: tuple[int, int, str], cursor: int | None) -> None:
    assert cursor_after(FakeHands("f").change(edit)) == cursor
