"""The starter in every engine: unpacked from the shipped file, and its original weights where it was trained."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as llama
import numpy as np
import parity
import pytest

from training import settings, unpack
from training import tokenizer as vocabulary
from training.runner import Runner

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINES = Path(__file__).with_name("engines")
CONFIG = settings.load()
NAME = CONFIG.train["name"]
TOKENIZER_PATH = CONFIG.path(CONFIG.tokenizer["file"])
SHIPPED = CONFIG.path(CONFIG.export["install"]) / f"{NAME}-q4_0.gguf"
EXPORT = Path(os.environ.get("FORETYPE_EXPORT", CONFIG.output / "export" / CONFIG.train["name"]))
"""A folder that `python -m training.export` wrote; its fp32 weights are tested too, if it is there."""
PYTHON = Path(os.environ.get("FORETYPE_VLLM_PYTHON", REPOSITORY / ".venv-vllm" / "bin" / "python"))
"""Of the environment with vLLM and Transformers."""
ENGINE_SECONDS = 900
"""vLLM alone starts in half a minute, and in several beside a training run."""
CONTEXT = 1024
MARKED = "print('<|endoftext|><|fim_middle|>')  # <|file_sep|>\n"
ODD_TEXTS = (
    "\n",
    " " * 100 + "x",
    "\tif x:\n\t\treturn\t1234567890.5e-10\n\n\n",
    "x = 'naïve café — “quoted” … 漢字 кириллица 👩‍👩‍👧 e\u0301 \u00e9'\r\n",
    "a\u00a0b\u2028c\u3000d\x0be\x0cf",
    MARKED,
)


@dataclass(frozen=True)
class Weights:
    """One set of numbers in all forms. `int4` holds them after quantisation: with `lossless`, the very same numbers."""

    name: str
    safetensors: Path
    f32: Path
    f16: Path
    int4: Path
    lossless: bool


@dataclass(frozen=True)
class Case:
    """One cursor: the prompt's text in the worker's layout, its parts' token ids joined, and what was written there."""

    layout: str
    prompt: list[int]
    truth: list[int]
    texts: tuple[str, ...]


def has_export() -> bool:
    return (EXPORT / "safetensors" / "model.safetensors").exists()


@pytest.fixture(scope="session", params=["shipped", *(["trained"] if has_export() else [])])
def weights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """`shipped`: what the INT4 file says, in wider types. `trained`: the weights it was made from."""
    if request.param == "trained":
        files = (EXPORT / f"{NAME}-{kind}.gguf" for kind in ("f32", "f16", "q4_0"))
        return Weights("trained", EXPORT / "safetensors", *files, lossless=False)
    folder = tmp_path_factory.mktemp("unpacked")
    unpack.write(SHIPPED, TOKENIZER_PATH, folder)
    return Weights("shipped", folder / "safetensors", folder / "f32.gguf", folder / "f16.gguf", SHIPPED, lossless=True)


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    """The 50 committed cursors in the worker's layout, each part tokenised on its own."""
    tokenizer = vocabulary.load(TOKENIZER_PATH)

    def ids(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)

    found = []
    for item in json.loads(Path(__file__).with_name("prompts.json").read_text(encoding="utf-8")):
        parts = (
            (vocabulary.FILE_SEPARATOR, item["path"] + "\n"),
            (vocabulary.FIM_PREFIX, item["before"]),
            (vocabulary.FIM_SUFFIX, item["after"]),
            (vocabulary.FIM_MIDDLE, item["typed"]),
        )
        prompt = [token for name, text in parts for token in (vocabulary.token_id(tokenizer, name), *ids(text))]
        texts = tuple(text for _, text in parts)
        found.append(
            Case("".join(name + text for name, text in parts), prompt, ids(item["truth"])[: parity.TOKENS], texts)
        )
    return found


