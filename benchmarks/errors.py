"""What a bench tells a person when it cannot go on: one sentence, no traceback."""

from __future__ import annotations


class BenchError(Exception):
    """A bench cannot go on; the message says what happened, where, and what to do."""
