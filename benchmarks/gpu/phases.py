"""What is added one after the other, in the case study's order, and what each phase starts vLLM with; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

NAIVE: Final[dict[str, Any]] = {
    "enable_prefix_caching": False,
    "enforce_eager": True,
    "scheduling_policy": "fcfs",
    "performance_mode": "balanced",
    "max_num_seqs": 256,
    "max_num_batched_tokens": 8_192,
}
NGRAM: Final = {"method": "ngram", "num_speculative_tokens": 4, "prompt_lookup_max": 4}
TUNED: Final = {"performance_mode": "interactivity", "max_num_seqs": 64, "max_num_batched_tokens": 2_048}
CASE_STUDY: Final = {
    "source": "the case study this project answers: INT8, 12 A100 for 12,000 sessions",
    "first_token_ms": {"p50": 52, "p95": 135},
    "tokens_per_s_per_request": 165,
    "dollars_per_completion": 0.0003,
}


@dataclass(frozen=True)
class Phase:
    """A name, the engine arguments, and the layout that the clients send."""

    name: str
    arguments: dict[str, Any]
    layout: str


def phases(quantisation: str) -> list[Phase]:
    """Each phase has everything of those before it. `quantisation` empty: that phase is left out.

    Weights are random, so what is drafted is hardly ever right: the phase with speculation shows its cost, not its
    worth. `benchmarks.draft_acceptance` measures that with the starter.
    """
    steps: list[tuple[str, dict[str, Any], str]] = [("16 bit, no cache, first come first served", NAIVE, "joined")]
    if quantisation:
        steps.append((f"+ {quantisation}", {"quantization": quantisation}, "joined"))
    steps += [
        ("+ n-gram speculation", {"speculative_config": NGRAM}, "joined"),
        ("+ vLLM settings", TUNED, "joined"),
        ("+ prefix caching, joined layout", {"enable_prefix_caching": True}, "joined"),
        ("+ anchored layout", {}, "anchored"),
        ("+ CUDA graphs", {"enforce_eager": False}, "anchored"),
        ("+ newest first", {"scheduling_policy": "priority"}, "anchored"),
    ]
    made: list[Phase] = []
    arguments: dict[str, Any] = {}
    for name, more, layout in steps:
        arguments = {**arguments, **more}
        made.append(Phase(name, arguments, layout))
    return made
