"""What waits to be sent to one peer: tokens coalesced into one frame, credits into one, order kept; pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from wire_protocol.frames import MAX_IDS, AnyFrame, Credit, Done, TokenBatch, Tokens

MAX_FRAMES = 4_096
MAX_CHARS = 4 * 1_048_576
"""Bounds of what a peer that does not read may leave waiting: far above what its credits allow to run."""


@dataclass(slots=True)
class _Segment:
    """Tokens, then the frames after them; an answer's tokens precede its `done`."""

    texts: dict[int, tuple[int, list[str], int]] = field(default_factory=dict)
    frames: list[AnyFrame] = field(default_factory=list)
    ended: set[int] = field(default_factory=set)


class Outbox:
    """Collects until `take`, however long the peer takes to read."""

    def __init__(self) -> None:
        self._segments: list[_Segment] = [_Segment()]
        self._credit = 0
        self._frames = 0
        self._chars = 0

    def __bool__(self) -> bool:
        return self._frames > 0 or self._chars > 0 or self._credit != 0

    @property
    def overflowing(self) -> bool:
        """Whether the peer must be given up."""
        return self._frames > MAX_FRAMES or self._chars > MAX_CHARS

    def text(self, id: int, offset: int, text: str, tokens: int) -> None:
        """New text of answer `id`, starting at `offset` (code points)."""
        if id in self._segments[-1].ended:
            self._segments.append(_Segment())
        start, pieces, count = self._segments[-1].texts.get(id, (offset, [], 0))
        pieces.append(text)
        self._segments[-1].texts[id] = (start, pieces, count + tokens)
        self._chars += len(text)

    def add(self, frame: AnyFrame) -> None:
        """Any other frame; goes after the tokens that are here."""
        if isinstance(frame, Credit):
            self._credit += frame.grant
            return
        if isinstance(frame, Done):
            self._segments[-1].ended.add(frame.id)
        self._segments[-1].frames.append(frame)
        self._frames += 1

    def take(self) -> list[AnyFrame]:
        """Everything, in the order to send it; the outbox is empty then."""
        frames: list[AnyFrame] = []
        for segment in self._segments:
            items = [
                TokenBatch(id=id, offset=start, text="".join(pieces), tokens=count)
                for id, (start, pieces, count) in segment.texts.items()
            ]
            frames += [Tokens(items=items[at : at + MAX_IDS]) for at in range(0, len(items), MAX_IDS)]
            frames += segment.frames
        if self._credit:
            frames.append(Credit(grant=self._credit))
        self._segments = [_Segment()]
        self._credit = self._frames = self._chars = 0
        return frames