def run_engine(script: str, job: dict[str, Any], folder: Path, *arguments: str) -> dict[str, Any]:
    """A job in a process of the other environment."""
    if not PYTHON.exists():
        pytest.fail(f"There is no vLLM at {PYTHON}: make it with scripts/setup_vllm_cpu.sh .venv-vllm", pytrace=False)
    asked, answered = folder / "job.json", folder / "result.json"
    asked.write_text(json.dumps(job), encoding="utf-8")
    # One thread: two wait for each other at every operation, which beside another program is most of the time.
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    command = [str(PYTHON), str(ENGINES / script), str(asked), str(answered), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=ENGINE_SECONDS, check=False)
    if done.returncode:
        pytest.fail(f"{script} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}", pytrace=False)
    result: dict[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
    return result


def unmarked(cases: list[Case]) -> list[Case]:
    """Those whose parts do not themselves have a marker written in them, as some of this repository's files do."""
    return [case for case in cases if not any(marker in text for marker in vocabulary.SPECIAL for text in case.texts)]


@pytest.fixture(scope="session")
def whole_prompts(cases: list[Case]) -> list[list[int]]:
    """The token ids that belong to the job's `layouts`."""
    return [case.prompt for case in unmarked(cases)]


@pytest.fixture(scope="session")
def job(weights: Weights, cases: list[Case]) -> dict[str, Any]:
    """The same for every engine; see tests/support/parity.py."""
    return {
        "model": str(weights.safetensors),
        "context": CONTEXT,
        "tokens": parity.TOKENS,
        "prompts": [case.prompt for case in cases],
        "truths": [case.truth for case in cases],
        "texts": [*(text for case in cases for text in case.texts), *ODD_TEXTS],
        "layouts": [case.layout for case in unmarked(cases)],
    }


@pytest.fixture(scope="session")
def transformers(job: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Transformers' answers; its fp32 is the reference of all."""
    return run_engine("in_transformers.py", job, tmp_path_factory.mktemp("transformers"))


@pytest.fixture(scope="session")
def reference(transformers: dict[str, Any]) -> parity.Result:
    """Transformers in fp32."""
    result: parity.Result = transformers["float32"]
    return result


@pytest.fixture(scope="session")
def vllm_fp32(
    job: dict[str, Any], reference: parity.Result, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The real vLLM in fp32."""
    whole = {**job, "paths": reference["greedy"]}
    return run_engine("in_vllm.py", whole, tmp_path_factory.mktemp("vllm"), "float32")


@pytest.fixture(scope="session")
def vllm_bf16(
    job: dict[str, Any], reference: parity.Result, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The real vLLM in bf16."""
    whole = {**job, "paths": reference["greedy"]}
    return run_engine("in_vllm.py", whole, tmp_path_factory.mktemp("vllm"), "bfloat16")


class InLlamaCpp:
    """One GGUF file in llama.cpp."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def result(self, cases: list[Case], reference: parity.Result) -> parity.Result:
        """The whole job."""
        return {
            "greedy": [self._runner.greedy(case.prompt, parity.TOKENS) for case in cases],
            "path": [self._follow(case.prompt, path) for case, path in zip(cases, reference["greedy"], strict=True)],
            "truth": [self._follow(case.prompt, case.truth) for case in cases],
        }

    def _follow(self, prompt: list[int], path: list[int]) -> parity.Scores:
        self._runner.forget()
        logits = self._runner.feed([*prompt, *path[:-1]], wanted=len(path)).astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        given = logits[np.arange(len(path)), path] - np.log(np.exp(logits).sum(axis=1))
        return {"argmax": logits.argmax(axis=1).tolist(), "logprob": given.tolist()}

    def tokenize(self, text: str, *, markers: bool) -> list[int]:
        """llama.cpp's own ids; with `markers` it reads control tokens in the text."""
        data = text.encode()
        buffer = (llama.llama_token * (len(data) + 8))()
        count = llama.llama_tokenize(self._runner.vocab, data, len(data), buffer, len(buffer), False, markers)
        return list(buffer[:count])


@pytest.fixture(scope="session")
def in_llama_cpp(weights: Weights, cases: list[Case], reference: parity.Result) -> dict[str, parity.Result]:
    """llama.cpp's answers in f32, f16 and INT4."""
    results = {}
    for kind, path in (("f32", weights.f32), ("f16", weights.f16), ("INT4", weights.int4)):
        with Runner(path, context=CONTEXT) as runner:
            results[kind] = InLlamaCpp(runner).result(cases, reference)
    return results


@pytest.fixture(scope="session")
def llama_tokenizer(weights: Weights) -> Iterator[InLlamaCpp]:
    """llama.cpp with the INT4 file, to tokenise."""
    with Runner(weights.int4, context=CONTEXT) as runner:
        yield InLlamaCpp(runner)


LINES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, whether the tests pass or not."""
    if lines := config.stash.get(LINES, []):
        terminalreporter.section("engine parity, against Transformers fp32")
        for line in (parity.HEADING, *lines):
            terminalreporter.write_line(line)


@pytest.fixture
def report(request: pytest.FixtureRequest, weights: Weights, reference: parity.Result) -> Any:
    """Adds a line to the table that is printed at the end."""

    def add(engine: str, other: parity.Result) -> None:
        request.config.stash[LINES].append(parity.row(weights.name, engine, reference, other))

    return add
