"""Each technique of the language server switched off alone: what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from benchmarks.client.scenes import Scene
from lsp_server.techniques import Techniques

DELAYS_S = (0.15, 0.3)
"""Where a technique shows: as fast as a good edge, and as slow as the peers were first measured with."""


def scenes(every: Sequence[Scene]) -> list[Scene]:
    """Those in which techniques are told apart."""
    return [scene for scene in every if scene.delay_s is None or scene.delay_s in DELAYS_S]


def variants() -> dict[str, Sequence[str]]:
    """What is switched off, by the label of the row; the first is Foretype as it is."""
    names = [field.name for field in fields(Techniques)]
    return {"Foretype": (), **{f"no {name}": (name,) for name in names}}
