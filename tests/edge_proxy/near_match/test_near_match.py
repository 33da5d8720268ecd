"""Answers found for contexts that differ only in what does not matter, and for no others. `│` is the cursor."""

from __future__ import annotations

from typing import Any

import pytest

from edge_proxy.near_match.cache import NearMatches
from edge_proxy.near_match.lexer import tokens
from edge_proxy.near_match.locals import local_names
from edge_proxy.near_match.normal_form import normal_form, similarity
from edge_proxy.requests import Answer, Ask
from wire_protocol.frames import Context

CODE = """\
import math

# The mean of what was measured.
def mean(values, limit):
    total = 0.0
    for value in values:
        total += math.fsum([value, limit])
    return │
"""
ANSWER = "total / len(values)"


def context(marked: str, **fields: Any) -> Context:
    before, _, after = marked.partition("│")
    return Context(before=before, after=after, path="a.py", **{"language": "python", **fields})


def ask(marked: str, session: int = 1, kind: Any = "automatic", **fields: Any) -> Ask:
    return Ask(session=session, id=1, tenant="t", doc="d", context=context(marked), kind=kind, **fields)


def near(clock: Any, marked: str, text: str = ANSWER, **options: Any) -> NearMatches:
    matches = NearMatches(clock, max_bytes=100_000, seconds=60.0, **options)
    matches.keep(ask(marked), Answer(session=1, typed="", tail="", text=text, tokens=5, reason="stop"))
    return matches


def found(matches: NearMatches, marked: str, **fields: Any) -> str | None:
    hit = matches.find(ask(marked, **fields))
    return None if hit is None else hit.text


def test_white_space_and_comments_make_no_difference(clock: Any) -> None:
    other = CODE.replace("# The mean of what was measured.", "\n# Something else,\n# in two lines").replace(
        " = ", "  =  "
    )
    assert found(near(clock, CODE), other) == ANSWER


def test_a_renamed_local_is_renamed_in_the_answer(clock: Any) -> None:
    assert found(near(clock, CODE), CODE.replace("total", "result")) == "result / len(values)"


def test_a_renamed_parameter_is_renamed_in_the_answer(clock: Any) -> None:
    assert found(near(clock, CODE), CODE.replace("values", "numbers")) == "total / len(numbers)"


def test_swapped_names_are_swapped_in_the_answer(clock: Any) -> None:
    swapped = (
        CODE.replace("total", "\0").replace("value in", "total in").replace("[value", "[total").replace("\0", "value")
    )
    assert found(near(clock, CODE), swapped) == "value / len(values)"


@pytest.mark.parametrize(
    "other",
    [
        CODE.replace("math.fsum", "math.prod"),  # another function is another thing
        CODE.replace("import math", "import cmath").replace("math.", "cmath."),
        CODE.replace("return │", "yield │"),
        CODE.replace("    return │", "        return │"),
        CODE.replace("return │", "return│"),
        CODE.replace("│\n", "│ if values else 0.0\n"),
    ],
    ids=["another function", "another module", "another word", "deeper", "no blank", "something follows"],
)
def test_what_matters_makes_a_difference(clock: Any, other: str) -> None:
    assert other != CODE
    assert found(near(clock, CODE), other) is None


def test_another_session_gets_nothing(clock: Any) -> None:
    assert found(near(clock, CODE), CODE, session=2) is None


def test_who_asks_by_hand_gets_the_models_own_answer(clock: Any) -> None:
    assert found(near(clock, CODE), CODE, kind="invoked") is None


@pytest.mark.parametrize("fields", [{"max_tokens": 9}, {"lines": "multi"}, {"arm": "b"}, {"stop": ("x",)}])
def test_another_shape_of_request_gets_nothing(clock: Any, fields: dict[str, Any]) -> None:
    assert found(near(clock, CODE), CODE, **fields) is None


def test_the_rest_of_the_window_has_to_be_similar(clock: Any) -> None:
    other = "def scale(a, b):\n    print(a, b)\n    return [a, b, 7]\n\n\n" + CODE
    assert found(near(clock, CODE, least=0.9), other) is None
    assert found(near(clock, CODE, least=0.5), other) == ANSWER


