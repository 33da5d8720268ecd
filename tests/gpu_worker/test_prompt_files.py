"""Other files in the prompts of models whose vocabulary has no marker for files: comments before the cursor's text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.fim import FAMILIES, Family, FimTokens, Parts, family_named, find_tokens, render
from gpu_worker.headers import comment_of, header
from gpu_worker.prompt import PromptBuilder
from wire_protocol.frames import Context, Snippet

MARKERS = {-1: "<PRE>", -2: "<SUF>", -3: "<MID>"}
CONTEXT = Context(
    before="def f(a):\n",
    typed="    return",
    after="\nprint(f)\n",
    path="pkg/a.py",
    language="python",
    snippets=[Snippet(path="pkg/b.py", text="B = 1"), Snippet(path="pkg/c.py", text="C = 2\n")],
)


class FakeVocabulary:
    """One token a character; markers are negative."""

    bos = None

    def __init__(self, fim: FimTokens) -> None:
        self.fim = fim

    def tokenize(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def ends_line(self, token: int) -> bool:
        return token == ord("\n")


def layout(context: Context, fim: FimTokens, size: int = 4_096) -> str:
    tokens = PromptBuilder(FakeVocabulary(fim), size).build(context, 32).tokens
    return "".join(MARKERS.get(token) or chr(token) for token in tokens)


def test_files_come_as_comments_in_front_of_the_text_before_the_cursor() -> None:
    assert layout(CONTEXT, FimTokens(-1, -2, -3)) == (
        "<PRE># pkg/b.py\nB = 1\n# pkg/c.py\nC = 2\n# pkg/a.py\ndef f(a):\n<SUF>\nprint(f)\n<MID>    return"
    )


def test_a_family_that_has_the_suffix_first_and_no_middle_marker_goes_on_after_what_is_typed() -> None:
    assert layout(CONTEXT, FimTokens(-1, -2, None, suffix_first=True)) == (
        "<SUF>\nprint(f)\n<PRE># pkg/b.py\nB = 1\n# pkg/c.py\nC = 2\n# pkg/a.py\ndef f(a):\n    return"
    )


def test_the_text_layout_is_the_same_as_in_tokens() -> None:
    parts = Parts(
        before=CONTEXT.before,
        after=CONTEXT.after,
        typed=CONTEXT.typed,
        path=CONTEXT.path,
        snippets=[(item.path, item.text) for item in CONTEXT.snippets],
        language="python",
    )
    family = family_named("deepseek")
    text = render(parts, family)
    for marker, name in ((family.prefix, "<PRE>"), (family.suffix, "<SUF>"), (family.middle, "<MID>")):
        text = text.replace(marker, name)
    assert text == layout(CONTEXT, FimTokens(-1, -2, -3))


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("python", "# a/b\n"),
        ("typescript", "// a/b\n"),
        ("lua", "-- a/b\n"),
        ("css", "/* a/b */\n"),
        ("html", "<!-- a/b -->\n"),
        ("", "# a/b\n"),
    ],
)
def test_a_path_stands_in_a_comment_of_the_documents_language(language: str, line: str) -> None:
    assert header("a/b", language) == line


@given(st.text(), st.sampled_from(["python", "css", "rust"]))
def test_no_path_leaves_its_comments_line(path: str, language: str) -> None:
    line = header(path, language)
    assert line.startswith(comment_of(language).opens)
    assert line.splitlines(keepends=True) == [line]


@given(st.integers(128, 1_024), st.integers(1, 600), st.integers(0, 2_000))
def test_long_paths_and_snippets_leave_the_prompt_within_the_models_length(size: int, asked: int, length: int) -> None:
    snippets = [Snippet(path="p/" * 100, text="x = 1\n" * (length // 6))] * 3
    context = Context(before="y = 2\n" * 300, typed="z" * 50, path="q/" * 300, language="css", snippets=snippets)
    prompt = PromptBuilder(FakeVocabulary(FimTokens(-1, -2, -3)), size).build(context, asked)
    assert len(prompt.tokens) + prompt.max_new <= size


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_familys_markers_are_found_in_a_vocabulary_that_has_them(family: Family) -> None:

    texts = [text for text in (family.prefix, family.suffix, family.middle, family.separator) if text]
    found = find_tokens({text: id for id, text in enumerate(texts)}.get)
    assert found is not None
    assert (found.prefix, found.suffix, found.suffix_first) == (0, 1, family.suffix_first)
    assert (found.middle is None) == (not family.middle)
