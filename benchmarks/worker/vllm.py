"""The worker with the real vLLM on a CPU: what the prefix cache and the anchored layout are worth, and a cancel.

All figures are of one worker process, asked over its socket, the compared kinds taking turns.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.kv_reuse import Window, anchored, joined, moving, percentile, typing
from benchmarks.worker.client import WorkerClient, connected
from benchmarks.worker.processes import program, unpacked_starter
from wire_protocol.frames import Context, Done

ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}
FUNCTIONS = 34
"""Of such a file's about 640 tokens."""
LONG_ANSWER = 600
MAX_TOKENS = 4
WINDOW = Window(before=1_800, after=500)
LAYOUTS = {"anchored": anchored, "joined": joined, "joined, moving": moving}


@dataclass(frozen=True)
class Plan:
    """How much to measure: cold and warm pairs, keys typed, cancels."""

    pairs: int
    keys: int
    cancels: int


FULL = Plan(pairs=40, keys=120, cancels=40)
FAST = Plan(pairs=8, keys=30, cancels=8)


@dataclass
class Keys:
    """Per key of one layout."""

    prompt: list[int] = field(default_factory=list)
    reused: list[int] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)

    def add(self, done: Done) -> None:
        """The end of one key's answer."""
        self.prompt.append(done.usage.prompt_tokens)
        self.reused.append(done.usage.reused_tokens)
        self.first_ms.append(done.timings.first_token_ms)

    @property
    def share(self) -> float:
        """Of all prompt tokens those that came from the cache."""
        return sum(self.reused) / sum(self.prompt)


@dataclass
class Result:
    """Milliseconds, and per layout what the keys took."""

    model: str
    cold_ms: list[float]
    warm_ms: list[float]
    cancel_ms: list[float]
    layouts: dict[str, Keys]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "model": self.model,
            "cold_first_token_ms": summary(self.cold_ms),
            "warm_first_token_ms": summary(self.warm_ms),
            "cold_over_warm": round(statistics.median(self.cold_ms) / statistics.median(self.warm_ms), 2),
            "cancel_to_done_ms": summary(self.cancel_ms),
            "layouts": {
                name: {
                    "cached_token_share": round(keys.share, 4),
                    "prompt_tokens_mean": round(statistics.fmean(keys.prompt), 1),
                    "evaluated_per_key_mean": round(
                        statistics.fmean(all - old for all, old in zip(keys.prompt, keys.reused, strict=True)), 1
                    ),
                    "first_token_ms": summary(keys.first_ms),
                }
                for name, keys in self.layouts.items()
            },
        }


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    return {
        "p50": round(statistics.median(values), 2),
        "p95": round(percentile(values, 0.95), 2),
        "count": len(values),
    }


def report(result: Result) -> str:
    """The table."""
    cold, warm = statistics.median(result.cold_ms), statistics.median(result.warm_ms)
    lines = [
        f"First token, about 600 tokens of prompt: cold {cold:.1f} ms, one key later {warm:.1f} ms "
        f"({cold / warm:.1f} times; medians of {len(result.cold_ms)} pairs)",
        f"From a cancel to its done: {statistics.median(result.cancel_ms):.1f} ms "
        f"(p95 {percentile(result.cancel_ms, 0.95):.1f})",
        "",
        f"{'layout':<16}{'prompt':>8}{'cached':>9}{'evaluated a key':>17}{'first token p50':>17}{'p95':>8}",
    ]
    for name, keys in result.layouts.items():
        evaluated = statistics.fmean(all - old for all, old in zip(keys.prompt, keys.reused, strict=True))
        lines.append(
            f"{name:<16}{statistics.fmean(keys.prompt):>8.0f}{keys.share:>9.1%}{evaluated:>17.1f}"
            f"{statistics.median(keys.first_ms):>14.1f} ms{percentile(keys.first_ms, 0.95):>8.1f}"
        )
    return "\n".join(lines)


async def measure(python: Path, train_python: Path, plan: Plan, text: str) -> Result:
    """Start a worker with vLLM and the starter, and ask it; `text` is what is typed. Raises BenchError."""
    with unpacked_starter(train_python) as model, tempfile.TemporaryDirectory(prefix="ft-") as folder:
        arguments = ["--engine", "vllm", "--model", str(model), "--listen", f"unix:{folder}/worker.sock"]
        async with (
            program(python, "gpu_worker", arguments, Path(folder) / "worker.log", ENVIRONMENT) as address,
            connected(address) as client,
        ):
            result = Result("starter, bf16", [], [], [], {name: Keys() for name in LAYOUTS})
            await _cold_and_warm(client, plan.pairs, result)
            await _keys(client, text, plan.keys, result)
            for _ in range(plan.cancels):
                seconds = await client.cancel_in_the_middle(Context(before="numbers = [1, 2, 3, "), LONG_ANSWER)
                result.cancel_ms.append(seconds * 1_000)
            return result


async def _first_ms(client: WorkerClient, context: Context) -> Done:
    return (await client.ask(context, "multi", MAX_TOKENS)).done


async def _cold_and_warm(client: WorkerClient, pairs: int, result: Result) -> None:
    for pair in range(pairs + 1):
        # The first tokens differ from pair to pair, so that nothing of another is reused.
        body = "".join(f"def scale_{pair}_{n}(value, factor):\n    return value * factor\n\n" for n in range(FUNCTIONS))
        for typed, times in (("re", result.cold_ms), ("ret", result.warm_ms)):
            context = Context(before=f"{body}def shift(value):\n    ", typed=typed, after="\n", path=f"{pair}.py")
            done = await _first_ms(client, context)
            if pair:  # the first pair warms the machine up
                times.append(done.timings.first_token_ms)


async def _keys(client: WorkerClient, text: str, keys: int, result: Result) -> None:
    start = text.index("\n", len(text) // 2) + 1
    for number, key in enumerate(typing(text, start, keys)):
        for name, layout in LAYOUTS.items():
            made = layout(text, key, WINDOW)
            # One file for each layout: none finds what another left in the cache.
            context = Context(
                before=made.before, typed=made.typed, tail=made.tail, after=made.after, path=f"{name}/typed.py"
            )
            done = await _first_ms(client, context)
            if number:
                result.layouts[name].add(done)


def write(result: Result, path: Path) -> None:
    """The figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result.to_json(), indent=1) + "\n", encoding="utf-8")
