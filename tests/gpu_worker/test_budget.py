"""How a context is cut to fit: it always does, and typing never moves what was cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.budget import Cuts, Lengths, plan

SIZE = st.integers(128, 8_192)
MAX_NEW = st.integers(1, 4_096)
LENGTH = st.integers(0, 20_000)


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, int, Lengths]:
    size = draw(SIZE)
    snippets = draw(st.lists(st.integers(1, 2_000), max_size=5))
    fixed = draw(st.integers(0, size // 4))
    return size, draw(MAX_NEW), Lengths(draw(LENGTH), draw(LENGTH), draw(LENGTH), snippets, fixed)


def used(lengths: Lengths, cuts: Cuts) -> int:
    return (
        lengths.fixed
        + sum(lengths.snippets[: cuts.snippets])
        + lengths.before
        - cuts.before_start
        + cuts.after_end
        + lengths.typed
        - cuts.typed_start
    )


@given(cases())
def test_prompt_and_answer_fit_in_the_context(case: tuple[int, int, Lengths]) -> None:
    size, max_new, lengths = case
    cuts = plan(size, max_new, lengths)
    assert used(lengths, cuts) + cuts.max_new <= size
    assert 1 <= cuts.max_new <= max_new


@given(cases())
def test_cuts_stay_inside_the_parts(case: tuple[int, int, Lengths]) -> None:
    size, max_new, lengths = case
    cuts = plan(size, max_new, lengths)
    assert 0 <= cuts.before_start <= lengths.before
    assert 0 <= cuts.after_end <= lengths.after
    assert 0 <= cuts.typed_start <= lengths.typed
    assert 0 <= cuts.snippets <= len(lengths.snippets)


@given(cases(), LENGTH)
def test_typing_never_moves_the_window(case: tuple[int, int, Lengths], typed: int) -> None:
    size, max_new, lengths = case
    other = Lengths(lengths.before, lengths.after, typed, lengths.snippets, lengths.fixed)
    one, two = plan(size, max_new, lengths), plan(size, max_new, other)
    assert (one.before_start, one.after_end, one.snippets) == (two.before_start, two.after_end, two.snippets)


def test_a_context_with_room_is_not_cut() -> None:
    cuts = plan(2_048, 64, Lengths(600, 300, 40, [100], 10))
    assert cuts == Cuts(snippets=1, before_start=0, after_end=300, typed_start=0, max_new=64)


def test_the_window_moves_in_steps_while_before_grows() -> None:
    starts = [plan(2_048, 64, Lengths(length, 2_000, 0)).before_start for length in range(3_000, 3_400)]
    assert len(set(starts)) <= 6
    assert starts == sorted(starts)


def test_small_differences_of_max_tokens_do_not_move_the_window() -> None:
    starts = {plan(2_048, max_new, Lengths(5_000, 2_000, 0)).before_start for max_new in range(65, 129)}
    assert len(starts) == 1


def test_a_short_before_leaves_its_room_to_after() -> None:
    assert plan(2_048, 64, Lengths(10, 5_000, 0)).after_end > 2_048 // 2
