"""How long a request waits for quiet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.keys import Boundary
from lsp_server.pacing import LONGEST_QUIET_S, QUIET_MS, STARVING_S, STEP_S, Pacing
from lsp_server.pacing_gaps import MIN_KEYS
from lsp_server.pacing_share import RecentShare


def wait(now: float, changed_at: float | None, *, invoked: bool = False, new_line: bool = False) -> float:
    return Pacing(50).wait_s(now=now, changed_at=changed_at, invoked=invoked, new_line=new_line)


def test_quiet_time_counts_from_the_edit() -> None:
    assert wait(10.02, 10.0) == pytest.approx(0.03)


def test_an_editor_that_waited_itself_does_not_wait_again() -> None:
    assert wait(10.2, 10.0) == 0.0


def test_an_explicit_request_does_not_wait() -> None:
    assert wait(10.0, 10.0, invoked=True) == 0.0


def test_a_new_line_does_not_wait() -> None:
    assert wait(10.0, 10.0, new_line=True) == 0.0


def test_a_document_in_which_nothing_was_typed_does_not_wait() -> None:
    assert wait(10.0, None) == 0.0


def typist(*gaps: float, boundary: Boundary = Boundary.WORD, times: int = 50) -> Pacing:
    """What is known of someone who pauses `gaps` in turn after `boundary`."""
    pacing = Pacing()
    for _ in range(times):
        for gap in gaps:
            pacing.gaps.add(boundary, gap)
    return pacing


def seen(share: RecentShare, outcome: bool) -> None:
    for _ in range(100):
        share.add(outcome)


def test_nothing_known_of_the_person_or_the_source_is_the_default_quiet_time() -> None:
    assert Pacing().quiet_s(Boundary.WORD, 0.3) == pytest.approx(0.05)
    assert typist(1.0).quiet_s(Boundary.WORD, None) == pytest.approx(0.05)
    assert typist(1.0).quiet_s(None, 0.3) == pytest.approx(0.05)


def test_who_usually_pauses_here_is_not_waited_for() -> None:
    pacing = typist(1.0)
    seen(pacing.survives, False)
    assert pacing.quiet_s(Boundary.WORD, 0.3) == 0.0


def test_text_that_survives_typing_is_asked_for_in_the_middle_of_a_word() -> None:
    pacing = typist(0.12)
    seen(pacing.survives, True)
    assert pacing.quiet_s(Boundary.WORD, 0.3) == 0.0


def test_text_that_typing_contradicts_is_asked_for_once_the_usual_gap_is_over() -> None:
    pacing = typist(0.1, 0.1, 0.1, 2.0)
    seen(pacing.survives, False)
    assert 0.09 <= pacing.quiet_s(Boundary.WORD, 0.3) <= 0.13


def test_suggestions_that_nobody_takes_are_asked_for_after_the_longest_quiet_time() -> None:
    pacing = typist(0.1, 0.1, 0.1, 2.0)
    seen(pacing.survives, False)
    seen(pacing.taken, False)
    assert pacing.quiet_s(Boundary.WORD, 0.3) == LONGEST_QUIET_S


def test_each_boundary_has_its_own_rhythm() -> None:
    pacing = typist(0.1)
    for _ in range(50):
        pacing.gaps.add(Boundary.DOT, 1.5)
    seen(pacing.survives, False)
    assert pacing.quiet_s(Boundary.DOT, 0.3) < pacing.quiet_s(Boundary.WORD, 0.3)
    assert pacing.is_pause_point(Boundary.DOT, 0.3)
    assert not pacing.is_pause_point(Boundary.WORD, 0.3)


def test_a_faster_source_is_asked_no_later() -> None:
    pacing = typist(0.05, 0.1, 0.2, 0.4, 0.8)
    seen(pacing.survives, False)
    quiet = [pacing.quiet_s(Boundary.WORD, latency_s) for latency_s in (0.05, 0.15, 0.3, 0.6)]
    assert quiet == sorted(quiet)


def test_quiet_that_is_over_already_counts() -> None:
    pacing = typist(0.1, 0.1, 0.1, 2.0)
    seen(pacing.survives, False)
    wait = pacing.wait_s(
        now=10.14, changed_at=10.0, invoked=False, new_line=False, boundary=Boundary.WORD, first_token_s=0.3
    )
    assert wait == 0.0


def test_a_quiet_time_that_the_person_set_holds() -> None:
    pacing = typist(1.0)
    pacing.set_quiet(300)
    assert pacing.quiet_s(Boundary.WORD, 0.1) == pytest.approx(0.3)
    assert not pacing.is_pause_point(Boundary.WORD, 0.1)


def test_pacing_that_is_not_adaptive_is_the_quiet_time() -> None:
    pacing = Pacing(adaptive=False)
    for _ in range(50):
        pacing.gaps.add(Boundary.WORD, 1.0)
    assert pacing.quiet_s(Boundary.WORD, 0.1) == pytest.approx(0.05)


@given(
    st.lists(st.floats(0.02, 3.0), min_size=30, max_size=60),
    st.floats(0.01, 2.0),
    st.floats(0.0, 0.2),
    st.lists(st.booleans(), max_size=20),
)
def test_the_quiet_time_is_the_first_at_which_asking_pays(
    gaps: list[float], latency_s: float, lasted_s: float, outcomes: list[bool]
) -> None:
    pacing = Pacing()
    for gap in gaps:
        pacing.gaps.add(Boundary.WORD, gap)
    for outcome in outcomes:
        pacing.survives.add(outcome)
        pacing.taken.add(outcome)
    quiet_s = pacing.quiet_s(Boundary.WORD, latency_s, lasted_s)
    assert quiet_s == LONGEST_QUIET_S or pacing.pays(Boundary.WORD, quiet_s, latency_s)
    earlier = lasted_s
    while earlier < quiet_s - 1e-9:
        assert not pacing.pays(Boundary.WORD, earlier, latency_s)
        earlier += STEP_S


def test_bad_luck_is_tried_again_after_a_second_without_a_generation() -> None:
    pacing = Pacing()
    for _ in range(2 * MIN_KEYS):
        pacing.gaps.add(Boundary.WORD, 0.12)
        pacing.taken.add(False)
        pacing.survives.add(False)

    def wait_s(unasked_s: float) -> float:
        return pacing.wait_s(
            now=10.0,
            changed_at=10.0,
            invoked=False,
            new_line=False,
            boundary=Boundary.WORD,
            first_token_s=0.3,
            unasked_s=unasked_s,
        )

    assert wait_s(0.9) == pytest.approx(LONGEST_QUIET_S)
    assert wait_s(STARVING_S) == pytest.approx(QUIET_MS / 1_000)
