"""The spans of one completion, made when it has ended from the times that were noted on its way; pure.

`completion` lasts from the request's arrival to its end; in it are `queue` (until a worker had it), `prefill` (until
the worker's first token; its own waiting before that is an attribute) and `decode` (until its last).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from edge_proxy.requests import MS, Finished

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Span:
    """`begin` and `end` are of the scheduler's clock, in seconds."""

    name: str
    begin: float
    end: float
    attributes: dict[str, Value] = field(default_factory=dict)


ROOT: Final = "completion"


def spans_of(outcome: Finished) -> list[Span]:
    """All of a completion's, the outermost first. No attribute has text of the document."""
    request, done = outcome.request, outcome.done
    ask, generation = request.ask, request.generation
    arrived, ended = request.arrived, request.arrived + done.timings.total_ms / MS
    usage = done.usage
    spans = [
        Span(
            ROOT,
            arrived,
            ended,
            {
                "foretype.request": f"{ask.session}-{ask.id}",
                "foretype.tenant": ask.tenant,
                "foretype.kind": ask.kind,
                "foretype.reason": done.reason,
                "foretype.cause": outcome.cause,
                "foretype.source": done.source,
                "foretype.arm": done.arm,
                "gen_ai.response.model": done.model,
                "gen_ai.usage.input_tokens": usage.prompt_tokens,
                "gen_ai.usage.output_tokens": usage.generated_tokens,
                "foretype.reused_tokens": usage.reused_tokens,
            },
        )
    ]
    started = ended if request.started is None else request.started
    spans.append(Span("queue", arrived, started))
    if generation is None or request.source != "worker" or not generation.submits:
        return spans
    at_worker = {"foretype.worker": generation.served_by}
    timings = generation.timings
    submitted = generation.submitted
    if timings is not None and timings.total_ms:
        first = submitted + (timings.first_token_ms or timings.total_ms) / MS
        last = submitted + timings.total_ms / MS
        waited: dict[str, Value] = {"foretype.worker_queue_ms": timings.queue_ms}
    else:  # it was stopped, or lost
        first = min(ended, generation.first_text or ended)
        last, waited = ended, {}
    spans.append(Span("prefill", submitted, first, {**at_worker, **waited}))
    if first < last:
        spans.append(Span("decode", first, last, dict(at_worker)))
    return spans
