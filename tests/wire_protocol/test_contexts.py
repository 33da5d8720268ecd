"""A sender and a store stay in step through edits, evictions, closings and new connections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire_protocol.contexts import ContextSender, ContextStore, ContextUnknownError, size_of
from wire_protocol.frames import MAX_TEXT, Complete, Context, Delta, Splice
from wire_strategies import CONTEXTS


def completion(sender: ContextSender, doc: str, context: Context) -> Complete:
    prepared = sender.prepare(doc, context)
    return Complete(id=1, doc=doc, rev=prepared.rev, base_rev=prepared.base_rev, context=prepared.context)


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["edit", "edit", "edit", "evict", "forget", "reconnect"]),
        CONTEXTS,
    ),
    max_size=30,
)


@given(STEPS, st.integers(0, 8_000))
def test_the_store_has_what_was_sent_or_asks_for_it_once(steps: list[tuple[str, str, Context]], room: int) -> None:
    sender, store = ContextSender(max_documents=2), ContextStore(room)
    for doc, step, context in steps:
        if step == "evict":
            store.evict_one()
        elif step == "forget":
            sender.forget(doc)
            store.forget(doc)
        elif step == "reconnect":
            sender.reset_all()
            store = ContextStore(room)
        try:
            received = store.receive(completion(sender, doc, context))
        except ContextUnknownError:
            sender.reset(doc)
            received = store.receive(completion(sender, doc, context))
        assert received == context
        assert store.bytes_used <= room


def test_the_second_context_travels_as_a_delta() -> None:
    sender = ContextSender()
    sender.prepare("d", Context(typed="a"))
    prepared = sender.prepare("d", Context(typed="ab"))
    assert isinstance(prepared.context, Delta)
    assert prepared.base_rev == prepared.rev - 1


def test_a_delta_on_an_evicted_context_asks_for_the_whole() -> None:
    sender, store = ContextSender(), ContextStore(1_000_000)
    store.receive(completion(sender, "d", Context(typed="a")))
    assert store.evict_one() > 0
    with pytest.raises(ContextUnknownError):
        store.receive(completion(sender, "d", Context(typed="ab")))


def test_deltas_cannot_grow_a_context_without_end() -> None:
    store = ContextStore(1 << 30)
    old = Context(typed="x" * MAX_TEXT)
    store.receive(Complete(id=1, doc="d", rev=1, context=old))
    from wire_protocol.delta import checksum

    grown = Context(typed="x" * MAX_TEXT + "y")
    delta = Delta(checksum=checksum(grown), typed=Splice(start=MAX_TEXT, delete=0, insert="y"))
    with pytest.raises(ContextUnknownError, match="grew over"):
        store.receive(Complete(id=2, doc="d", rev=2, base_rev=1, context=delta))
    assert len(store) == 0


def test_text_that_is_not_ascii_is_charged_at_its_widest() -> None:
    assert size_of(Context(typed="é")) - size_of(Context()) == 4
