"""The local prompt is as long as the machine reads in time: learnt from answers, cut in steps for the KV cache."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.sources.base import Ended
from lsp_server.sources.prefill import (
    LOOKED_AT,
    MIN_CHARACTERS,
    MIN_READ_TOKENS,
    READ_S,
    STEP_LINES,
    Prefill,
    size,
)
from wire_protocol.frames import Context, Snippet, Timings, Usage

CHARACTERS_PER_TOKEN = 4
BIG = Context(before="a line of some code\n" * 400, typed="x = ", after="and what follows\n" * 200)


def end(tokens_per_s: float, *, read: int = 1_000, reused: int = 0, queue_ms: float = 0.0) -> Ended:
    """An answer of a model that reads so fast."""
    took_ms = 1_000 * read / tokens_per_s
    return Ended(
        "stop",
        "local",
        usage=Usage(prompt_tokens=read + reused, reused_tokens=reused, generated_tokens=1),
        timings=Timings(queue_ms=queue_ms, first_token_ms=queue_ms + took_ms),
    )


def context_of(tokens: int) -> Context:
    return Context(before="x" * (tokens * CHARACTERS_PER_TOKEN))


def learnt(tokens_per_s: float, times: int = LOOKED_AT) -> Prefill:
    prefill = Prefill()
    for _ in range(times):
        prefill.answered(context_of(1_000), end(tokens_per_s))
    return prefill


def test_nothing_is_cut_before_anything_was_measured() -> None:
    assert Prefill().sized(BIG) is BIG


def test_a_machine_that_reads_fast_enough_gets_all_of_it() -> None:
    assert learnt(100_000).sized(BIG) is BIG


@given(st.floats(2_000, 50_000))
def test_what_is_left_is_read_within_the_time_and_no_step_shorter_than_it_might_be(tokens_per_s: float) -> None:
    limit = learnt(tokens_per_s).characters
    assert limit is not None
    exact = READ_S * tokens_per_s * CHARACTERS_PER_TOKEN
    if limit > MIN_CHARACTERS:
        assert exact / 2**0.5 - 1 <= limit <= exact * 1.001
    else:
        assert exact <= MIN_CHARACTERS * 2**0.5


@given(
    st.floats(100, 100_000),
    st.text(alphabet="ab\n", max_size=6_000),
    st.text(alphabet="ab\n", max_size=2_000),
    st.lists(st.text(alphabet="ab\n", max_size=600), max_size=4),
)
def test_a_context_is_cut_to_the_limit_at_its_far_ends(
    tokens_per_s: float, before: str, after: str, others: list[str]
) -> None:
    prefill = learnt(tokens_per_s)
    snippets = [Snippet(path=f"{number}.py", text=text) for number, text in enumerate(others)]
    whole = Context(before=before, typed="typed", tail=")", after=after, snippets=snippets, path="a.py", language="c")
    cut = prefill.sized(whole)
    assert prefill.characters is not None
    assert size(cut) - len("typed)") <= max(prefill.characters, size(whole) if cut is whole else 0)
    assert before.endswith(cut.before)
    assert after.startswith(cut.after)
    assert cut.snippets == snippets[: len(cut.snippets)]
    assert (cut.typed, cut.tail, cut.path, cut.language) == ("typed", ")", "a.py", "c")
    assert len(cut.before) >= min(len(before), MIN_CHARACTERS // 8)


def test_the_cut_is_at_a_multiple_of_the_windows_steps_and_stays_while_a_person_types() -> None:
    prefill = learnt(4_000)
    lines = [f"line number {number}\n" for number in range(500)]
    starts = {
        prefill.sized(Context(before="".join(lines[:end]), after="b" * 50)).before[:18] for end in range(300, 332)
    }
    assert len(starts) <= 2
    assert all(int(start.split()[2]) % STEP_LINES == 0 for start in starts)


def test_the_cut_does_not_depend_on_what_was_typed() -> None:
    prefill = learnt(4_000)
    cuts = {
        prefill.sized(Context(before=BIG.before, typed="x" * typed, after=BIG.after)).before for typed in range(512)
    }
    assert len(cuts) == 1


def test_lines_that_are_very_long_are_cut_in_steps_of_characters() -> None:
    cut = learnt(4_000).sized(Context(before="x" * 6_000)).before
    assert MIN_CHARACTERS // 2 <= len(cut) < 4_000 * READ_S * CHARACTERS_PER_TOKEN


@pytest.mark.parametrize(
    "useless",
    [
        end(10, read=MIN_READ_TOKENS - 1),
        Ended("shed", "local"),
        Ended("error", "local", usage=Usage(prompt_tokens=1_000)),
    ],
    ids=["too little read", "shed", "without times"],
)
def test_what_says_nothing_of_the_speed_is_not_learnt_from(useless: Ended) -> None:
    prefill = Prefill()
    prefill.answered(context_of(1_000), useless)
    assert prefill.characters is None


def test_waiting_for_others_is_not_reading() -> None:
    prefill = Prefill()
    prefill.answered(context_of(1_000), end(8_000, queue_ms=500.0))
    assert prefill.characters_per_s == pytest.approx(8_000 * CHARACTERS_PER_TOKEN)


def test_what_was_read_before_does_not_count_as_speed() -> None:
    prefill = Prefill()
    prefill.answered(context_of(2_000), end(8_000, read=500, reused=1_500))
    assert prefill.characters_per_s == pytest.approx(8_000 * CHARACTERS_PER_TOKEN)


def test_one_slow_answer_changes_nothing_and_many_do() -> None:
    prefill = learnt(8_000)
    limit = prefill.characters
    prefill.answered(context_of(1_000), end(100))
    assert prefill.characters == limit
    for _ in range(LOOKED_AT):
        prefill.answered(context_of(1_000), end(3_000))
    assert limit is not None
    assert prefill.characters is not None
    assert prefill.characters < limit


def test_speeds_around_a_step_do_not_move_the_limit_to_and_fro() -> None:
    step = 2**11.5 / (READ_S * CHARACTERS_PER_TOKEN)
    prefill = learnt(step * 1.02)
    limits = set()
    for number in range(40):
        prefill.answered(context_of(1_000), end(step * (1.03 if number // LOOKED_AT % 2 else 0.97)))
        limits.add(prefill.characters)
    assert len(limits) == 1
