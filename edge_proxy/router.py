"""Which worker gets a request: the one that likely has its KV cache, if it has room; pure.

Rendezvous hashing (Thaler and Ravishankar 1998): every worker gets a score from a hash of its name and the request's
key (tenant and document), and the highest score wins. A worker that joins or leaves moves only its own share of
documents, and proxies agree without talking. The favourite is passed over while it has no credits or is saturated,

    saturation = max(waiting / 5, kv_use / 0.8) >= 1

(llm-d's rule: five waiting requests, or four fifths of the KV cache, are too many). Then the least loaded worker takes
the request, an unsaturated one first, and among equally loaded ones the higher score, so that the overflow of one
document tends to go to the same place. If all are saturated, credits alone decide: the worker knows what it can take.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

_SCORE_BYTES: Final = 8

QUEUE_FULL: Final = 5.0
KV_FULL: Final = 0.8

_SCORES: Final = 16_384
"""Scores kept: a burst of typing asks for the same one again and again."""


class Candidate(NamedTuple):
    """What the router knows of a worker that is connected and not leaving; `waiting` and `kv_use` are its own word."""

    name: str
    credits: int
    outstanding: int
    waiting: int = 0
    kv_use: float = 0.0

    @property
    def saturated(self) -> bool:
        """Whether more requests would only wait there, or push KV caches out."""
        return max(self.waiting / QUEUE_FULL, self.kv_use / KV_FULL) >= 1.0


def affinity_key(tenant: str, doc: str) -> str:
    """What requests that can share a KV cache have in common; NUL cannot be confused with either part's text."""
    return f"{tenant}\0{doc}"


@lru_cache(_SCORES)
def score(key: str, name: str) -> int:
    """The rendezvous score of worker `name` for `key`."""
    digest = blake2b(f"{key}\0{name}".encode("utf-8", "surrogatepass"), digest_size=_SCORE_BYTES)
    return int.from_bytes(digest.digest(), "big")


def choose(key: str, candidates: Iterable[Candidate]) -> str | None:
    """The name of the worker for `key`; None if none has a credit."""
    workers = list(candidates)
    open_ones = [worker for worker in workers if worker.credits > 0]
    if not open_ones:
        return None
    if len(workers) == 1:
        return workers[0].name
    favourite = max(workers, key=lambda worker: score(key, worker.name))
    if favourite.credits > 0 and not favourite.saturated:
        return favourite.name
    return min(open_ones, key=lambda worker: (worker.saturated, _load(worker), -score(key, worker.name))).name


def _load(worker: Candidate) -> float:
    """Share of its slots that are taken."""
    return worker.outstanding / (worker.outstanding + worker.credits)
