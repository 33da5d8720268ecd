"""The demo's editor behaves as editors do, so that what the demo shows is what a person would see."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.demo.buffer import Buffer, Change


def buffer(marked: str) -> Buffer:
    at = marked.index("│")
    return Buffer(marked.replace("│", ""), at)


def marked(of: Buffer) -> str:
    return of.text[: of.cursor] + "│" + of.text[of.cursor :]


def test_an_opening_bracket_is_closed() -> None:
    doc = buffer("print│\n")
    change = doc.press("(")
    assert (marked(doc), change) == ("print(│)\n", Change(5, 5, "()"))


def test_a_closed_bracket_is_typed_over() -> None:
    doc = buffer("print│\n")
    for key in "(x":
        doc.press(key)
    change = doc.press(")")
    assert (marked(doc), change) == ("print(x)│\n", Change(7, 8, ")"))


def test_a_bracket_the_person_wrote_is_not_typed_over() -> None:
    doc = buffer("f(x│)\n")
    doc.press(")")
    assert marked(doc) == "f(x)│)\n"


def test_a_bracket_before_a_word_is_not_closed() -> None:
    doc = buffer("│word")
    doc.press("(")
    assert marked(doc) == "(│word"


def test_a_position_counts_lines_and_code_points() -> None:
    assert buffer("a\n🙂b│").position(4) == (1, 2)


@given(st.text("ab()[]\n ", max_size=60))
def test_typing_a_text_gives_that_text_once_closers_are_typed_over(text: str) -> None:
    doc = Buffer("", 0)
    shadow = ""
    for key in text:
        change = doc.press(key)
        shadow = shadow[: change.start] + change.text + shadow[change.end :]
    assert shadow == doc.text
    assert doc.text[: doc.cursor] == text
