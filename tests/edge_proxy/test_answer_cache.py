"""The cache of answers: against a dictionary, and its rules one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.answer_cache import ENTRY_BYTES, SIBLINGS, AnswerCache
from edge_proxy.cache_keys import base_key
from edge_proxy.requests import Ask
from wire_protocol.frames import Context, Done, Snippet


def ask(typed: str = "", tail: str = "", session: int = 1, **fields: Any) -> Ask:
    context = fields.pop("context", None) or Context(before="def f():\n", typed=typed, tail=tail, path="a.py")
    return Ask(session=session, id=1, doc="d", context=context, **{"tenant": "t", **fields})


class Bench:
    def __init__(self, clock: Any, **options: Any) -> None:
        self.cache = AnswerCache(clock, **options)

    def put(self, made: Ask, text: str, reason: Any = "stop") -> None:
        self.cache.put(base_key(made), made, text, 3, Done(id=1, reason=reason))

    def text(self, wanted: Ask) -> str | None:
        hit = self.cache.find(base_key(wanted), wanted)
        return None if hit is None else hit.text


@pytest.fixture
def bench(clock: Any) -> Bench:
    return Bench(clock)


def test_the_same_context_gets_the_same_answer_also_an_empty_one(bench: Bench) -> None:
    bench.put(ask("re"), "turn 1")
    bench.put(ask("x"), "")
    assert (bench.text(ask("re")), bench.text(ask("x"))) == ("turn 1", "")


def test_typing_in_agreement_gets_what_is_left(bench: Bench) -> None:
    bench.put(ask("re"), "turn 1")
    assert bench.text(ask("retur")) == "n 1"
    assert bench.text(ask("rex")) is None


def test_an_answer_typed_to_its_end_is_none(bench: Bench) -> None:
    bench.put(ask("re"), "turn 1")
    assert bench.text(ask("return 1")) is None


def test_an_overtyped_bracket_still_agrees(bench: Bench) -> None:
    bench.put(ask("f(", tail=")"), "a) + 1")
    assert bench.text(ask("f(a)", tail="")) == " + 1"


def test_others_of_the_tenant_get_it_only_for_the_very_same_context(bench: Bench) -> None:
    bench.put(ask("re", session=1), "turn 1")
    assert bench.text(ask("re", session=2)) == "turn 1"
    assert bench.text(ask("ret", session=2)) is None


@pytest.mark.parametrize(
    "other",
    [
        {"tenant": "u"},
        {"arm": "b"},
        {"lines": "multi"},
        {"max_tokens": 9},
        {"stop": ("\n",)},
        {"context": Context(before="def g():\n", typed="re", path="a.py")},
        {"context": Context(before="def f():\n", typed="re", path="b.py")},
        {"context": Context(before="def f():\n", typed="re", after="x", path="a.py")},
        {"context": Context(before="def f():\n", typed="re", path="a.py", snippets=[Snippet(path="p", text="t")])},
    ],
)
def test_nothing_else_may_differ(bench: Bench, other: dict[str, Any]) -> None:
    bench.put(ask("re"), "turn 1")
    assert bench.text(ask("re", session=2, **other)) is None


def test_a_cut_answer_is_replayed_as_cut(bench: Bench) -> None:
    bench.put(ask("re"), "turn", reason="length")
    hit = bench.cache.find(base_key(ask("ret")), ask("ret"))
    assert hit is not None
    assert (hit.text, hit.answer.reason) == ("urn", "length")


@pytest.mark.parametrize("reason", ["cancelled", "shed", "error"])
def test_what_did_not_end_by_itself_is_not_kept(bench: Bench, reason: str) -> None:
    bench.put(ask("re"), "turn", reason=reason)
    assert bench.text(ask("re")) is None


def test_answers_grow_stale(clock: Any) -> None:
    bench = Bench(clock, seconds=60.0)
    bench.put(ask("re"), "turn")
    clock.advance(59.0)
    assert bench.text(ask("re")) == "turn"
    clock.advance(2.0)
    assert bench.text(ask("re")) is None


def test_bytes_are_bounded_and_the_longest_unused_goes_first(clock: Any) -> None:
    bench = Bench(clock, max_bytes=3 * (ENTRY_BYTES + 100))
    for name in "abc":
        bench.put(ask(name), name * 50)
    bench.text(ask("a"))
    bench.put(ask("d"), "d" * 50)
    assert bench.text(ask("b")) is None
    assert bench.text(ask("a")) == "a" * 50
    assert bench.cache.bytes_used <= 3 * (ENTRY_BYTES + 100)


def test_an_answer_larger_than_the_cache_is_passed_over(clock: Any) -> None:
    bench = Bench(clock, max_bytes=1_000)
    bench.put(ask("a"), "x" * 2_000)
    assert len(bench.cache) == 0


def test_keys_per_place_are_bounded(bench: Bench) -> None:
    for number in range(10 * SIBLINGS):
        bench.put(ask(f"v{number} = "), "1")
    assert all(len(keys) <= SIBLINGS for keys in bench.cache._places.values())


typed_texts = st.text("ab", max_size=4)


@given(st.lists(st.tuples(typed_texts, st.text("ab", min_size=1, max_size=4)), max_size=8), typed_texts)
def test_every_hit_is_the_rest_of_an_answer_that_was_given(kept: list[tuple[str, str]], typed: str) -> None:
    cache = Bench(lambda: 0.0)
    answers: dict[str, str] = {}
    for before, text in kept:
        cache.put(ask(before), text)
        answers[before] = text
    found = cache.text(ask(typed))
    rests = {
        (before + text)[len(typed) :]
        for before, text in answers.items()
        if typed.startswith(before) and (before + text).startswith(typed) and before + text != typed
    }
    if typed in answers:
        assert found == answers[typed]
    elif len(answers) <= SIBLINGS:
        assert (found in rests) if rests else found is None


def test_parts_of_a_key_cannot_run_into_one_another() -> None:
    one = ask(context=Context(before="ab", after="c"))
    two = ask(context=Context(before="a", after="bc"))
    assert base_key(one) != base_key(two)
