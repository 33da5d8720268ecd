"""Runs a job in Transformers, in fp32 and then in bf16: `python in_transformers.py JOB.json RESULT.json`.

Its process has an environment of its own (scripts/setup_vllm_cpu.sh). The job and the result are described in
tests/support/parity.py. fp32 is the reference: all are scored along the greedy path of fp32.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


@torch.no_grad()
def greedy(model: Any, prompt: list[int], count: int) -> list[int]:
    """So many likeliest tokens, with the KV cache, as one generates; nothing ends it."""
    out: list[int] = []
    cache, ids = None, torch.tensor([prompt])
    while len(out) < count:
        step = model(input_ids=ids, past_key_values=cache, use_cache=True)
        cache = step.past_key_values
        out.append(int(step.logits[0, -1].float().argmax()))
        ids = torch.tensor([[out[-1]]])
    return out


@torch.no_grad()
def score(model: Any, prompt: list[int], path: list[int]) -> dict[str, list[Any]]:
    """Along a given path: the likeliest token, its lead over the second in nats, the given token's log-probability."""
    logits = model(input_ids=torch.tensor([prompt + path[:-1]])).logits[0, len(prompt) - 1 :].float()
    best = logits.topk(2, dim=-1)
    given = logits.log_softmax(dim=-1).gather(1, torch.tensor(path)[:, None])[:, 0]
    return {
        "argmax": best.indices[:, 0].tolist(),
        "margin": (best.values[:, 0] - best.values[:, 1]).tolist(),
        "logprob": given.tolist(),
    }


def main() -> None:
    """Read the job, write the result."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    plain = {"add_special_tokens": False, "split_special_tokens": True}
    result: dict[str, Any] = {
        "texts": [tokenizer(text, **plain)["input_ids"] for text in job["texts"]],
        "layouts": [tokenizer(text, add_special_tokens=False)["input_ids"] for text in job["layouts"]],
    }
    paths: list[list[int]] = []
    for name in ("float32", "bfloat16"):
        model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=getattr(torch, name)).eval()
        chosen = [greedy(model, prompt, job["tokens"]) for prompt in job["prompts"]]
        paths = paths or chosen
        result[name] = {
            "greedy": chosen,
            "path": [score(model, prompt, path) for prompt, path in zip(job["prompts"], paths, strict=True)],
            "truth": [score(model, prompt, truth) for prompt, truth in zip(job["prompts"], job["truths"], strict=True)],
        }
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
