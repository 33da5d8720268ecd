"""The operator's tables in the settings file."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_proxy.config import load
from edge_proxy.errors import StartError

WORKERS = 'workers = ["ws://a:1", "ws://b:1"]\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "proxy.toml"
    file.write_text(WORKERS + text)
    return file


def test_prices_traces_and_the_token_are_taken(tmp_path: Path) -> None:
    text = (
        'operator_token_file = "op.txt"\nlog_format = "json"\nlog_requests = true\n[metrics]\ntenants = 5\n'
        '[cost]\nusd_per_hour = 2.5\n[cost.workers]\n"ws://b:1" = 9.8\n'
        '[tracing]\nendpoint = "http://c:4318/v1/traces"\nratio = 0.5\n'
    )
    config = load(written(tmp_path, text), {})
    assert config.operator_token_file == tmp_path / "op.txt"
    assert (config.log_format, config.log_requests, config.metrics.tenants) == ("json", True, 5)
    assert (config.cost.of("ws://a:1"), config.cost.of("ws://b:1")) == (2.5, 9.8)
    assert (config.tracing.endpoint, config.tracing.ratio) == ("http://c:4318/v1/traces", 0.5)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[cost]\nusd_per_hour = -1\n", ["proxy.toml", "usd_per_hour", "0"]),
        ("[cost]\nusd = 1\n", ["proxy.toml", "line 3", "cost.usd: unknown key"]),
        ("[tracing]\nratio = 2\n", ["ratio", "1"]),
        ('log_format = "xml"\n', ["log_format"]),
        ("[metrics]\ntenants = 100000\n", ["tenants", "1000"]),
    ],
)
def test_a_mistake_is_a_sentence_with_its_place(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(StartError) as refused:
        load(written(tmp_path, text), {})
    for part in parts:
        assert part in str(refused.value)
