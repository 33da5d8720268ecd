"""Where an answer ends: stop strings and the `lines` mode, over text that arrives in pieces."""

from __future__ import annotations

from collections.abc import Sequence

from wire_protocol.frames import Lines


class StopFilter:
    """Passes text on until a stop is met; withholds what may be the beginning of a stop.

    `single` ends before the first newline that follows some visible text. Of several stops the one that is complete
    first counts; it is never emitted. What is emitted does not depend on how the input was cut into pieces.
    """

    def __init__(self, stops: Sequence[str] = (), lines: Lines = "multi") -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._single = lines == "single"
        self._held = ""
        self._visible = False
        self.stopped = False
        """Whether a stop was met: nothing more will be emitted."""

    def feed(self, text: str) -> str:
        """What of the text so far can be emitted now."""
        if self.stopped or not text:
            return ""
        pending = self._held + text
        end = self._find_end(pending)
        if end is not None:
            self.stopped = True
            self._held = ""
            return pending[:end]
        keep = self._withheld(pending)
        self._held = pending[len(pending) - keep :]
        ready = pending[: len(pending) - keep]
        self._visible = self._visible or bool(ready.strip())
        return ready

    def flush(self) -> str:
        """What was withheld, once it is known that nothing follows."""
        held, self._held = self._held, ""
        return "" if self.stopped else held

    def _find_end(self, pending: str) -> int | None:
        """Where the stop begins that is complete first: that is all a stream can know."""
        found = [(at + len(stop), at) for stop in self._stops if (at := pending.find(stop)) >= 0]
        if self._single and (newline := self._line_end(pending)) is not None:
            found.append((newline + 1, newline))
        return min(found)[1] if found else None

    def _line_end(self, pending: str) -> int | None:
        start = 0 if self._visible else len(pending) - len(pending.lstrip())
        at = pending.find("\n", start)
        return at if at >= 0 else None

    def _withheld(self, pending: str) -> int:
        """How many code points at the end of `pending` could begin a stop."""
        longest = 0
        for stop in self._stops:
            for length in range(min(len(stop) - 1, len(pending)), longest, -1):
                if pending.endswith(stop[:length]):
                    longest = length
                    break
        return longest
