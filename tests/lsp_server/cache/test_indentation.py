r"""Suggestions whose lines the editor indented differently. `→` is a tab, `│` the cursor."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.cache.indentation import left_reindented
from lsp_server.code_lines import indentation


def after(suggested: str, typed: str) -> str | None:
    """Both as the text from the start of the cursor's line; in `suggested` `│` is where the suggestion began."""
    suggested, typed = suggested.replace("→", "\t"), typed.replace("→", "\t")
    line, _, text = suggested.partition("│")
    assert typed.startswith(line)
    return left_reindented(text, typed[len(line) :], line, "")


def test_a_tab_where_the_suggestion_has_spaces() -> None:
    assert after("if a:│\n    b()\n    c()", "if a:\n→") == "b()\n\tc()"


def test_four_columns_where_the_suggestion_has_two() -> None:
    assert after("if (a) {│\n  if (b) {\n    c()\n  }\n}", "if (a) {\n    i") == "f (b) {\n        c()\n    }\n}"


def test_lines_typed_through_are_re_indented_as_they_were() -> None:
    suggested = "if a:│\n  if b:\n    c()\n    d()\n  e()"
    assert after(suggested, "if a:\n    if b:\n        c()\n        ") == "d()\n    e()"
    assert after(suggested, "if a:\n    if b:\n        c()\n    ") is None


def test_a_line_in_another_block_is_no_longer_this_suggestion() -> None:
    assert after("    a()│\n    b()", "    a()\n        ") is None
    assert after("    a()│\nb()", "    a()\n    ") is None
    assert after("if a:│\n→b()", "if a:\nb") is None


def test_other_words_are_another_text() -> None:
    assert after("if a:│\n  b()", "if a:\n    c") is None
    assert after("if a:│ # x\n  b()", "if a:\n    b") is None


def test_white_space_at_line_ends_and_in_blank_lines_says_nothing() -> None:
    assert after("a = 1│  \n\nb = 2\nc", "a = 1\n    \nb") == " = 2\nc"
    assert after("    a()│\n\n    b()", "    a()\n    ") == "\n    b()"


def test_an_indentation_that_follows_a_new_line_by_itself_is_re_indented() -> None:
    assert left_reindented("  b()\n  c()", "\t", "", "") == "b()\n\tc()"


def test_lines_that_nothing_tells_how_to_indent_are_left_out() -> None:
    assert after("if a:│\n        b()\n    c()\nd()", "if a:\n  ") == "b()"


WORDS = st.sampled_from(["a()", "b = 1", "c:", ""])
SHAPE = st.lists(st.tuples(st.integers(0, 3), WORDS), min_size=1, max_size=6)


def block(shape: list[tuple[int, str]], unit: str) -> str:
    """Lines at those depths, no deeper than one below the line before."""
    depth = 0
    lines = ["d:"]
    for wanted, word in shape:
        depth = min(wanted, depth + 1) if word else depth
        lines.append(unit * depth + word if word else "")
    return "\n".join(lines)


@given(SHAPE, st.sampled_from(["  ", "    ", "\t"]), st.sampled_from(["  ", "    ", "\t"]), st.data())
def test_the_same_block_in_other_units_is_found_at_every_line(
    shape: list[tuple[int, str]], old: str, new: str, data: st.DataObject
) -> None:
    suggested, text = block(shape, old), block(shape, new)
    ends = [number for number, line in enumerate(text.split("\n")) if number and line]
    if not ends:
        return
    number = data.draw(st.sampled_from(ends))
    lines = text.split("\n")
    typed = "\n".join(lines[:number]) + "\n" + indentation(lines[number])
    left = left_reindented(suggested.removeprefix("d:"), typed.removeprefix("d:"), "d:", "")
    assert left is not None
    assert text.startswith(typed + left) or not known(shape, number)


def known(shape: list[tuple[int, str]], number: int) -> bool:
    """Whether what was typed shows the unit of the text: some line up to `number` is indented."""
    return any(word and wanted for wanted, word in shape[:number])


@given(st.text("a \t\n", max_size=12), st.text("a \t\n", max_size=8), st.sampled_from(["", "a", "  ", "  a"]))
def test_what_is_left_never_contradicts_what_was_typed(text: str, typed: str, line: str) -> None:
    left = left_reindented(text, typed, line, "")
    if left is not None:
        whole, found = "".join(text.split()), "".join((typed + left).split())
        assert whole.startswith(found)
        assert found.startswith("".join(typed.split()))
