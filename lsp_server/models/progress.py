"""Progress of a download as plain lines, for logs and pipes; on a terminal the hub library draws its own bar."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Final, TextIO

STEP: Final = 5
"""Percent between two lines."""
MIB: Final = 1_048_576


class PlainProgress:
    """Has the part of tqdm's interface that the hub library uses, and writes a line every few percent."""

    stream: TextIO | None = None
    """Where lines go; None: standard error, as it is when a line is written."""

    def __init__(self, *, total: int | None = None, initial: int = 0, desc: str = "", **_: object) -> None:
        self._total = total or 0
        self._done = initial
        self._name = desc
        self._shown = -1
        if initial:
            self._write(f"{desc}: going on at {self._amount()}")
        self._show()

    def update(self, count: float = 1) -> None:
        """`count` more bytes have arrived (fewer, if it begins anew)."""
        self._done += int(count)
        self._show()

    def close(self) -> None:
        """Nothing is kept open."""

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _show(self) -> None:
        if self._total <= 0:
            return
        step = self._done * 100 // self._total // STEP
        if step > self._shown and self._done > 0:
            self._shown = step
            self._write(f"{self._name}: {self._done * 100 // self._total} % of {self._total / MIB:.1f} MiB")

    def _amount(self) -> str:
        return f"{self._done / MIB:.1f} of {self._total / MIB:.1f} MiB"

    def _write(self, line: str) -> None:
        print(line, file=self.stream or sys.stderr, flush=True)
