"""One session of the wire protocol as its connecting side sees it: answers in flight, frames in and out; pure.

What an edge and a worker do differently is a `Dialect`. Nothing here waits, reads a clock or touches a socket: the
shell (`link.py`) sends what a `Reaction` says and hands its events to the consumers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from lsp_server.sources.base import Ended, Piece, SourceName, SourceRequest
from wire_protocol.frames import (
    MAX_TEXT,
    AnyFrame,
    Cancel,
    Credit,
    Done,
    Error,
    GoAway,
    Resend,
    Stats,
    ToClient,
    TokenBatch,
    Tokens,
    ToProxy,
)

Event = Piece | Ended
Arriving = ToClient | ToProxy
DialectFrame = Resend | Credit | Stats
"""Frames that only one of the dialects knows."""

MAX_ANSWER: Final = MAX_TEXT
"""Code points of one answer: a peer that sends more is broken, and its text would fill the memory."""


@dataclass(slots=True)
class Reaction:
    """What is to be done: frames to send in order, events for answers by id, sentences for the log.

    `goaway`: the peer is about to leave. `fatal`: the session is over for this reason.
    """

    send: list[AnyFrame] = field(default_factory=list)
    events: list[tuple[int, Event]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    goaway: GoAway | None = None
    fatal: Error | None = None

    def add(self, other: Reaction) -> None:
        """Append what `other` asks for."""
        self.send += other.send
        self.events += other.events
        self.notices += other.notices


@dataclass(slots=True)
class Answer:
    """A request in flight and how many code points of its answer have come."""

    request: SourceRequest
    length: int = 0


Live = Mapping[int, Answer]
"""Answers in flight by id, oldest first."""


class Dialect(Protocol):
    """How one kind of peer is asked. One instance serves one connection."""

    name: SourceName

    def decode(self, data: bytes) -> Arriving:
        """The frame in `data`. Raises wire_protocol.codec.ProtocolError."""
        ...

    def ask(self, request: SourceRequest, live: Live) -> Reaction:
        """Ask for a completion, or hold the request until the peer takes it."""
        ...

    def cancel(self, id: int) -> Reaction:
        """The answer is not wanted any more."""
        ...

    def forget(self, doc: str) -> Reaction:
        """The document was closed."""
        ...

    def receive(self, frame: DialectFrame, live: Live) -> Reaction:
        """A frame that only this dialect knows."""
        ...


class Session:
    """The answers in flight of one connection, from `open` to their one `Ended`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._live: dict[int, Answer] = {}

    @property
    def live(self) -> Live:
        """Answers in flight by id, oldest first."""
        return self._live

    def open(self, request: SourceRequest) -> Reaction:
        """Ask for `request`."""
        reaction = self._dialect.ask(request, self._live)
        self._live[request.id] = Answer(request)
        return self._settled(reaction)

    def cancel(self, id: int) -> Reaction:
        """Nobody listens to answer `id` any more; nothing happens if it has ended."""
        if self._live.pop(id, None) is None:
            return Reaction()
        return self._settled(self._dialect.cancel(id))

    def forget(self, doc: str) -> Reaction:
        """The document was closed."""
        return self._dialect.forget(doc)

    def receive(self, frame: Arriving) -> Reaction:
        """A frame arrived."""
        match frame:
            case Tokens():
                reaction = Reaction()
                for batch in frame.items:
                    reaction.add(self._tokens(batch))
            case Done():
                reaction = self._done(frame)
            case Error():
                reaction = self._error(frame)
            case GoAway():
                reaction = Reaction(goaway=frame)
            case Resend() | Credit() | Stats():
                reaction = self._dialect.receive(frame, self._live)
            case _:
                reaction = Reaction(notices=["a second `welcome` arrived and was ignored"])
        return self._settled(reaction)

    def _settled(self, reaction: Reaction) -> Reaction:
        """`reaction` with the answers that it ends taken from those in flight."""
        for id, event in reaction.events:
            if isinstance(event, Ended):
                self._live.pop(id, None)
        return reaction

    def _tokens(self, batch: TokenBatch) -> Reaction:
        answer = self._live.get(batch.id)
        if answer is None:
            return Reaction()  # cancelled a moment ago; the peer had sent this already
        if batch.offset != answer.length:
            return self._broken(batch.id, f"text is missing at character {answer.length} of the answer")
        if answer.length + len(batch.text) > MAX_ANSWER:
            return self._broken(batch.id, f"the answer grew over {MAX_ANSWER} characters")
        answer.length += len(batch.text)
        if not batch.text:
            return Reaction()
        return Reaction(events=[(batch.id, Piece(batch.text, self._dialect.name))])

    def _broken(self, id: int, sentence: str) -> Reaction:
        ended = Ended("error", self._dialect.name, message=sentence)
        return Reaction(send=[Cancel(ids=[id])], events=[(id, ended)], notices=[f"request {id}: {sentence}"])

    def _done(self, done: Done) -> Reaction:
        if done.id not in self._live:
            return Reaction()
        ended = Ended(
            done.reason,
            self._dialect.name,
            model=done.model,
            usage=done.usage,
            timings=done.timings,
            mean_logprob=done.mean_logprob,
            first_logprob=done.first_logprob,
            message=done.message,
            served=done.source,
        )
        return Reaction(events=[(done.id, ended)])

    def _error(self, error: Error) -> Reaction:
        sentence = f"{error.code}: {error.message or 'no reason given'}"
        if error.id is not None:
            # A `done` may follow; not waiting for it means that a frame the peer refused cannot leave a hole.
            events: list[tuple[int, Event]] = []
            if error.id in self._live:
                events.append((error.id, Ended("error", self._dialect.name, message=error.message)))
            return Reaction(events=events, notices=[f"request {error.id}: {sentence}"])
        fatal = error if error.code in ("auth", "version", "overloaded") else None
        return Reaction(notices=[sentence], fatal=fatal)
