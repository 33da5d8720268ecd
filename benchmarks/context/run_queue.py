"""How long this thread has waited for a processor that others had: what a busy machine adds to times by the clock."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_FILE: Final = Path("/proc/thread-self/schedstat")
"""Linux: nanoseconds run, nanoseconds waited for a processor, turns (Documentation/scheduler/sched-stats.rst)."""


def queued_s() -> float:
    """Seconds so far; always 0 where the system does not count them."""
    try:
        return int(_FILE.read_text("ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
