"""One figure: the calibration curve of every model, and exact match by language. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.errors import BenchError
from benchmarks.quality import calibration
from benchmarks.quality.asking import Result
from benchmarks.quality.measures import BREAKDOWNS, MEASURES, grouped

SIZE_INCHES: Final = (13.0, 5.2)
DOTS_PER_INCH: Final = 150
MISSING: Final = "matplotlib is not installed, so there is no plot: pip install matplotlib, and run the bench again."


def available() -> bool:
    """Whether a plot can be drawn here."""
    try:
        import matplotlib  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ImportError:
        return False
    return True


def draw(results: Sequence[Result], path: Path) -> None:
    """Write the figure as its name's ending says (png, svg, pdf). Raises BenchError if that cannot be."""
    try:
        from matplotlib.backends.backend_agg import (  # type: ignore[import-not-found,unused-ignore]
            FigureCanvasAgg,
        )
        from matplotlib.figure import Figure  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise BenchError(MISSING) from None
    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    curve, languages = figure.subplots(1, 2)
    _curve(curve, results)
    _languages(languages, results)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=DOTS_PER_INCH)
    except (OSError, ValueError) as error:
        raise BenchError(f"The plot cannot be written to {path}: {error}.") from None


def _curve(axes: Any, results: Sequence[Result]) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--", linewidth=1, label="as sure as right")
    for result in results:
        bins = calibration.bins(calibration.samples(result.judged.get("single", [])))
        if not bins:
            continue
        values = [one.exact.value for one in bins]
        spread = [
            [one.exact.value - one.exact.low for one in bins],
            [one.exact.high - one.exact.value for one in bins],
        ]
        axes.errorbar(
            [one.confidence for one in bins],
            values,
            yerr=spread,
            marker="o",
            markersize=3,
            capsize=2,
            label=result.label,
        )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="exp(mean log-probability)", ylabel="share exactly right")
    axes.set_title("Calibration, rest of a line")
    axes.legend(frameon=False)


def _languages(axes: Any, results: Sequence[Result]) -> None:
    parts = [grouped(result.judged.get("single", []), BREAKDOWNS["language"]) for result in results]
    names = sorted(parts[0], key=lambda name: -len(parts[0][name]))
    height = 0.8 / len(results)
    for number, (result, part) in enumerate(zip(results, parts, strict=True)):
        found = [MEASURES["exact match"](part[name]) for name in names]
        axes.barh(
            [at + (number + 0.5) * height - 0.4 for at in range(len(names))],
            [one.value for one in found],
            height,
            xerr=[[one.value - one.low for one in found], [one.high - one.value for one in found]],
            error_kw={"linewidth": 0.8},
            label=result.label,
        )
    axes.set_yticks(range(len(names)), [f"{name} ({len(parts[0][name])})" for name in names])
    axes.invert_yaxis()
    axes.set(xlabel="exact match, rest of a line")
    axes.set_title("By language, 95 % intervals")
    axes.legend(frameon=False)
