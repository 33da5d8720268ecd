"""What goes to an edge of the counts, and when nothing does."""

from __future__ import annotations

from lsp_server.sources.failover import FailoverSource
from lsp_server.statistics.feedback import Minutes, TakesFeedback
from wire_protocol.codec import decode_from_client, encode
from wire_protocol.frames import MAX_MINUTES, Feedback, FeedbackMinute


def test_growth_is_told_by_the_minute() -> None:
    minutes = Minutes()
    minutes.add({"shown_inferred": 3, "accepted": 1, "accepted_characters": 20}, 600.0, wanted=True)
    minutes.add({"shown_inferred": 3, "accepted": 1, "accepted_characters": 20}, 660.0, wanted=True)
    minutes.add(
        {"shown": 1, "shown_inferred": 4, "accepted": 1, "dismissed_inferred": 2, "accepted_characters": 20},
        725.0,
        wanted=True,
    )
    assert minutes.frame() == Feedback(
        minutes=[
            FeedbackMinute(minute=10, shown=3, accepted=1, characters=20),
            FeedbackMinute(minute=12, shown=2, dismissed=2),
        ]
    )


def test_what_was_sent_is_not_sent_again() -> None:
    minutes = Minutes()
    minutes.add({"shown": 3}, 0.0, wanted=True)
    minutes.sent()
    assert minutes.frame() is None


def test_nothing_of_the_time_without_telemetry_is_ever_sent() -> None:
    minutes = Minutes()
    minutes.add({"shown": 3}, 0.0, wanted=True)
    minutes.add({"shown": 5}, 60.0, wanted=False)
    assert minutes.frame() is None
    minutes.add({"shown": 6}, 120.0, wanted=True)
    assert minutes.frame() == Feedback(minutes=[FeedbackMinute(minute=2, shown=1)])


def test_a_day_without_an_edge_fits_into_a_frame() -> None:
    minutes = Minutes()
    for number in range(MAX_MINUTES + 10):
        minutes.add({"shown": number + 1}, 60.0 * number, wanted=True)
    frame = minutes.frame()
    assert frame is not None
    assert len(frame.minutes) == MAX_MINUTES
    assert decode_from_client(encode(frame)) == frame


def test_a_source_without_an_edge_takes_no_feedback() -> None:
    source = FailoverSource(None, None)
    assert isinstance(source, TakesFeedback)
    assert not source.send_feedback(Feedback(minutes=[]))
