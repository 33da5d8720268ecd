"""How many prompt tokens one more typed key costs: the anchored layout against a prompt that is joined anew.

Types through a real source file key by key, in process, with the llama engine. An editor that closes brackets by itself
is imitated: after `(` the closing `)` stands behind the cursor until it is typed over. Three layouts see the same keys:

  anchored       what Foretype sends: `before` ends where the burst began, what was typed follows the middle marker,
                 the text after the cursor is frozen, the window moves in 32-line steps
  joined         what was typed is part of the text before the cursor, in front of the text after it
  joined, moving the same, with a window of so many characters before the cursor that moves with every key
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gpu_worker.engines.base import Finished, Request
from gpu_worker.engines.llama_engine import LlamaEngine, LlamaOptions
from gpu_worker.errors import WorkerError
from wire_protocol.frames import Context

REANCHOR_CHARS = 512
WINDOW_STEP_LINES = 32
PAIRS = {"(": ")", "[": "]", "{": "}"}
GIVE_UP_MS = 60_000.0


@dataclass(frozen=True)
class Key:
    """The document at one key: where the burst began, where the cursor is, and what the editor put behind it."""

    anchor: int
    cursor: int
    tail: str


@dataclass(frozen=True)
class Window:
    """Characters of context before and after the cursor."""

    before: int
    after: int


Layout = Callable[[str, Key, Window], Context]


def typing(text: str, start: int, keys: int) -> list[Key]:
    """The keys of a person typing `text` from offset `start`, with brackets closed by the editor."""
    anchor, closers, typed = start, "", []
    for cursor in range(start + 1, min(start + keys, len(text)) + 1):
        character = text[cursor - 1]
        if closers.startswith(character):
            closers = closers[1:]
        elif character in PAIRS:
            closers = PAIRS[character] + closers
        elif character == "\n":
            closers = ""
        if cursor - anchor > REANCHOR_CHARS:
            anchor = text.rfind("\n", 0, cursor - 1) + 1
        typed.append(Key(anchor, cursor, closers))
    return typed


def anchored(text: str, key: Key, window: Window) -> Context:
    """Foretype's own layout."""
    lines = text[: key.anchor].split("\n")
    first, size = len(lines) - 1, 0
    while first > 0 and size + len(lines[first - 1]) + 1 <= window.before:
        first -= 1
        size += len(lines[first]) + 1
    first = -(-first // WINDOW_STEP_LINES) * WINDOW_STEP_LINES if first else 0
    before = "\n".join(lines[min(first, len(lines) - 1) :])
    # The text that was behind the cursor when the burst began: the file without what is being typed.
    after = text[key.anchor + REANCHOR_CHARS * 2 :][: window.after]
    return Context(before=before, typed=text[key.anchor : key.cursor], tail=key.tail, after=after, path="typed.py")


def joined(text: str, key: Key, window: Window) -> Context:
    """The same text with no anchor."""
    context = anchored(text, key, window)
    return Context(before=context.before + context.typed, after=key.tail + context.after, path="typed.py")


def moving(text: str, key: Key, window: Window) -> Context:
    """The same, and the window moves with the cursor."""
    context = joined(text, key, window)
    return Context(before=text[: key.cursor][-window.before :], after=context.after, path="typed.py")


LAYOUTS: dict[str, Layout] = {"anchored": anchored, "joined": joined, "joined, moving": moving}


@dataclass
class Result:
    """Per key: prompt tokens, of them evaluated, milliseconds to the first token."""

    prompt: list[int]
    evaluated: list[int]
    first_ms: list[float]


async def measure(engine: LlamaEngine, request: Request, result: Result, *, cold: bool) -> None:
    """Ask for one completion; a cold prompt is not counted."""
    async for event in engine.generate(request):
        if isinstance(event, Finished) and not cold:
            result.prompt.append(event.usage.prompt_tokens)
            result.evaluated.append(event.usage.prompt_tokens - event.usage.reused_tokens)
            result.first_ms.append(event.timings.first_token_ms)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(results: dict[str, Result]) -> str:
    """One row a layout."""
    head = f"{'layout':<16}{'prompt':>8}{'evaluated per key':>34}{'first token, ms':>26}"
    under = f"{'':<16}{'mean':>8}{'mean':>10}{'p50':>8}{'p95':>8}{'max':>8}{'p50':>10}{'p95':>8}{'mean':>8}"
    rows = []
    for name, result in results.items():
        rows.append(
            f"{name:<16}{statistics.fmean(result.prompt):>8.0f}{statistics.fmean(result.evaluated):>10.2f}"
            f"{percentile(result.evaluated, 0.5):>8}{percentile(result.evaluated, 0.95):>8}"
            f"{max(result.evaluated):>8}{percentile(result.first_ms, 0.5):>10.2f}"
            f"{percentile(result.first_ms, 0.95):>8.2f}{statistics.fmean(result.first_ms):>8.2f}"
        )
    return "\n".join([head, under, *rows])


async def run(options: argparse.Namespace) -> dict[str, Result]:
    """All layouts, each with an engine of its own; they take turns at every key, so that all see the same machine."""
    text = options.file.read_text("utf-8").replace("\r\n", "\n")
    line_starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
    start = line_starts[min(options.line, len(line_starts) - 1)]
    window = Window(options.before, options.after)
    settings = LlamaOptions(options.model, parallel=1, spare=1, threads=options.threads)
    engines = {name: LlamaEngine(settings) for name in LAYOUTS}
    results = {name: Result([], [], []) for name in LAYOUTS}
    try:
        for engine in engines.values():
            await engine.start()
        for number, key in enumerate(typing(text, start, options.keys)):
            for name, layout in LAYOUTS.items():
                context = layout(text, key, window)
                request = Request(key=number, context=context, doc="doc", max_tokens=8, give_up_ms=GIVE_UP_MS)
                await measure(engines[name], request, results[name], cold=number == 0)
    finally:
        for engine in engines.values():
            await engine.close()
    return results


def main() -> int:
    """Print the table; exit code 1 if the anchored layout evaluates more than 8 tokens for a key within a burst."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="starter", help="starter, or a GGUF file (default: %(default)s)")
    parser.add_argument(
        "--file", type=Path, default=Path(argparse.__file__), help="what is typed (default: argparse.py)"
    )
    parser.add_argument("--line", type=int, default=400, help="the line where typing begins (default: %(default)s)")
    parser.add_argument("--keys", type=int, default=250, help="how many keys (default: %(default)s)")
    parser.add_argument("--before", type=int, default=3_000, help="characters before the cursor (default: %(default)s)")
    parser.add_argument("--after", type=int, default=1_000, help="characters after it (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="decode threads (default: by model)")
    options = parser.parse_args()
    try:
        results = asyncio.run(run(options))
    except (WorkerError, OSError, UnicodeDecodeError) as error:
        print(f"kv_reuse: {error}", file=sys.stderr)
        return 2
    print(f"{options.keys} keys of {options.file.name} from line {options.line}, model {options.model}")
    print(table(results))
    ours = results["anchored"]
    for name in ("joined", "joined, moving"):
        other = results[name]
        tokens = statistics.fmean(other.evaluated) / statistics.fmean(ours.evaluated)
        first = percentile(other.first_ms, 0.5) / percentile(ours.first_ms, 0.5)
        print(f"{name}: {tokens:.0f} times the tokens evaluated, {first:.1f} times the first token (medians)")
    return 0 if percentile(ours.evaluated, 0.95) <= 8 else 1


if __name__ == "__main__":
    sys.exit(main())
