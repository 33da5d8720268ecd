"""What the proxy's policies ask of the shells around them: where answers go, a cache beside the process, a timer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge_proxy.requests import Answer, Ask
from wire_protocol.frames import Done


class Sink(Protocol):
    """Where a session's answers go."""

    def text(self, id: int, offset: int, text: str, tokens: int, *, now: bool) -> None: ...
    def done(self, done: Done) -> None: ...


class SharedCache(Protocol):
    """A cache beside this process; neither method waits."""

    def look_up(self, base: bytes, ask: Ask, found: Callable[[Answer], None]) -> None: ...
    def keep(self, base: bytes, ask: Ask, answer: Answer) -> None: ...


class Timer(Protocol):
    """A call that was scheduled."""

    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], None]], Timer]
"""The event loop's `call_later`: seconds from now, and what to call."""
