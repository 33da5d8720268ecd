"""The one `done` that a client gets for a request; pure."""

from __future__ import annotations

from edge_proxy.requests import MS, Request
from wire_protocol.frames import Done, DoneReason, Timings, Usage


def end_of(request: Request, now: float, reason: DoneReason, message: str, worker: Done | None) -> Done:
    """`now` is the scheduler's clock's. `worker` is the worker's own `done`, where it was the worker that ended it.

    Times are the proxy's; tokens count those of workers that were lost on the way, too.
    """
    answer = worker or Done(id=request.ask.id, reason=reason)
    return Done(
        id=request.ask.id,
        reason=reason,
        source=request.source,
        model=answer.model,
        arm=request.ask.arm or answer.arm,
        usage=_usage(request, worker),
        timings=_timings(request, now),
        mean_logprob=answer.mean_logprob,
        first_logprob=answer.first_logprob,
        message=message,
    )


def _usage(request: Request, worker: Done | None) -> Usage:
    generation = request.generation
    if worker is None:
        return Usage(generated_tokens=0 if generation is None else generation.tokens)
    usage = worker.usage
    return Usage(
        prompt_tokens=usage.prompt_tokens,
        reused_tokens=usage.reused_tokens,
        generated_tokens=usage.generated_tokens + (0 if generation is None else generation.earlier_tokens),
    )


def _timings(request: Request, now: float) -> Timings:
    started = now if request.started is None else request.started
    first = request.arrived if request.first_text is None else request.first_text
    return Timings(
        queue_ms=(started - request.arrived) * MS,
        first_token_ms=(first - request.arrived) * MS,
        total_ms=(now - request.arrived) * MS,
    )
