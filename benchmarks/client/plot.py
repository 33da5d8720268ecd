"""The figure: served keys, characters saved and waits, by scene and client."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

MISSING: Final = "No plot: matplotlib is not installed (pip install matplotlib)."
FILLED: Final = 0.8
"""Of a scene's place on the axis; the rest is the gap to the next."""
SHOWN: Final = {
    "served_keys": "keys with right ghost text within 100 ms",
    "wrong_keys": "keys with wrong ghost text",
    "saved": "characters saved, share",
    "pause_p50_ms": "pause to right ghost text, p50 ms (no bar: never)",
}


def draw(result: dict[str, Any], path: Path) -> bool:
    """Write it; False without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    scenes = result["scenes"]
    figure, axes = pyplot.subplots(len(SHOWN), 1, figsize=(max(6, 2.2 * len(scenes)), 3.2 * len(SHOWN)))
    for axis, (measure, words) in zip(axes, SHOWN.items(), strict=True):
        for place, scene in enumerate(scenes.values()):
            for offset, (name, values) in enumerate(scene["scores"].items()):
                value = values[measure]
                height = value if isinstance(value, int | float) else 0
                step = FILLED / len(scene["scores"])
                axis.bar(
                    place + step * offset, height, 0.9 * step, color=f"C{offset}", label=name if place == 0 else None
                )
        axis.set_title(words, fontsize=9)
        axis.set_xticks(range(len(scenes)), scenes, fontsize=6, rotation=12)
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)
    pyplot.close(figure)
    return True
