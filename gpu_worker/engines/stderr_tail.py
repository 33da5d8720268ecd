"""What a process started from here writes to stderr: passed on as it comes, its last lines kept.

vLLM's engine runs in a process of its own; when it cannot start, only its stderr says why.
"""

from __future__ import annotations

import collections
import os
import threading
from types import TracebackType

KEPT_LINES = 400
STDERR = 2


class StderrTail:
    """Between `with` and its end, stderr (of this process, and of those started meanwhile) goes through a pipe.

    A process started meanwhile keeps writing into the pipe afterwards; a thread passes that on until its last writer
    is gone.
    """

    def __init__(self) -> None:
        self._lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._real = -1
        self._thread: threading.Thread | None = None

    def __enter__(self) -> StderrTail:
        self._real = os.dup(STDERR)
        reading, writing = os.pipe()
        os.dup2(writing, STDERR)
        os.close(writing)
        self._thread = threading.Thread(
            target=self._pass_on, args=(reading, os.dup(self._real)), name="stderr-tail", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        os.dup2(self._real, STDERR)
        os.close(self._real)

    def text(self, wait_s: float = 0.0) -> str:
        """What was written last; waits up to `wait_s` seconds for all writers to end."""
        if self._thread is not None and wait_s:
            self._thread.join(wait_s)
        return "".join(list(self._lines))

    def _pass_on(self, reading: int, real: int) -> None:
        with os.fdopen(reading, "rb") as pipe, os.fdopen(real, "wb", buffering=0) as stderr:
            for line in pipe:
                self._lines.append(line.decode("utf-8", "replace"))
                try:
                    stderr.write(line)
                except OSError:  # whoever read our stderr is gone: keep reading, or the engine would block
                    continue
