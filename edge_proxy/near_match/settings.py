"""The `[cache.near_match]` table."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

DEFAULT_SIMILARITY: Final = 0.8
"""Least share of shingles in common; see README.md for what was measured."""
DEFAULT_BYTES: Final = 16 * 1_048_576


class NearMatchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answers to contexts that are only nearly the same, in the session that they were made for."""

    enabled: bool = False
    """Off: an answer to another context is a guess, and each one costs a look at the code."""
    similarity: Annotated[float, Meta(ge=0.0, le=1.0)] = DEFAULT_SIMILARITY
    """1 allows white space, comments and names of locals to differ, and nothing else."""
    bytes: Annotated[int, Meta(ge=0)] = DEFAULT_BYTES
