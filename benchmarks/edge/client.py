"""A client of the load generator: asks, checks that every answer is whole and in order, notes the times."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import msgpack

from benchmarks.edge.raw_socket import RawSocket
from benchmarks.edge.stand_in import CHUNKS
from wire_protocol.codec import encode
from wire_protocol.contexts import ContextSender
from wire_protocol.frames import Cancel, Complete, Context, Hello


class Asked:
    """One request: times are monotonic seconds."""

    __slots__ = ("bytes", "ended", "first", "id", "order", "reason", "sent", "source", "text", "trace")

    def __init__(self, id: int, sent: float, size: int, trace: str) -> None:
        self.id = id
        self.sent = sent
        self.bytes = size
        self.trace = trace
        self.first = 0.0
        self.ended = 0.0
        self.text = ""
        self.reason = ""
        self.source = ""
        self.order = True
        """Whether every piece came where the one before had ended."""

    def right(self, chunks: int) -> bool:
        """Whether the whole answer came, in order."""
        return self.order and self.reason == "stop" and self.text == "".join(CHUNKS[:chunks])


class Client:
    """One session over a raw socket. `finished` is called with every request that ends."""

    def __init__(self, raw: RawSocket, finished: Callable[[Asked], None]) -> None:
        self._raw: Final = raw
        self.finished = finished
        self._contexts: Final = ContextSender()
        self._last_id = 0
        self.live: dict[int, Asked] = {}
        self.welcomed = False
        self.faults: list[str] = []
        raw.on_message = self._receive

    def hello(self, token: str = "") -> None:
        """Begin the session."""
        self._raw.send(encode(Hello(token=token, client="bench")))

    def ask(self, doc: str, context: Context, **fields: Any) -> Asked:
        """Send a `complete`, as a delta where that is possible."""
        self._last_id += 1
        rev, base_rev, body = self._contexts.prepare(doc, context)
        frame = Complete(id=self._last_id, doc=doc, rev=rev, base_rev=base_rev, context=body, **fields)
        payload = encode(frame)
        asked = self.live[frame.id] = Asked(frame.id, time.monotonic(), len(payload), frame.trace)
        self._raw.send(payload)
        return asked

    def cancel(self, ids: list[int]) -> None:
        """Want no more of these."""
        self._raw.send(encode(Cancel(ids=ids)))

    def close(self) -> None:
        """Hang up."""
        if self._raw.transport is not None:
            self._raw.transport.abort()

    def on_close(self, call: Callable[[], None]) -> None:
        """Call this when the proxy hangs up."""
        self._raw.on_close = call

    @property
    def closed(self) -> bool:
        """Whether the proxy has hung up."""
        return self._raw.closed

    def _receive(self, payload: bytes) -> None:
        frame = msgpack.unpackb(payload)
        kind = frame["type"]
        if kind == "tokens":
            now = time.monotonic()
            for id, offset, text, _ in frame["items"]:
                asked = self.live.get(id)
                if asked is None:
                    self.faults.append("text for what has ended")
                    continue
                if not asked.first:
                    asked.first = now
                asked.order = asked.order and offset == len(asked.text)
                asked.text += text
        elif kind == "done":
            asked = self.live.pop(frame["id"], None)
            if asked is None:
                self.faults.append("a second end")
                return
            asked.ended = time.monotonic()
            asked.reason = frame["reason"]
            asked.source = frame.get("source", "worker")
            self.finished(asked)
        elif kind == "welcome":
            self.welcomed = True
        elif kind != "credit":  # a worker's, where there is no proxy between
            self.faults.append(f"{kind}: {frame.get('message', '')}")


def code(size: int, salt: int, language: str = "python") -> Context:
    """A context of `size` characters that nobody else has."""
    line = f"    value_{salt} = compute(value_{salt}, other)\n"
    text = (line * (size // len(line) + 1))[: size - 100]
    return Context(before=text, typed="    ret", after="\n" + "x" * 92, path=f"{salt}.py", language=language)
