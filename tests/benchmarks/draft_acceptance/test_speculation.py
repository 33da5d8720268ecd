"""The speculative loop gives the target's own text, whatever the draft says, and counts what it did."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.draft_acceptance.speculation import Round, plain, speculative

Rule = Callable[[Sequence[int]], int]
END = 0


class FakeModel:
    """A model whose next token is a rule of all tokens so far; it insists on being used as a KV cache may be."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.held: list[int] = []
        self.prompt = 0
        self.evaluations = 0

    def begin(self, prompt: Sequence[int]) -> int:
        self.held = list(prompt)
        self.prompt = len(prompt)
        return self.rule(self.held)

    def follow(self, tokens: Sequence[int]) -> list[int]:
        assert tokens, "an empty batch"
        self.evaluations += 1
        answers = []
        for token in tokens:
            self.held.append(token)
            answers.append(self.rule(self.held))
        return answers

    def keep(self, count: int) -> None:
        del self.held[self.prompt + count :]


def ends(tokens: Sequence[int]) -> bool:
    return tokens[-1] == END


def clock() -> float:
    return 0.0


def hashed(seed: int, tokens: int) -> Rule:
    return lambda text: hash((seed, *text)) % tokens


def counting(text: Sequence[int]) -> int:
    return len(text)


@given(
    st.integers(0, 1000),
    st.integers(0, 3),
    st.integers(1, 6),
    st.integers(1, 30),
    st.integers(2, 6),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
)
def test_the_text_is_the_targets_own(seed: int, other: int, k: int, limit: int, tokens: int, prompt: list[int]) -> None:
    rule = hashed(seed, tokens)
    alone = plain(FakeModel(rule), prompt, limit, ends, clock)
    target, draft = FakeModel(rule), FakeModel(hashed(seed + other, tokens))
    helped = speculative(target, draft, prompt, k, limit, ends, clock)
    assert helped.tokens == alone.tokens
    assert helped.steps == target.evaluations <= alone.steps
    assert all(one.accepted <= len(one.proposed) <= k for one in helped.rounds)


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 40))
def test_a_model_accepts_everything_of_itself(seed: int, k: int, limit: int) -> None:
    rule = hashed(seed, 9)
    helped = speculative(FakeModel(rule), FakeModel(rule), [1, 2], k, limit, ends, clock)
    assert all(one.accepted == len(one.proposed) for one in helped.rounds)


def test_a_draft_that_is_always_wrong_costs_steps_nothing() -> None:
    helped = speculative(FakeModel(counting), FakeModel(lambda text: 999), [5, 5, 5], 4, 6, ends, clock)
    assert helped.tokens == [3, 4, 5, 6, 7, 8]
    assert helped.steps == 5
    assert {one.accepted for one in helped.rounds} == {0}


def test_a_round_says_where_it_was_and_what_was_proposed() -> None:
    draft = FakeModel(lambda text: len(text) if len(text) != 6 else 999)
    helped = speculative(FakeModel(counting), draft, [5, 5, 5], 3, 9, ends, clock)
    assert helped.rounds == [Round(1, (4, 5, 999), 2), Round(4, (7, 8, 9), 3), Round(8, (), 0)]


def test_nothing_is_proposed_beyond_an_end_that_the_draft_sees() -> None:
    target, draft = FakeModel(counting), FakeModel(lambda text: END if len(text) == 5 else len(text))
    helped = speculative(target, draft, [5, 5, 5], 4, 20, ends, clock)
    assert helped.rounds[0].proposed == (4, END)


def test_a_text_ends_where_the_target_ends_it_though_the_draft_goes_on() -> None:
    target = FakeModel(lambda text: END if len(text) == 5 else len(text))
    helped = speculative(target, FakeModel(counting), [5, 5, 5], 4, 20, ends, clock)
    assert helped.tokens == [3, 4, END]
    assert helped.rounds == [Round(1, (4, 5, 6, 7), 1)]


def test_times_are_those_of_the_clock() -> None:
    ticks = iter(range(10))
    alone = plain(FakeModel(counting), [1], 3, ends, lambda: float(next(ticks)))
    assert (alone.prefill_s, alone.decode_s) == (1.0, 1.0)
