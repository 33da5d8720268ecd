"""The curve's picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from training import plot_curve, settings

CONFIG = settings.load()


def test_the_kept_curve_can_be_drawn(tmp_path: Path) -> None:
    out = tmp_path / "curve.png"
    plot_curve.draw(CONFIG.path(CONFIG.export["curve"]), out, "starter")
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_run_without_a_curve_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="No curve"):
        plot_curve.draw(tmp_path / "curve.csv", tmp_path / "curve.png", "starter")
