"""The pure parts of the GPU bench: who types what, what it amounts to, phases, shapes, settings."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from benchmarks.gpu import shapes
from benchmarks.gpu.ours import toml
from benchmarks.gpu.phases import phases
from benchmarks.gpu.score import Outcome, level, most_typists
from benchmarks.gpu.typists import QUIET_S, script

TEXT = "".join(f"def scale_{number}(value, factor):\n    return value * factor\n\n\n" for number in range(200))


def outcome(first_ms: float, reason: str = "length", sent: float = 5.0, tokens: int = 11) -> Outcome:
    first = sent + first_ms / 1_000 if first_ms else 0.0
    return Outcome(sent, first, first + 0.1 if first else sent + 0.1, tokens if first else 0, reason)


def test_a_script_is_the_same_every_time_and_no_two_typists_have_the_same() -> None:
    assert script(3, [TEXT], 10.0, "anchored") == script(3, [TEXT], 10.0, "anchored")
    one, two = (script(number, [TEXT], 10.0, "anchored") for number in (1, 2))
    assert [moment.at for moment in one] != [moment.at for moment in two]
    assert one[0].context.path != two[0].context.path


def test_requests_come_in_order_after_the_quiet_time_and_within_the_seconds() -> None:
    moments = script(0, [TEXT], 10.0, "anchored")
    times = [moment.at for moment in moments]
    assert len(times) > 10
    assert times == sorted(times)
    assert times[0] - QUIET_S >= 0
    assert times[-1] <= 10.0 + QUIET_S


def test_within_a_burst_only_what_was_typed_changes() -> None:
    moments = script(0, [TEXT], 10.0, "anchored")
    assert len({(moment.context.before, moment.context.after) for moment in moments}) == 1
    assert len({moment.context.typed for moment in moments}) == len(moments)


def test_a_level_counts_what_came_within_the_objective() -> None:
    outcomes = [
        outcome(50),
        outcome(100),
        outcome(300),
        outcome(0, "cancelled"),
        outcome(0, "shed"),
        outcome(0, "error"),
    ]
    row = level(4, 12.5, outcomes, dollars_per_hour=3.6)
    assert (row["requests"], row["answered"], row["replaced"], row["shed"], row["failed"]) == (6, 3, 1, 1, 1)
    assert row["goodput_per_s"] == 0.2  # two in ten seconds
    assert row["first_token_ms"]["p50"] == pytest.approx(100.0)
    assert row["tokens_per_s_per_request"] == pytest.approx(100.0)
    assert row["dollars_per_completion"] == pytest.approx(0.001 / 0.3, rel=1e-4)


def test_the_warm_up_is_not_counted() -> None:
    assert level(1, 10.0, [outcome(50, sent=1.9), outcome(50, sent=2.1)], 1.0)["requests"] == 1


def test_the_most_typists_are_those_up_to_the_first_level_that_misses() -> None:
    levels = [
        {"typists": typists, "first_token_ms": {"p95": p95}, "failed": 0}
        for typists, p95 in ((8, 150.0), (1, 50.0), (32, 250.0), (64, 190.0))
    ]
    assert most_typists(levels) == 8
    assert most_typists([]) == 0


def test_each_phase_has_all_of_those_before_it() -> None:
    made = phases("fp8")
    assert len(made) == 8
    last = made[-1]
    assert last.layout == "anchored"
    assert last.arguments["quantization"] == "fp8"
    assert last.arguments["scheduling_policy"] == "priority"
    assert last.arguments["enable_prefix_caching"] is True
    assert last.arguments["enforce_eager"] is False
    assert not any("quantization" in phase.arguments for phase in phases(""))


def test_a_shape_has_a_text_for_every_token_and_no_prompt_has_the_made_up_ones(tmp_path: Path) -> None:
    folder = shapes.write("tiny", tmp_path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    ours = Tokenizer.from_file(str(folder / "tokenizer.json"))
    shipped = Tokenizer.from_file(str(shapes.TOKENIZER))
    assert ours.get_vocab_size() == config["vocab_size"]
    assert ours.decode([config["vocab_size"] - 1]).strip()
    assert ours.encode(TEXT).ids == shipped.encode(TEXT).ids


def test_engine_arguments_survive_the_settings_file() -> None:
    arguments = {
        "a": True,
        "b": 3,
        "c": "fp8",
        "d": {"method": "ngram", "n": 4},
        "e": 0.9,
    }
    text = "\n".join(f"{key} = {toml(value)}" for key, value in arguments.items())
    assert tomllib.loads(text) == arguments
