"""Typing on keeps a generation; anything else does not."""

from __future__ import annotations

import pytest
from hypothesis import given

from wire_protocol.agreement import continuation, remaining
from wire_protocol.frames import Context, Snippet
from wire_strategies import CODE


def at(typed: str, tail: str = "", before: str = "def f():\n", after: str = "\n") -> Context:
    return Context(before=before, typed=typed, tail=tail, after=after, path="a.py", language="python")


@pytest.mark.parametrize(
    ("old", "new", "appended"),
    [
        (at("pri"), at("print"), "nt"),
        (at("print"), at("print"), ""),
        (at("print"), at("print(", tail=")"), "("),  # the editor closed the bracket
        (at("print(", tail=")"), at("print(x)", tail=""), "x)"),  # typed over the closed bracket
        (at("f([", tail="])"), at("f([]", tail=")"), "]"),
        (at("print(", tail=")"), at("print(x", tail=""), None),  # the bracket was deleted
        (at("print"), at("prin"), None),  # backspace
        (at("print"), at("printf", before="x\n"), None),
        (at("print"), at("printf", after="x\n"), None),
        (at("print", tail=")"), at("printf", tail="]"), None),
    ],
)
def test_what_typing_appended(old: Context, new: Context, appended: str | None) -> None:
    assert continuation(old, new) == appended


def test_other_snippets_do_not_break_the_typing() -> None:
    old = Context(typed="a", snippets=[Snippet(path="b.py", text="b")])
    assert continuation(old, Context(typed="ab")) == "b"


@given(CODE, CODE)
def test_typing_a_prefix_leaves_the_rest(typed: str, rest: str) -> None:
    assert remaining(typed + rest, typed) == rest


@given(CODE, CODE)
def test_typing_beyond_what_is_produced_still_agrees(produced: str, more: str) -> None:
    assert remaining(produced, produced + more) == ""


def test_typing_something_else_contradicts() -> None:
    assert remaining("int(x)", "j") is None
