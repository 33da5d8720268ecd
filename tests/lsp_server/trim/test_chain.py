"""All filters together: what fits is left as it is, and what was trimmed once is not trimmed further."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import pytest
from completion_fakes import at_cursor
from hypothesis import given, settings
from hypothesis import strategies as st

import lsp_server
from lsp_server.multiline import end_of
from lsp_server.trim import trim
from wire_protocol.frames import Context, Lines

BEFORE, AFTER = 6_000, 2_000
"""Characters, as contexts have them."""
MOST_CUTS = 0.02
"""Share of true texts that may become shorter: of two equal lines in a row a filter cannot know which one is meant."""


@cache
def sources() -> tuple[str, ...]:
    """The language server's own files."""
    return tuple(path.read_text("utf-8") for path in sorted(Path(lsp_server.__file__).parent.rglob("*.py")))


def place(text: str, cursor: int, end: int) -> Context:
    """The context at `cursor` of a file in which the text up to `end` is still to be written."""
    line = text.rfind("\n", 0, cursor) + 1
    start = 0 if line <= BEFORE else text.find("\n", line - BEFORE) + 1
    return Context(
        before=text[start:line],
        typed=text[line:cursor],
        after=text[end : end + AFTER],
        path="a.py",
        language="python",
    )


def true_texts(lines: Lines, count: int) -> list[tuple[Context, str]]:
    """Cursors at random in real files, with what really follows there and is to be suggested."""
    chance = random.Random(4)
    found = []
    while len(found) < count:
        text = chance.choice(sources())
        cursor = chance.randrange(max(1, len(text) - 40))
        if lines == "multi":
            cursor = max(0, text.find("\n", cursor))
        end = end_of(place(text, cursor, len(text)), text[cursor:], lines)
        true = text[cursor : cursor + (end or 0)].rstrip()
        if len(true.strip()) > 1:
            found.append((place(text, cursor, cursor + len(true)), true))
    return found


@pytest.mark.parametrize("lines", ["single", "multi"])
def test_what_really_follows_is_shown_as_it_is(lines: Lines) -> None:
    cases = true_texts(lines, 300)
    shown = [(trim(context, true, True, lines), true) for context, true in cases]
    changed = [(text, true) for text, true in shown if text != true]
    assert len(changed) <= MOST_CUTS * len(cases), changed
    assert all(text is None or true.startswith(text) for text, true in changed)


def test_typing_through_what_is_shown_never_changes_the_rest_of_it() -> None:
    for context, true in true_texts("single", 60):
        shown = trim(context, true, True, "single")
        for typed in range(1, len(shown or "")):
            assert shown is not None
            later = Context(
                before=context.before,
                typed=context.typed + true[:typed],
                after=context.after,
                path=context.path,
                language=context.language,
            )
            left = trim(later, true[typed:], True, "single")
            assert left == (shown[typed:] if shown[typed:].strip() else None)


CODE = st.lists(
    st.sampled_from(
        [*"()[]{}:,.= \n\t\"'#", "    ", "def f", "return", "a", "b1", "if a", "else", "f(", "```", "<EOT>"]
    ),
    max_size=24,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(before=CODE, after=CODE, text=CODE, complete=st.booleans(), lines=st.sampled_from(["single", "multi"]))
def test_what_was_trimmed_is_not_trimmed_further(
    before: str, after: str, text: str, complete: bool, lines: Lines
) -> None:
    context = at_cursor(f"{before}│{after}")
    once = trim(context, text, complete, lines)
    if once is not None:
        assert trim(context, once, True, lines) == once


@pytest.mark.parametrize("text", ["", "  ", "\n\n", ")"], ids=["empty", "spaces", "lines", "closed already"])
def test_a_text_of_which_nothing_is_left_is_no_suggestion(text: str) -> None:
    assert trim(at_cursor("f(│)"), text, True, "single") is None


@pytest.mark.parametrize(
    ("marked", "text", "lines", "kept"),
    [
        ("def f(a, b):\n    return g(│)\n\n\nx = 1\n", "a, b)\r\n\r\n\r\nx = 1\r\n", "single", "a, b"),
        ("def f():\n    │\n", "```python\n    a = 1\n    return a\n```\nThat is all.", "multi", "a = 1\n    return a"),
        ("def f():\n    │\n", "a = 1\n    #\n    #\n", "multi", "a = 1"),
        ("x = f(│)\n", "a)\nx = f(b)\nx = f(c)", "multi", "a"),
    ],
    ids=["closed and written below", "a fenced block, indented twice", "empty comments", "a line torn apart"],
)
def test_the_filters_together_give_what_fits_at_the_cursor(marked: str, text: str, lines: Lines, kept: str) -> None:
    assert trim(at_cursor(marked), text, True, lines) == kept
