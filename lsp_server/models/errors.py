"""The one error of this package that a person is meant to read."""

from __future__ import annotations


class ModelError(Exception):
    """Something about a model that its user can mend; `str()` is one clear sentence (or two)."""
