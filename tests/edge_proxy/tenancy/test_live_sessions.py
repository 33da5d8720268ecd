"""Which sessions a revocation cuts, and when a token's end is due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.tenancy.identity import Identity
from edge_proxy.tenancy.live_sessions import Cut, LiveSessions, Warn


class FakeWall:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def identity(credential: str, expires: float | None = None) -> Identity:
    return Identity("acme", "ada", credential, expires)


def test_a_token_known_no_more_takes_all_its_sessions_along() -> None:
    live = LiveSessions(FakeWall(), lambda _: 0.0)
    for session, credential in ((1, "a"), (2, "b"), (3, "a")):
        live.opened(session, identity(credential))
    asked: list[str] = []

    def knows(credential: str) -> bool:
        asked.append(credential)
        return credential != "a"

    assert sorted(live.orphans(knows)) == [1, 3]
    assert sorted(asked) == ["a", "b"]


def test_a_session_that_ended_is_neither_an_orphan_nor_due() -> None:
    wall = FakeWall()
    live = LiveSessions(wall, lambda _: 0.0)
    live.opened(1, identity("a", 10.0))
    live.closed(1)
    live.closed(1)
    wall.now = 99.0
    assert (live.orphans(lambda _: False), list(live.due()), len(live)) == ([], [], 0)


def test_it_is_warned_at_the_end_and_cut_after_the_skew() -> None:
    wall = FakeWall()
    live = LiveSessions(wall, lambda _: 30.0)
    live.opened(1, identity("a", 100.0))
    happened = []
    for wall.now in (99.9, 100.0, 129.9, 130.0, 500.0):
        happened.append(list(live.due()))
    assert happened == [[], [Warn(1)], [], [Cut(1)], []]


def test_a_session_that_begins_within_the_skew_is_not_warned_but_cut_in_time() -> None:
    wall = FakeWall()
    live = LiveSessions(wall, lambda _: 30.0)
    wall.now = 110.0
    live.opened(1, identity("a", 100.0))
    happened = []
    for wall.now in (111.0, 129.9, 130.0):
        happened.append(list(live.due()))
    assert happened == [[], [], [Cut(1)]]


def test_without_skew_it_is_cut_at_the_end() -> None:
    wall = FakeWall()
    live = LiveSessions(wall, lambda _: 0.0)
    live.opened(1, identity("a", 100.0))
    wall.now = 100.0
    assert list(live.due()) == [Cut(1)]


def test_a_refreshed_token_counts_instead_of_the_old_one() -> None:
    wall = FakeWall()
    live = LiveSessions(wall, lambda _: 30.0)
    live.opened(1, identity("old", 100.0))
    wall.now = 110.0
    assert list(live.due()) == [Warn(1)]
    live.opened(1, identity("new", 200.0))
    wall.now = 199.0
    assert list(live.due()) == []
    assert live.orphans(lambda credential: credential == "new") == []
    wall.now = 200.0
    assert list(live.due()) == [Warn(1)]


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 50)), max_size=30), st.integers(0, 60))
def test_who_is_due_is_whoever_a_list_says(opened: list[tuple[int, int]], now: int) -> None:
    wall = FakeWall()
    live = LiveSessions(wall, lambda _: 0.0)
    ends: dict[int, int] = {}
    for session, end in opened:
        live.opened(session, identity(f"of-{session}", float(end)))
        ends[session] = end
    wall.now = float(now)
    assert sorted(due.session for due in live.due()) == sorted(s for s, end in ends.items() if end <= now)


def test_sessions_that_ended_leave_nothing_behind_until_their_tokens_run_out() -> None:
    live = LiveSessions(FakeWall(), lambda _: 0.0)
    live.opened(0, identity("stays", 1_000.0))
    for session in range(1, 10_000):
        live.opened(session, identity("token", 5_000.0))
        live.closed(session)
    assert len(live._ends) < 100
    live._wall.now = 1_000.0  # type: ignore[attr-defined]
    assert list(live.due()) == [Cut(0)]
