"""The catalogue: complete, consistent, and judged honestly for a machine."""

from __future__ import annotations

import re

import pytest

from gpu_worker import models as worker_models
from gpu_worker.engines import llama_engine
from lsp_server.models import catalogue, listing, memory
from lsp_server.models.memory import GIB, Machine, Shape, estimate, need_bytes
from lsp_server.models.names import is_name

LAPTOP = Machine(8 * GIB, 8)
OLD = Machine(2 * GIB, 2)


def test_the_models_of_the_issue_are_there_from_half_a_billion_to_seven() -> None:
    names = {entry.name for entry in catalogue.load().models}
    wanted = {f"qwen2.5-coder-{size}" for size in ("0.5b", "1.5b", "3b", "7b")}
    wanted |= {"starcoder2-3b", "starcoder2-7b", "deepseek-coder-1.3b", "deepseek-coder-6.7b", "codegemma-2b"}
    assert wanted | {"codestral-22b"} <= names


def test_every_entry_has_a_licence_a_repository_and_no_made_up_checksum() -> None:
    known = catalogue.load()
    for entry in known.models:
        assert known.licence_of(entry).url.startswith("https://")
        assert is_name(entry.name)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", entry.repo)
        assert entry.in_range == (entry.parameters < 8)
        assert (entry.sha256 is None) == (entry.revision is None)  # a checksum only with the commit it belongs to
        assert entry.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", entry.sha256)


@pytest.mark.parametrize(
    ("name", "restricts"),
    [
        ("qwen2.5-coder-1.5b", False),
        ("qwen2.5-coder-3b", True),
        ("codegemma-2b", True),
        ("codestral-22b", True),
        ("starcoder2-3b", True),
        ("deepseek-coder-1.3b", True),
        ("granite-3b-code", False),
    ],
)
def test_licences_that_restrict_use_are_marked(name: str, restricts: bool) -> None:
    known = catalogue.load()
    entry = known.find(name.upper())
    assert entry is not None
    assert known.licence_of(entry).restricts == restricts


def test_memory_is_counted_as_the_worker_counts_it() -> None:
    shape = Shape(file_bytes=10**9, parameters=1.5e9, layers=28, kv_width=256, context_tokens=32_768)
    tokens = memory.LOCAL_CONTEXT * (memory.LOCAL_PARALLEL + llama_engine.SPARE_SEQUENCES)
    cache = worker_models.kv_bytes(layers=28, kv_width=256, tokens=tokens)
    assert need_bytes(shape) == 10**9 + cache + worker_models.COMPUTE_BYTES


def test_a_model_trained_with_less_context_gets_less() -> None:
    assert memory.context_for(1_024) == 1_024
    assert memory.context_for(0) == memory.context_for(10**6) == memory.LOCAL_CONTEXT


def test_estimates_reproduce_the_measurement_they_come_from() -> None:
    assert memory.prefill_ms(50e6, threads=2) == pytest.approx(283, rel=0.05)
    assert memory.prefill_ms(33e6, threads=2) == pytest.approx(188, rel=0.05)
    assert memory.step_ms(32_600_000) == pytest.approx(1_000 / 630, rel=0.05)


@pytest.mark.parametrize("size", [2**20, 200 * 2**20, 201 * 2**20, 2**33])
@pytest.mark.parametrize("cores", [1, 2, 8, 64])
def test_threads_are_counted_as_the_worker_counts_them(size: int, cores: int) -> None:
    assert memory.threads_for(size, cores) == llama_engine.thread_count(size, 0, cores)


def test_what_does_not_fit_in_memory_is_said_first() -> None:
    entry = catalogue.load().find("qwen2.5-coder-7b")
    assert entry is not None
    assert estimate(entry.shape, OLD).verdict == "does not fit in memory"
    assert "needs about 5" in (memory.too_large("big", entry.shape, OLD) or "")
    assert memory.too_large("big", entry.shape, Machine(None, 2)) is None


def test_no_large_model_is_said_to_keep_the_promise_on_a_cpu() -> None:
    for entry in catalogue.load().models:
        made = estimate(entry.shape, Machine(64 * GIB, 64))
        assert entry.parameters < 1 or made.verdict != "within 200 ms"
        assert entry.parameters < 1 or made.line_ms > memory.PROMISE_MS


def test_the_recommendation_depends_on_the_machine_and_is_free_of_restrictions() -> None:
    known = catalogue.load()
    assert "qwen2.5-coder-1.5b" in listing.recommendation(known, LAPTOP)
    assert "qwen2.5-coder-0.5b" in listing.recommendation(known, OLD)
    assert "GPU" in listing.recommendation(known, Machine(GIB // 8, 1))
    assert "starter (about 71 ms after" in listing.recommendation(known, LAPTOP, Shape(5_000_000, 6.2e6))


def test_the_list_marks_what_is_in_use_and_what_restricts() -> None:
    installed = [
        listing.Installed("starter", 2**20, "Apache-2.0", "/s.gguf", True),
        listing.Installed("x", 0, "", "", False),
    ]
    lines = list(listing.here(installed, [("half", 3 * 2**20)], "/store"))
    assert lines[1].split() == ["*", "starter", "1.0", "MiB", "Apache-2.0", "/s.gguf"]
    assert "missing" in lines[2]
    assert "half  interrupted at 3.0 MiB" in lines[3]
    table = "\n".join(listing.catalogue_lines(catalogue.load(), LAPTOP, frozenset({"starcoder2-3b"})))
    assert re.search(r"\+ starcoder2-3b .* BigCode OpenRAIL-M v1 \(!\)", table)
    assert re.search(r"codestral-22b .* outside 0.5B to 7B", table)
