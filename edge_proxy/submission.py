"""The `submit` that a generation needs now: what is left of its budget, its text so far as `typed`; pure."""

from __future__ import annotations

from typing import Final

from edge_proxy.requests import CLASSES, MS, Generation, Request
from wire_protocol.frames import Context, Promote, Submit

_CLASS_STEP: Final = 1 << 48
"""Distance between the classes' priorities: arrival numbers stay below it for 89 years at 100,000 requests a second."""


def submit_frame(generation: Generation, request: Request, id: int, now: float) -> Submit:
    """`request` is the generation's reader, `id` its number on the worker's connection, `now` the scheduler's clock."""
    ask = request.ask
    held = now - request.arrived
    return Submit(
        id=id,
        doc=ask.doc,
        context=_context_now(generation, request),
        max_tokens=max(1, ask.max_tokens - generation.tokens),
        lines=ask.lines,
        stop=list(ask.stop),
        kind=ask.kind,
        priority=_priority(request),
        tier=generation.tier,
        cache_salt=ask.tenant,
        objective_ms=_left_ms(ask.objective - held),
        give_up_ms=_left_ms(ask.give_up - held),
        trace=ask.trace,
    )


def promote_frame(generation: Generation, reader: Request, now: float) -> Promote:
    """For a generation that a worker has, and a `reader` of a more urgent class; `now` is the scheduler's clock."""
    return Promote(
        id=generation.worker_id,
        kind=reader.ask.kind,
        priority=_priority(reader),
        give_up_ms=_left_ms(reader.ask.give_up - (now - reader.arrived)),
    )


def _priority(request: Request) -> int:
    return CLASSES[request.ask.kind] * _CLASS_STEP - request.seq


def _left_ms(seconds: float) -> int:
    return max(0, int(seconds * MS))


def _context_now(generation: Generation, request: Request) -> Context:
    """The reader's context, with what a lost worker had streamed beyond what the reader typed as if it were typed."""
    context = request.ask.context
    streamed = generation.text[len(request.appended) :]
    if not streamed:
        return context
    return Context(
        before=context.before,
        typed=context.typed + streamed,
        tail=context.tail,
        after=context.after,
        snippets=context.snippets,
        path=context.path,
        language=context.language,
    )
