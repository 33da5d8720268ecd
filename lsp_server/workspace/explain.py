"""What `foretype-lsp complete --explain` prints: each part of the context, its size, and why it is there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from lsp_server.anchor import Anchor
from lsp_server.ask import Ask
from lsp_server.context import build_context
from lsp_server.documents import Snapshot
from lsp_server.settings import Settings
from lsp_server.workspace.budgets import Budget, Limits, budget_for
from lsp_server.workspace.once import LOOK_S, workspace_of
from lsp_server.workspace.parts import Part
from wire_protocol.frames import Context

_WHY = {
    "path": "the file's place in its workspace folder",
    "before": "the text up to the anchor, from a line whose number is a multiple of 32",
    "typed": "typed since the anchor; goes behind the middle marker",
    "tail": "put behind the cursor by the editor; not part of the prompt",
    "after": "the text after the cursor, whole lines",
}


def explained(ask: Ask, root: Path, others: Sequence[Snapshot], settings: Settings) -> dict[str, Any]:
    """What a model would be given at `ask` with the documents `others` open too. Takes LOOK_S and a little more."""
    limits = Limits("edge" if settings.edge.urls else "local")
    workspace = workspace_of(ask, root, others, settings, lambda: limits)
    workspace.work(LOOK_S)
    place = Anchor().place(ask.snapshot)
    began = time.perf_counter()
    found = workspace.surroundings(ask, place)
    gathered_ms = 1_000 * (time.perf_counter() - began)
    context = build_context(ask.snapshot, place, ask.path, found)
    return {**as_json(context, found.parts, budget_for(limits), limits), "gatheredMs": round(gathered_ms, 2)}


def as_json(context: Context, parts: tuple[Part, ...], budget: Budget, limits: Limits) -> dict[str, Any]:
    """The same as an object; sizes in characters and in bytes of UTF-8."""
    own = [
        {"part": name, "characters": len(text), "bytes": len(text.encode()), "why": why}
        for name, why in _WHY.items()
        if (text := str(getattr(context, name)))
    ]
    others = [
        {
            "part": part.kind,
            "path": part.snippet.path,
            "lines": [part.first_line, part.last_line],
            "characters": len(part.snippet.text),
            "bytes": len(part.snippet.text.encode()),
            "score": round(part.score, 4),
            "why": part.why,
            "text": part.snippet.text,
        }
        for part in parts
    ]
    return {
        "budget": {"for": limits.place, "characters": budget.characters, "snippets": budget.snippets},
        "parts": [*others, *own],
    }


def show(explained: dict[str, Any], out: TextIO) -> None:
    """A table of it, in the order of the prompt."""
    budget = explained["budget"]
    where = "on this machine" if budget["for"] == "local" else "at the edge"
    table = Table(title=f"Context for a model {where}: at most {budget['characters']} characters of snippets")
    for name in ("part", "from"):
        table.add_column(name)
    table.add_column("characters", justify="right")
    table.add_column("bytes", justify="right")
    table.add_column("why")
    for part in explained["parts"]:
        place = f"{part['path']}:{part['lines'][0]}-{part['lines'][1]}" if "path" in part else "this file"
        table.add_row(part["part"], place, str(part["characters"]), str(part["bytes"]), part["why"])
    Console(file=out).print(table)
