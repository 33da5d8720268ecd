"""Draws a run's curve: training and validation loss, and the learning rate's factor, by tokens seen.

python -m training.plot_curve [--config FILE] [--curve CSV] [--out PNG]
"""

from __future__ import annotations

import csv
from pathlib import Path

from training import settings


def column(lines: list[dict[str, str]], name: str) -> tuple[list[float], list[float]]:
    """Millions of tokens and the column's values, where it has one."""
    known = [line for line in lines if line[name]]
    return [int(line["tokens"]) / 1e6 for line in known], [float(line[name]) for line in known]


def draw(curve: Path, out: Path, title: str) -> None:
    """Write the picture.

    Raises:
        SystemExit: there is no curve, or matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit("matplotlib draws the curve and is not installed: run this with .venv/bin/python.") from None
    if not curve.exists():
        raise SystemExit(f"No curve at {curve}: run `python -m training.train` first.")
    with curve.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    figure = Figure(figsize=(8, 4), layout="constrained")
    losses = figure.add_subplot()
    for name, label, style in (
        ("text_loss", "training, text", "-"),
        ("middle_loss", "training, suggestion", "-"),
        ("validation_text", "held out, text", "o--"),
        ("validation_middle", "held out, suggestion", "s--"),
    ):
        losses.plot(*column(lines, name), style, label=label, markersize=4, linewidth=1)
    losses.set_xlabel("million tokens")
    losses.set_ylabel("nats a token")
    losses.set_title(title)
    losses.legend(loc="upper right", fontsize="small")
    rates = losses.twinx()
    rates.plot(*column(lines, "rate"), ":", color="grey", linewidth=1)
    rates.set_ylabel("learning rate, share of the greatest (dotted)")
    rates.set_ylim(0)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)
    print(out)


def main() -> None:
    """Draw the curve of the configuration's installed model, or of a run in progress."""
    parser = settings.arguments("Draw a run's curve.")
    parser.add_argument("--curve", type=Path, help="default: the kept curve (export.curve)")
    parser.add_argument("--out", type=Path, help="default: beside the curve, .png")
    options = parser.parse_args()
    config = settings.load(options.config)
    curve = options.curve or config.path(config.export["curve"])
    draw(curve, options.out or curve.with_suffix(".png"), f"{config.train['name']}: {config.train['width']} wide")


if __name__ == "__main__":
    main()
