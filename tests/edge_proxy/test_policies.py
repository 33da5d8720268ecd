"""The small policies: back-off, bad-frame budget, held requests, memory of contexts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.context_budget import ContextBudget
from edge_proxy.requests import clip
from edge_proxy.resends import MAX_DOCUMENTS, Held, ResendLedger
from wire_protocol.contexts import ContextStore
from wire_protocol.frames import Complete, Context


def test_one_resend_is_outstanding_per_document() -> None:
    ledger = ResendLedger()
    assert ledger.hold(Held(1, "a", 5.0, ()))
    assert not ledger.hold(Held(2, "a", 6.0, ()))
    assert ledger.hold(Held(3, "b", 4.0, ()))
    assert ledger.next_deadline() == 4.0
    assert [held.id for held in ledger.full_context_came("a")] == [1, 2]
    assert ledger.hold(Held(4, "a", 9.0, ()))


def test_a_released_request_leaves_its_resend_outstanding() -> None:
    ledger = ResendLedger()
    ledger.hold(Held(1, "a", 5.0, ()))
    assert [held.id for held in ledger.release([1, 8])] == [1]
    assert (len(ledger), 1 in ledger) == (0, False)
    assert not ledger.hold(Held(2, "a", 5.0, ()))


def test_only_what_is_late_expires() -> None:
    ledger = ResendLedger()
    ledger.hold(Held(1, "a", 5.0, ()))
    ledger.hold(Held(2, "a", 6.0, ()))
    assert [held.id for held in ledger.expired(5.0)] == [1]
    assert ledger.doc_of(2) == "a"


def test_the_ledger_is_bounded_for_clients_that_never_send_again() -> None:
    ledger = ResendLedger()
    for id in range(3 * MAX_DOCUMENTS):
        ledger.hold(Held(id, f"doc-{id}", 1.0, ()))
        ledger.release([id])
    assert len(ledger._documents) <= MAX_DOCUMENTS


def _filled(store: ContextStore, doc: str, size: int) -> ContextStore:
    store.receive(Complete(id=1, doc=doc, rev=1, context=Context(before="x" * size)))
    return store


def test_the_longest_unused_session_loses_its_contexts_first() -> None:
    budget = ContextBudget(25_000)
    old, new = ContextStore(10**6), ContextStore(10**6)
    budget.used(1, _filled(old, "a", 10_000))
    budget.used(2, _filled(new, "a", 10_000))
    budget.used(1, old)
    budget.used(2, _filled(new, "b", 10_000))
    assert (len(old), len(new)) == (0, 2)
    assert budget.bytes_used == new.bytes_used


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from("abc"), st.integers(0, 9_000), st.booleans()), max_size=30)
)
def test_the_sum_over_all_sessions_stays_bounded_and_right(steps: list[tuple[int, str, int, bool]]) -> None:
    budget = ContextBudget(20_000)
    stores = {session: ContextStore(15_000) for session in range(1, 5)}
    for session, doc, size, leaves in steps:
        if leaves:
            budget.dropped(session)
            stores[session] = ContextStore(15_000)
        else:
            budget.used(session, _filled(stores[session], doc, size))
        assert budget.bytes_used == sum(store.bytes_used for store in stores.values()) <= 20_000


@given(st.lists(st.text("ab", min_size=1, max_size=3), max_size=6), st.text("ab", max_size=8))
def test_clipped_parts_join_to_what_follows_the_typed_text(parts: list[str], appended: str) -> None:
    produced, given, agrees = "", "", True
    for part in parts:
        piece = clip(produced, part, appended)
        produced += part
        agrees = piece.agrees
        if not agrees:
            break
        given += piece.text
    whole = produced.startswith(appended) or appended.startswith(produced)
    assert agrees == whole
    if agrees:
        assert given == produced[len(appended) :]
