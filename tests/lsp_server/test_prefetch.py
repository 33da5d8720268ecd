"""Where a prefetch is for, and what all of them may cost."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.anchor import MAX_TYPED
from lsp_server.prefetch import Budget, accepted, place
from wire_protocol.agreement import continuation

ACTIONS = st.lists(st.tuples(st.sampled_from(["prefetch", "use", "take"]), st.integers(1, 200)), max_size=80)


def test_an_accepted_text_is_as_if_it_were_typed() -> None:
    context = at_cursor("x = │\ny = 2\n")
    target = accepted(context, "value + 1")
    assert continuation(context, target) == "value + 1"


def test_a_burst_that_grows_too_long_is_anchored_at_its_last_line() -> None:
    context = at_cursor("x = │\n")
    target = accepted(context, "a" * MAX_TYPED + "\nlast")
    assert target.typed == "last"
    assert target.before + target.typed == "x = " + "a" * MAX_TYPED + "\nlast"


def test_a_place_is_known_again_while_what_follows_is_typed() -> None:
    context = at_cursor("x = │\n")
    assert place(accepted(context, "val"), appended=3) == place(context)


def test_prefetches_in_vain_come_to_an_end() -> None:
    budget = Budget(share=0.25, allowance=100)
    budget.prefetched(99)
    assert budget.allows
    budget.prefetched(1)
    assert not budget.allows


@pytest.mark.parametrize("tokens", [4, 400])
def test_tokens_that_people_take_pay_for_a_quarter_as_many(tokens: int) -> None:
    budget = Budget(share=0.25, allowance=100)
    budget.prefetched(100)
    budget.took(tokens)
    assert budget.allows
    budget.prefetched(tokens / 4)
    assert not budget.allows


@given(ACTIONS)
def test_what_was_in_vain_is_never_more_than_the_share_and_the_allowance_and_the_last_one(
    actions: list[tuple[str, int]],
) -> None:
    budget = Budget(share=0.25, allowance=512)
    in_vain = taken = 0
    unused: list[int] = []
    for action, tokens in actions:
        match action:
            case "prefetch" if budget.allows:
                budget.prefetched(tokens)
                unused.append(tokens)
                in_vain += tokens
            case "use" if unused:
                used = unused.pop()
                budget.used(used)
                in_vain -= used
            case "take":
                budget.took(tokens)
                taken += tokens
        assert in_vain <= 0.25 * taken + 512 + 200
