"""Asking a worker within the credit it gives."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.sources.base import Ended, SourceRequest
from lsp_server.sources.session import Session
from lsp_server.sources.worker_dialect import MAX_WAITING, WorkerDialect, priority
from wire_protocol.frames import AnyFrame, Cancel, Context, Credit, Done, Submit, TokenBatch, Tokens

REQUEST = SourceRequest(id=0, doc="doc", context=Context(before="x"))


def request(id: int, **changes: object) -> SourceRequest:
    return replace(REQUEST, id=id, **changes)  # type: ignore[arg-type]  # any field


def submitted(frames: list[AnyFrame]) -> list[int]:
    return [frame.id for frame in frames if isinstance(frame, Submit)]


def test_without_credit_nothing_is_submitted() -> None:
    session = Session(WorkerDialect())
    assert session.open(request(1)).send == []


def test_credit_lets_the_newest_go_first() -> None:
    session = Session(WorkerDialect())
    for id in (1, 2, 3):
        session.open(request(id))
    assert submitted(session.receive(Credit(grant=2)).send) == [3, 2]


def test_an_invoked_request_goes_before_newer_automatic_ones_and_prefetch_last() -> None:
    session = Session(WorkerDialect())
    session.open(request(1, kind="invoked"))
    session.open(request(2))
    session.open(request(3, kind="prefetch"))
    assert submitted(session.receive(Credit(grant=3)).send) == [1, 2, 3]


def test_a_superseded_waiting_request_ends_and_a_running_one_is_cancelled() -> None:
    session = Session(WorkerDialect())
    session.receive(Credit(grant=1))
    session.open(request(1))
    session.open(request(2))
    reaction = session.open(request(3, supersedes=(1, 2)))
    assert reaction.send == [Cancel(ids=[1])]
    assert reaction.events == [(2, Ended("cancelled", "local"))]
    assert list(session.live) == [1, 3]


def test_a_waiting_request_is_cancelled_without_a_word() -> None:
    session = Session(WorkerDialect())
    session.open(request(1))
    assert session.cancel(1).send == []
    assert submitted(session.receive(Credit(grant=1)).send) == []


def test_too_many_waiting_shed_the_oldest() -> None:
    session = Session(WorkerDialect())
    for id in range(MAX_WAITING):
        assert session.open(request(id)).events == []
    ((id, ended),) = session.open(request(MAX_WAITING)).events
    assert id == 0
    assert isinstance(ended, Ended)
    assert ended.reason == "shed"


@given(st.lists(st.one_of(st.integers(-3, 5).map(lambda n: Credit(grant=n)), st.just("open"), st.just("cancel"))))
def test_submits_never_exceed_the_credit_and_each_request_goes_at_most_once(steps: list[Credit | str]) -> None:
    session = Session(WorkerDialect())
    granted, next_id = 0, 0
    sent: list[int] = []
    for step in steps:
        if isinstance(step, Credit):
            granted += step.grant
            frames = session.receive(step).send
            assert len(submitted(frames)) == 0 or len(sent) + len(submitted(frames)) <= granted
        elif step == "open":
            frames = session.open(request(next_id)).send
            assert len(submitted(frames)) == 0 or len(sent) + len(submitted(frames)) <= granted
            next_id += 1
        else:
            frames = session.cancel(next_id - 1).send
        sent += submitted(frames)
    assert len(sent) == len(set(sent))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.text(max_size=3))))
def test_whatever_tokens_arrive_pieces_join_without_holes_and_each_answer_ends_once(
    batches: list[tuple[int, int, str]],
) -> None:
    session = Session(WorkerDialect())
    session.receive(Credit(grant=4))
    for id in range(4):
        session.open(request(id))
    texts = dict.fromkeys(range(4), "")
    ended: list[int] = []
    for id, offset, text in batches:
        for at, event in session.receive(Tokens(items=[TokenBatch(id=id, offset=offset, text=text, tokens=1)])).events:
            assert at not in ended
            if isinstance(event, Ended):
                ended.append(at)
            else:
                assert offset == len(texts[at])
                texts[at] += event.text
    for id in range(4):
        for at, event in session.receive(Done(id=id, reason="stop")).events:
            assert isinstance(event, Ended)
            ended.append(at)
    assert sorted(ended) == [0, 1, 2, 3]


def test_the_newest_of_two_windows_goes_first_whatever_their_ids() -> None:
    now = 100.0
    older, newer = (Session(WorkerDialect(lambda: now)) for _ in range(2))
    older.receive(Credit(grant=1))
    newer.receive(Credit(grant=1))
    (first,) = older.open(request(5_000)).send
    now += 0.001
    (second,) = newer.open(request(1)).send
    assert isinstance(first, Submit)
    assert isinstance(second, Submit)
    assert second.priority < first.priority


def test_priorities_of_kinds_stay_apart_and_fit_their_field_after_thirty_years() -> None:
    now = 30 * 365 * 86_400.0
    assert priority("invoked", 0.0) < priority("automatic", now) < priority("prefetch", now)
    assert priority("automatic", 0.0) < priority("prefetch", now)
    assert abs(priority("prefetch", 0.0)) < 2**53
