"""Runs a job in the real vLLM on the CPU, in one type: `python in_vllm.py JOB.json RESULT.json float32|bfloat16`.

Its process has an environment of its own (scripts/setup_vllm_cpu.sh). The job and the result are described in
tests/support/parity.py; this job also has `paths`, the greedy tokens of the reference.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

# No model hub is asked, nothing is reported to anybody; one GiB of KV cache is many times what is needed.
os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}
# The engine in this process: one start instead of two.
os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")

from vllm import LLM, SamplingParams, TokensPrompt

AT_ONCE = 16


def follow(llm: LLM, prompts: list[list[int]], paths: list[list[int]]) -> list[dict[str, list[Any]]]:
    """Along given paths: the likeliest token, and the given token's log-probability."""
    whole = [TokensPrompt(prompt_token_ids=prompt + path) for prompt, path in zip(prompts, paths, strict=True)]
    wanted = SamplingParams(temperature=0, max_tokens=1, prompt_logprobs=1, detokenize=False)
    results = []
    for output, prompt, path in zip(llm.generate(whole, wanted, use_tqdm=False), prompts, paths, strict=True):
        rows = output.prompt_logprobs[len(prompt) :]
        results.append(
            {
                "argmax": [next(token for token, item in row.items() if item.rank == 1) for row in rows],
                "logprob": [row[token].logprob for row, token in zip(rows, path, strict=True)],
            }
        )
    return results


def main() -> None:
    """Read the job, write the result."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    llm = LLM(
        model=job["model"],
        dtype=sys.argv[3],
        max_model_len=job["context"],
        max_num_seqs=AT_ONCE,
        enforce_eager=True,
        seed=0,
    )
    greedily = SamplingParams(temperature=0, max_tokens=job["tokens"], ignore_eos=True, detokenize=False)
    prompts = [TokensPrompt(prompt_token_ids=prompt) for prompt in job["prompts"]]
    chosen = [list(output.outputs[0].token_ids) for output in llm.generate(prompts, greedily, use_tqdm=False)]
    tokenizer = llm.get_tokenizer()
    plain = {"add_special_tokens": False, "split_special_tokens": True}
    result = {
        "texts": [tokenizer(text, **plain)["input_ids"] for text in job["texts"]],
        "layouts": [tokenizer(text, add_special_tokens=False)["input_ids"] for text in job["layouts"]],
        "greedy": chosen,
        "path": follow(llm, job["prompts"], job["paths"]),
        "truth": follow(llm, job["prompts"], job["truths"]),
    }
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
