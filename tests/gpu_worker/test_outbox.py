"""What gathers for a peer: coalesced, complete, in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.outbox import MAX_CHARS, Outbox
from wire_protocol.frames import Credit, Done, Error, TokenBatch, Tokens

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("text"), st.integers(1, 3), st.text(alphabet="ab", min_size=1, max_size=3)),
        st.tuples(st.just("done"), st.integers(1, 3), st.just("")),
        st.tuples(st.just("take"), st.just(0), st.just("")),
    ),
    max_size=40,
)


def test_text_of_several_answers_leaves_in_one_frame() -> None:
    outbox = Outbox()
    outbox.text(1, 0, "a", 1)
    outbox.text(2, 5, "x", 1)
    outbox.text(1, 1, "bc", 2)
    assert outbox.take() == [
        Tokens(items=[TokenBatch(id=1, offset=0, text="abc", tokens=3), TokenBatch(id=2, offset=5, text="x", tokens=1)])
    ]


def test_credits_are_summed_and_vanish_when_they_cancel_out() -> None:
    outbox = Outbox()
    outbox.add(Credit(grant=1))
    outbox.add(Credit(grant=2))
    assert outbox.take() == [Credit(grant=3)]
    outbox.add(Credit(grant=1))
    outbox.add(Credit(grant=-1))
    assert not outbox
    assert outbox.take() == []


def test_a_peer_that_does_not_read_is_noticed() -> None:
    outbox = Outbox()
    outbox.text(1, 0, "x" * MAX_CHARS, 1)
    assert not outbox.overflowing
    outbox.text(1, MAX_CHARS, "x", 1)
    assert outbox.overflowing


def test_other_frames_follow_the_text_before_them() -> None:
    outbox = Outbox()
    outbox.text(1, 0, "a", 1)
    outbox.add(Error(code="internal"))
    assert [type(frame) for frame in outbox.take()] == [Tokens, Error]


@given(STEPS)
def test_every_answer_arrives_in_order_even_when_an_id_is_used_again(steps: list[tuple[str, int, str]]) -> None:
    outbox, sent, received = Outbox(), {1: "", 2: "", 3: ""}, {1: "", 2: "", 3: ""}
    for kind, id, text in [*steps, ("take", 0, "")]:
        if kind == "text":
            outbox.text(id, 0, text, 1)
            sent[id] += text
        elif kind == "done":
            outbox.add(Done(id=id, reason="stop"))
            sent[id] += "|"
        else:
            for frame in outbox.take():
                if isinstance(frame, Tokens):
                    for item in frame.items:
                        received[item.id] += item.text
                elif isinstance(frame, Done):
                    received[frame.id] += "|"
    assert received == sent
