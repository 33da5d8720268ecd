"""Which kind of code a token is: what stands between the `⟦⟧` of literal code."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.draft_acceptance import kinds
from benchmarks.draft_acceptance.kinds import KINDS


def kind_of(marked: str, language: str) -> str:
    before, rest = marked.split("⟦")
    token, after = rest.split("⟧")
    (kind,) = kinds.of_tokens(before, [token.encode()], after, language)
    return kind


@pytest.mark.parametrize(
    ("language", "marked", "kind"),
    [
        ("python", "total = price⟦ *⟧ count", "logic"),
        ("python", "total = ⟦12⟧", "logic"),
        ("python", "⟦    return⟧ x", "logic"),
        ("python", "if a⟦ not⟧ in b:", "logic"),
        ("python", "⟦def⟧ f(x):", "common patterns"),
        ("python", "def f(⟦self⟧, x):", "common patterns"),
        ("python", "n =⟦ len⟧(x)", "common patterns"),
        ("python", "n = total⟦(⟧x)", "common patterns"),
        ("python", "n = os⟦.path⟧", "names"),
        ("python", "def ⟦area⟧(self):", "names"),
        ("python", "n = total(x⟦)⟧", "closing syntax"),
        ("python", "n = total(x)⟦\n\n    ⟧y = 2", "closing syntax"),
        ("python", "    a = 1\n⟦    ⟧wide = 2", "names"),
        ("python", 'def f():\n    """The ⟦first⟧ line."""', "comments"),
        ("python", "x = 1  # ⟦if⟧ so", "comments"),
        ("python", 'x = "⟦def⟧"', "comments"),
        ("python", 'x = f"a {⟦count⟧} b"', "names"),
        ("python", "if⟦ __name__⟧ == '__main__':", "common patterns"),
        ("python", "if __name__ == '⟦__main__⟧':", "common patterns"),
        ("python", "# if⟦ __name__⟧ == '__main__':", "comments"),
        ("python", "for i in ⟦range⟧(3):", "common patterns"),
        ("go", "⟦if⟧ ready {", "logic"),
        ("go", "if⟦ err⟧ != nil {", "common patterns"),
        ("go", "⟦func⟧ main() {", "common patterns"),
        ("go", "a := ⟦b⟧", "names"),
        ("rust", "match x { Some(y)⟦ =>⟧ y, }", "common patterns"),
        ("rust", "let⟦ mut⟧ x = 1;", "common patterns"),
        ("rust", "let x = 1⟦;\n⟧", "closing syntax"),
        ("typescript", "const a⟦ =⟧ 1", "logic"),
        ("typescript", "const a = ⟦this⟧.b", "common patterns"),
        ("typescript", "if (a⟦ === undefined⟧) {", "common patterns"),
        ("javascript", "/* it ⟦will⟧ be */ x", "comments"),
        ("c", "⟦#include⟧ <stdio.h>", "common patterns"),
        ("c", "node⟦->⟧next = 0;", "common patterns"),
        ("c", "node->⟦next⟧ = 0;", "names"),
        ("shellscript", "if [ -z x ]; then exit 1;⟦ fi⟧", "logic"),
        ("shellscript", 'echo "⟦done⟧"', "comments"),
        ("dockerfile", "⟦RUN⟧ make", "common patterns"),
        ("toml", "⟦name⟧ = 'x'", "names"),
        ("yaml", "⟦steps⟧:\n  - x", "names"),
        ("yaml", "name: ⟦release⟧\n", "comments"),
        ("yaml", "run: |\n  make ⟦all⟧\n", "comments"),
        ("markdown", "It is ⟦if⟧ anything", "comments"),
        ("some new language", "value⟦ =⟧ 1", "logic"),
        ("some new language", "⟦value⟧ = 1", "names"),
    ],
)
def test_a_token_is_of_the_kind_of_what_it_says(language: str, marked: str, kind: str) -> None:
    assert kind_of(marked, language) == kind


def test_a_token_that_ends_one_thing_and_begins_a_word_is_the_word() -> None:
    assert kind_of("total⟦(count⟧)", "python") == "names"


def test_a_token_within_a_character_is_what_the_character_is() -> None:
    first, second = "é".encode()[:1], "é".encode()[1:]
    assert kinds.of_tokens("# caf", [first, second], " au lait\n", "python") == ["comments", "comments"]


@settings(max_examples=40)
@given(
    before=st.text(max_size=30),
    pieces=st.lists(st.binary(max_size=6), max_size=12),
    after=st.text(max_size=10),
    language=st.sampled_from(["python", "typescript", "go", "rust", "c", "yaml", "markdown", "shellscript", "nothing"]),
)
def test_every_token_of_any_text_has_one_kind(before: str, pieces: list[bytes], after: str, language: str) -> None:
    found = kinds.of_tokens(before, pieces, after, language)
    assert len(found) == len(pieces)
    assert set(found) <= set(KINDS)
