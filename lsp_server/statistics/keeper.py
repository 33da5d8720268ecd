"""Takes a session's counts out of the process: into the file of the day, and to the edge where telemetry is on."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter

from lsp_server.paths import UnsafeFolderError
from lsp_server.sources.base import Source
from lsp_server.statistics.days import StatsFile, stats_file
from lsp_server.statistics.feedback import Minutes, TakesFeedback


class Keeper:
    """Knows what of the session's counts was written and sent already. `write` may be called in threads."""

    def __init__(self) -> None:
        self._written: Counter[str] = Counter()
        self._file: StatsFile | None = None
        self._lock = threading.Lock()
        self._minutes = Minutes()

    def write(self, counts: Counter[str]) -> None:
        """Add what has grown to the file; what cannot be written now is kept for the next time. Blocks."""
        with self._lock, contextlib.suppress(UnsafeFolderError):
            if self._file is None:
                self._file = StatsFile(stats_file())
            if grown := counts - self._written:
                self._file.add(grown)
            self._written = counts
            self._file.flush()

    def send(self, counts: Counter[str], source: Source, epoch_s: float, *, wanted: bool) -> None:
        """Tell the edge what has grown, if that is `wanted`: only where the person has switched telemetry on."""
        self._minutes.add(counts, epoch_s, wanted=wanted)
        frame = self._minutes.frame()
        if frame is not None and isinstance(source, TakesFeedback) and source.send_feedback(frame):
            self._minutes.sent()
