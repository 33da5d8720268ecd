"""Counts for the edge: they reach it while it is connected, and wait while it is not."""

from __future__ import annotations

from fake_peer import FakePeer, until

from lsp_server.sources.edge import EdgeSource
from lsp_server.sources.failover import FailoverSource
from wire_protocol.frames import Feedback, FeedbackMinute

FRAME = Feedback(minutes=[FeedbackMinute(minute=1, shown=3, accepted=1)])


async def test_counts_reach_a_connected_edge(edge: FakePeer) -> None:
    alone = EdgeSource([edge.url], uniform=lambda: 0.0)
    source = FailoverSource(alone, None)
    await source.start()
    await until(lambda: alone.state == "ready")
    assert source.send_feedback(FRAME)
    assert await edge.next(Feedback) == FRAME
    await source.close()


async def test_counts_are_not_taken_while_no_edge_is_connected(edge: FakePeer) -> None:
    source = FailoverSource(EdgeSource([edge.url]), None)
    assert not source.send_feedback(FRAME)
