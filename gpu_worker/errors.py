"""The one error of this package that a person is meant to read."""

from __future__ import annotations


class WorkerError(Exception):
    """Something that the person who started the worker can mend; `str()` is one clear sentence (or two)."""
