"""Which candidates go into the prompt: by kind within its share, what was there before preferred, in a stable order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lsp_server.workspace.budgets import Budget, Kind, head_characters
from lsp_server.workspace.parts import Part
from wire_protocol.frames import Snippet

KINDS: Final[tuple[Kind, ...]] = ("declarations", "edits", "similar")
"""In the order in which they are given room; there is always more of what is similar."""
KEPT_BONUS: Final = 1.3
"""What is in the prompt already stays unless another is so much better: a change costs the KV cache behind it."""
MIN_PIECE: Final = 80
"""Characters below which a piece of a snippet is not worth its head."""


def choose(candidates: Mapping[Kind, Iterable[Part]], budget: Budget, before: Sequence[Part] = ()) -> tuple[Part, ...]:
    """The parts that go in, in their order; `before` are those of the last request of the document."""
    kept = {part.key for part in before}
    chosen: list[Part] = []
    left = 0
    for kind in KINDS:
        left += budget.share(kind)
        ranked = sorted(
            candidates.get(kind, ()),
            key=lambda part: (-part.score * (KEPT_BONUS if part.key in kept else 1.0), part.key),
        )
        for part in ranked:
            if len(chosen) >= budget.snippets:
                break
            fitted = _fitted(part, left - head_characters(part.snippet.path))
            if fitted is not None and not _overlaps(fitted, chosen):
                chosen.append(fitted)
                left -= len(fitted.snippet.text) + head_characters(part.snippet.path)
    return tuple(sorted(chosen, key=lambda part: part.key))


def _fitted(part: Part, room: int) -> Part | None:
    """The part, cut after a whole line if need be; None if too little of it fits."""
    text = part.snippet.text
    if len(text) <= room:
        return part
    if part.kind == "edits":
        return None  # half a diff says the opposite of what was done
    cut = text[: text.rfind("\n", 0, max(room, 0)) + 1]
    if len(cut) < MIN_PIECE:
        return None
    last = part.first_line + cut.count("\n") - 1
    snippet = Snippet(path=part.snippet.path, text=cut)
    return Part(part.kind, snippet, part.first_line, last, part.score, part.why)


def _overlaps(part: Part, chosen: Sequence[Part]) -> bool:
    """Whether lines of the same file are there already."""
    return any(
        other.snippet.path == part.snippet.path
        and other.kind != "edits"
        and part.kind != "edits"
        and part.first_line <= other.last_line
        and other.first_line <= part.last_line
        for other in chosen
    )
