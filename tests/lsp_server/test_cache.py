"""The cache against a list that is searched from end to end, and what it must not replay."""

from __future__ import annotations

import time

from completion_fakes import at_cursor
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.cache import Cache, Completeness
from wire_protocol.agreement import continuation
from wire_protocol.frames import Context

WHOLE = Completeness.WHOLE


def context(typed: str, tail: str = "", after: str = "\n", before: str = "x = 1\n") -> Context:
    return Context(before=before, typed=typed, tail=tail, after=after, path="a.py", language="python")


def left(cache: Cache, where: Context) -> list[str]:
    return [match.left for match in cache.matches(where)]


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_was_typed_of_a_suggestion_is_not_suggested_again() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri"), "nt(a)", "single", WHOLE, "edge")
    assert left(cache, context("print(")) == ["a)"]


def test_typing_something_else_finds_nothing() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri"), "nt(a)", "single", WHOLE, "edge")
    assert left(cache, context("prix")) == []


def test_a_suggestion_is_found_after_the_editor_closed_a_bracket() -> None:
    cache = Cache(FakeClock())
    cache.store(context("print"), "(a):\n    b", "multi", WHOLE, "edge")
    assert left(cache, context("print(", tail=")")) == ["a):\n    b"]


def test_a_suggestion_is_found_after_a_closed_bracket_was_typed_over() -> None:
    cache = Cache(FakeClock())
    cache.store(context("print(", tail=")"), "a):\n    b", "multi", WHOLE, "edge")
    assert left(cache, context("print(a)")) == [":\n    b"]


def test_a_tail_that_was_not_typed_over_is_another_place() -> None:
    cache = Cache(FakeClock())
    cache.store(context("print(", tail=")"), "ab", "multi", WHOLE, "edge")
    assert left(cache, context("print(a")) == []


def test_a_suggestion_typed_to_its_end_is_none() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri"), "nt", "single", WHOLE, "edge")
    assert left(cache, context("print")) == []


def test_that_there_is_nothing_is_known_at_that_very_place() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri"), "", "single", WHOLE, "edge")
    assert left(cache, context("pri")) == [""]


def test_an_anchor_that_moved_does_not_lose_a_suggestion() -> None:
    cache = Cache(FakeClock())
    cache.store(context("if a:\n    b"), "reak", "single", WHOLE, "edge")
    assert left(cache, context("    br", before="x = 1\nif a:\n")) == ["eak"]


def test_entries_are_forgotten_after_their_time() -> None:
    clock = FakeClock()
    cache = Cache(clock, ttl_s=10.0)
    cache.store(context("pri"), "nt", "single", WHOLE, "edge")
    clock.now = 11.0
    assert left(cache, context("pri")) == []


@given(st.lists(st.tuples(st.text("ab", max_size=600), st.text("abé😀", max_size=300)), max_size=40))
def test_memory_is_bounded(stored: list[tuple[str, str]]) -> None:
    cache = Cache(FakeClock(), max_bytes=4_096)
    for typed, text in stored:
        cache.store(context(typed), text, "multi", WHOLE, "local")
        assert cache.bytes_used <= 4_096


PLACES = st.tuples(st.text("ab(", max_size=5), st.sampled_from(["", ")", "))"]), st.sampled_from(["\n", "z"]))


@given(st.lists(st.tuples(PLACES, st.text("ab()", max_size=6)), max_size=6), PLACES, st.text("ab()", max_size=4))
def test_it_finds_what_a_search_through_everything_finds(
    stored: list[tuple[tuple[str, str, str], str]], place: tuple[str, str, str], more: str
) -> None:
    cache = Cache(FakeClock())
    naive: dict[tuple[str, str, str], str] = {}
    for where, text in stored:
        cache.store(context(*where), text, "single", WHOLE, "local")
        naive[where] = text
    asked = context(place[0] + more, place[1], place[2])
    expected = []
    for (typed, tail, after), text in naive.items():
        appended = continuation(context(typed, tail, after), asked)
        if appended is None or not text.startswith(appended) or (not appended and tail != asked.tail):
            continue
        if len(text) > len(appended) or not appended:
            expected.append(text[len(appended) :])
    assert sorted(left(cache, asked)) == sorted(expected)


def test_a_look_up_takes_less_than_two_milliseconds() -> None:
    cache = Cache(time.monotonic)
    code = "".join(f"    value_{number} = compute({number})\n" for number in range(200))
    for number in range(500):
        cache.store(at_cursor(code + f"x{number} = │\n" + code[:2_000]), "a + b" * 50, "multi", WHOLE, "local")
    asked = at_cursor(code + "y = │\n" + code[:2_000])
    took = []
    for _ in range(200):
        began = time.perf_counter()
        assert list(cache.matches(asked)) == []
        took.append(time.perf_counter() - began)
    assert sorted(took)[len(took) // 2] < 0.002
