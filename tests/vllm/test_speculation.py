"""Speculative decoding in the real vLLM: the text is the same as without."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from vllm_asking import ask

from gpu_worker.engines.vllm_engine import VllmEngine
from wire_protocol.frames import Context

from .conftest import options

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

PROMPTS = 24
TOKENS = 32


def contexts() -> list[Context]:
    """Committed cursors of the parity tests."""
    items = json.loads((Path(__file__).parents[1] / "parity" / "prompts.json").read_text(encoding="utf-8"))[:PROMPTS]
    return [
        Context(before=item["before"], typed=item["typed"], after=item["after"], path=item["path"]) for item in items
    ]


async def answers(engine: VllmEngine) -> list[str]:
    return [(await ask(engine, context, max_tokens=TOKENS)).text for context in contexts()]


def counted(engine: VllmEngine, name: str) -> float:
    found = re.search(rf"^vllm:spec_decode_num_{name}_total\{{.*\}} (\S+)$", engine.prometheus().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.fixture(scope="module")
def plain_answers() -> list[str]:
    """What the engine without speculation said, once it was asked."""
    return []


@pytest.mark.parametrize("method", ["draft_model", "ngram"])
async def test_speculation_gives_identical_greedy_text(
    engine: VllmEngine, plain_answers: list[str], starter: Path, draft: Path, method: str
) -> None:
    """The draft model is the starter's first three layers: often right, often wrong."""
    if not plain_answers:
        plain_answers += await answers(engine)
    speculative: dict[str, Any] = {"method": method, "num_speculative_tokens": 3}
    speculative |= {"model": str(draft)} if method == "draft_model" else {"prompt_lookup_max": 4}
    guessing = VllmEngine(options(starter, speculative_config=speculative))
    await guessing.start()
    try:
        texts = await answers(guessing)
        drafted, accepted = counted(guessing, "draft_tokens"), counted(guessing, "accepted_tokens")
    finally:
        await guessing.close()
    assert texts == plain_answers
    assert sum(map(len, texts)) > 500
    assert 0 < accepted < drafted
