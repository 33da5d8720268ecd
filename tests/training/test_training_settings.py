"""Configurations that say only what differs from another."""

from __future__ import annotations

from pathlib import Path

import pytest

from training import settings

WHOLE = """
seed = 1
output = "out"
[corpus]
[tokenizer]
[samples]
share = 0.5
[train]
name = "base"
width = 256
phases = [{ name = "a" }, { name = "b" }]
[export]
"""


def test_a_configuration_is_laid_over_its_base_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(WHOLE, encoding="utf-8")
    child = tmp_path / "child.toml"
    child.write_text('base = "base.toml"\n[train]\nname = "child"\nphases = [{ name = "c" }]\n', encoding="utf-8")
    loaded = settings.load(child)
    assert loaded.train == {"name": "child", "width": 256, "phases": [{"name": "c"}]}
    assert loaded.samples == {"share": 0.5}
    assert loaded.seed == 1


def test_a_base_that_is_not_there_is_named(tmp_path: Path) -> None:
    child = tmp_path / "child.toml"
    child.write_text('base = "nowhere.toml"\n', encoding="utf-8")
    with pytest.raises(SystemExit, match=r"nowhere\.toml"):
        settings.load(child)


@pytest.mark.parametrize("name", ["starter", "draft", "gpu"])
def test_every_shipped_configuration_loads_and_fits_what_its_format_needs(name: str) -> None:
    train = settings.load(Path(settings.__file__).parent / f"{name}.toml").train
    assert train["name"]
    assert all(train[size] % 32 == 0 for size in ("width", "feed_forward")), "Q4_0 takes 32 numbers at a time"
    assert train["width"] % train["heads"] == 0 == train["heads"] % train["kv_heads"]
    for phase in train["phases"]:
        assert phase["length"] <= train["context"]
        assert train["batch_tokens"] % phase["length"] == 0
    assert train["phases"][-1]["rate"] == 0.0


def test_no_two_configurations_keep_their_curve_or_their_model_in_the_same_place() -> None:
    folder = Path(settings.__file__).parent
    exports = [settings.load(folder / f"{name}.toml").export for name in ("starter", "draft", "gpu")]
    for key in ("curve", "install"):
        assert len({export[key] for export in exports}) == len(exports)
