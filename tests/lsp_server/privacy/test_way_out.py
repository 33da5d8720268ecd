"""Text to an edge is masked, each time it goes; text to the local worker is not."""

from __future__ import annotations

from lsp_server.sources.base import SourceRequest
from lsp_server.sources.edge_dialect import EdgeDialect
from lsp_server.sources.session import Answer
from lsp_server.sources.worker_dialect import WorkerDialect
from wire_protocol.codec import encode
from wire_protocol.frames import Context, Resend, Snippet

REQUEST = SourceRequest(
    id=1,
    doc="d",
    context=Context(
        before='password = "hunter2"\n',
        typed='token = "a1b2c3d4e5',
        after="\n# password = 'hunter3'\n",
        snippets=[Snippet(path="b.yaml", text="password: hunter4\n")],
        language="python",
    ),
)


def sent(frames: object) -> bytes:
    assert isinstance(frames, list)
    return b"".join(encode(frame) for frame in frames)


def test_an_edge_gets_no_secret_of_any_part() -> None:
    wire = sent(EdgeDialect().ask(REQUEST, {}).send)
    assert b"password" in wire
    assert b"hunter" not in wire
    assert b"a1b2c3" not in wire


def test_nor_when_it_asks_for_everything_again() -> None:
    dialect = EdgeDialect()
    dialect.ask(REQUEST, {})
    wire = sent(dialect.receive(Resend(id=1, doc="d"), {1: Answer(REQUEST)}).send)
    assert b"password" in wire
    assert b"hunter" not in wire


def test_the_local_worker_gets_the_text_as_it_is() -> None:
    dialect = WorkerDialect()
    reaction = dialect.ask(REQUEST, {1: Answer(REQUEST)})
    assert not reaction.send or b"hunter2" in sent(reaction.send)
