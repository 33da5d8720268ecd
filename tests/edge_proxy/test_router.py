"""Affinity first, load second."""

from __future__ import annotations

from collections import Counter

from edge_proxy.router import Candidate, affinity_key, choose

FREE = [Candidate(name, 4, 0) for name in ("a", "b", "c")]


def test_a_document_stays_with_its_worker() -> None:
    key = affinity_key("t", "doc")
    assert {choose(key, FREE), choose(key, reversed(FREE)), choose(key, FREE)} == {choose(key, FREE)}


def test_documents_spread_over_the_workers() -> None:
    shares = Counter(choose(affinity_key("t", str(doc)), FREE) for doc in range(3_000))
    assert all(800 < share < 1_200 for share in shares.values())


def test_a_worker_that_leaves_moves_only_its_own_documents() -> None:
    for doc in range(200):
        key = affinity_key("t", str(doc))
        before = choose(key, FREE)
        if before != "c":
            assert choose(key, FREE[:2]) == before


def test_a_favourite_without_credits_gives_way_to_the_least_loaded() -> None:
    for doc in range(50):
        key = affinity_key("t", str(doc))
        favourite = choose(key, FREE)
        others = [name for name in ("a", "b", "c") if name != favourite]
        workers = [
            Candidate(str(favourite), 0, 4),
            Candidate(others[0], 1, 3),
            Candidate(others[1], 3, 1),
        ]
        assert choose(key, workers) == others[1]


def test_without_any_credit_nobody_is_chosen() -> None:
    assert choose("k", [Candidate("a", 0, 3), Candidate("b", -1, 3)]) is None
    assert choose("k", []) is None


def test_tenant_and_document_cannot_be_confused() -> None:
    assert affinity_key("a", "bc") != affinity_key("ab", "c")