def test_an_answer_that_names_what_is_not_here_does_not_fit(clock: Any) -> None:
    long = "LIMIT = 4\nCEILING = 5\n" + CODE
    matches = near(clock, long, text="min(total, LIMIT)", least=0.5)
    assert found(matches, long) == "min(total, LIMIT)"
    assert found(matches, long.replace("LIMIT = 4\n", "")) is None


def test_an_answer_whose_string_speaks_of_a_renamed_local_does_not_fit(clock: Any) -> None:
    matches = near(clock, CODE, text='f"{total:.2f}"')
    assert found(matches, CODE.replace("# The", "# A")) == 'f"{total:.2f}"'
    assert found(matches, CODE.replace("total", "result")) is None


def test_a_name_that_would_get_a_second_meaning_does_not_fit(clock: Any) -> None:
    matches = near(clock, CODE, text="total / result")
    assert found(matches, CODE.replace("total", "result")) is None


def test_the_name_of_an_argument_is_not_the_local_of_that_name(clock: Any) -> None:
    matches = near(clock, CODE, text="mean(values, limit=total)")
    assert found(matches, CODE.replace("limit", "bound")) is None


def test_an_answer_that_repeats_the_next_line_does_not_fit(clock: Any) -> None:
    matches = near(clock, CODE.replace("return │", "│"), text="print(total)", least=0.5)
    assert found(matches, CODE.replace("return │", "│").replace("# The", "# A")) == "print(total)"
    assert found(matches, CODE.replace("return │\n", "│\n    print(total)\n")) is None


def test_answers_expire_and_memory_is_bounded(clock: Any) -> None:
    matches = near(clock, CODE)
    clock.advance(61.0)
    assert found(matches, CODE) is None
    for number in range(200):
        answer = Answer(session=1, typed="", tail="", text=ANSWER, tokens=5, reason="stop")
        matches.keep(ask(CODE.replace("return", f"call_{number}")), answer)
        assert matches.bytes_used <= 100_000
    assert 0 < len(matches) < 200


@pytest.mark.parametrize("comment", ["# what │", "    return total  # what │"])
def test_in_a_comment_nothing_is_near(clock: Any, comment: str) -> None:
    marked = CODE.replace("    return │", comment)
    assert found(near(clock, marked, text="follows"), marked) is None


def test_too_little_code_is_never_near(clock: Any) -> None:
    assert found(near(clock, "x = │", text="1"), "x = │") is None


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "a # b\n\n  # c\n'# d' e", ["a", "\n", "'# d'", "e"]),
        ("go", "a // b\n/* c\n d */ e", ["a", "\n", "e"]),
        ("lua", "a -- b\nc", ["a", "\n", "c"]),
        ("c", "#include <a>", ["#", "include", "<", "a", ">"]),
        ("markdown", "# a // b", ["#", "a", "/", "/", "b"]),
    ],
)
def test_comments_and_blank_lines_leave_no_token(language: str, text: str, expected: list[str]) -> None:
    assert [token.text for token in tokens(text, language)] == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "x = f(y=1)\nz.w = x == 2", {"x"}),
        ("python", "a, b = c\nfor d in e:\n", {"a", "b", "d"}),
        ("python", "def f(a, *b, c=d): g(h=a)", {"a", "b", "c"}),
        ("typescript", "const a = (b) => c; let d", {"a", "d"}),
        ("go", "func f(a int, b string) {\n c := d", {"a", "b"}),
        ("rust", "fn f(a: &B) { let mut c = a.d(); }", {"a", "c"}),
    ],
)
def test_a_local_is_what_is_bound_here(language: str, text: str, expected: set[str]) -> None:
    assert local_names(tokens(text, language)) == expected


def test_a_context_is_wholly_similar_to_itself() -> None:
    form = normal_form(context(CODE))
    assert form is not None
    assert similarity(form, form) == 1.0
