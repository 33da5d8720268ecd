"""`python -m benchmarks.worker`: the worker's engines under measure."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from benchmarks.errors import BenchError
from benchmarks.worker import vllm
from benchmarks.worker.processes import REPOSITORY


def main() -> int:
    """Print the tables; exit code 1 if a stated bound is missed, 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="a minute instead of several")
    parser.add_argument("--vllm-python", type=Path, default=REPOSITORY / ".venv-vllm" / "bin" / "python")
    parser.add_argument("--train-python", type=Path, default=REPOSITORY / ".venv-train" / "bin" / "python")
    parser.add_argument("--file", type=Path, default=Path(argparse.__file__), help="what is typed")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "benchmarks" / "output" / "worker_vllm.json")
    options = parser.parse_args()
    plan = vllm.FAST if options.fast else vllm.FULL
    try:
        result = asyncio.run(
            vllm.measure(options.vllm_python, options.train_python, plan, options.file.read_text("utf-8"))
        )
    except (BenchError, OSError, UnicodeDecodeError) as error:
        print(f"bench-worker: {error}", file=sys.stderr)
        return 2
    vllm.write(result, options.out)
    print("vLLM on this CPU, the starter in bf16\n")
    print(vllm.report(result))
    return 0 if result.layouts["anchored"].share >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
