"""What goes beside a context, from what is known at this moment; pure, within a deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from lsp_server.workspace.budgets import Budget, Kind
from lsp_server.workspace.choose import KINDS, choose
from lsp_server.workspace.declarations import Declaration
from lsp_server.workspace.edits import Region
from lsp_server.workspace.parts import Part
from lsp_server.workspace.similar import Source, Window, similar
from lsp_server.workspace.words import words
from wire_protocol.frames import Snippet

DEADLINE_S: Final = 0.003
"""Seconds after which no further file is compared."""
NEAR_LINES: Final = 3
"""Lines up to the cursor whose words matter most."""
CANDIDATES: Final = 12
"""Windows looked at by `choose`."""
MAX_DIFF: Final = 600
"""Characters of a diff: a longer one is a rewrite."""


@dataclass(frozen=True, slots=True)
class Library:
    """What the background knows: files that snippets may come from, the most recent first, and by document what its
    imports declare. Never changed: a new one takes its place."""

    sources: tuple[Source, ...] = ()
    declared: Mapping[str, tuple[Declaration, ...]] = field(default_factory=dict)
    looks: int = 0
    """How often imports were resolved anew because more of a folder was known, or other rules held."""
    judged: int = 0
    """How often all files were judged anew because other rules held."""


@dataclass(frozen=True, slots=True)
class Spot:
    """The cursor: its document, the text right before it and around it, and all text that the model sees anyway."""

    uri: str
    path: str
    family: str
    before: str
    around: str
    visible: str
    visible_lines: tuple[int, int]
    """The numbers, from 0, of the first and the last line that the model sees some of."""


def gather(
    spot: Spot,
    library: Library,
    regions: Sequence[Region],
    budget: Budget,
    kept: Sequence[Part],
    clock: Callable[[], float],
    kinds: frozenset[Kind] = frozenset(KINDS),
) -> tuple[Part, ...]:
    """The parts for `spot`; `kept` are those of its last request. Takes DEADLINE_S and one file's time at most."""
    give_up = clock() + DEADLINE_S
    wanted = words(spot.around)
    candidates: dict[Kind, list[Part]] = {}
    if "declarations" in kinds:
        candidates["declarations"] = list(_declared(spot, library.declared.get(spot.uri, ()), wanted))
    if "edits" in kinds:
        candidates["edits"] = list(_edited(spot, regions, {source.uri for source in library.sources}))
    if "similar" in kinds:
        found = _similar(spot, library.sources, wanted, budget.width, lambda: clock() >= give_up)
        candidates["similar"] = [
            Part(
                "similar",
                Snippet(path=window.path, text=window.text),
                window.first_line + 1,
                window.last_line,
                window.score,
                f"of {_WHERE[window.path == spot.path]} the most alike: Jaccard {window.score:.2f}",
            )
            for window in found
        ]
    return choose(candidates, budget, kept)


_WHERE: Final = {True: "this file, beyond what is sent anyway,", False: "the open and recent files"}


def _similar(
    spot: Spot, sources: Sequence[Source], wanted: frozenset[str], width: int, expired: Callable[[], bool]
) -> list[Window]:
    """Windows of other files, and of this one where the model does not see it anyway."""
    first, last = spot.visible_lines
    own = [source for source in sources if source.uri == spot.uri]
    others = (source for source in sources if source.uri != spot.uri and source.family == spot.family)
    found = similar(others, wanted, width, CANDIDATES, expired)
    # The best of this file are where the cursor is, so more of them are looked at.
    for window in similar(own, wanted, width, 2 * CANDIDATES, expired):
        if window.last_line <= first or window.first_line > last:
            found.append(window)
    return found


def _declared(spot: Spot, declared: Sequence[Declaration], wanted: frozenset[str]) -> Iterator[Part]:
    """One part for each file that names used around the cursor are imported from."""
    near = words("\n".join(spot.before.split("\n")[-NEAR_LINES:]))
    used = [each for each in declared if each.name in wanted]
    used.sort(key=lambda each: (each.path, each.line))
    for path, group in groupby(used, key=lambda each: each.path):
        found = list(group)
        names = [each.name for each in found]
        score = 1.0 + sum(name in near for name in names)
        text = "".join(each.text for each in found)
        why = f"declares {', '.join(names[:6])}, imported here and used around the cursor"
        yield Part("declarations", Snippet(path=path, text=text), found[0].line + 1, found[-1].line + 1, score, why)


def _edited(spot: Spot, regions: Sequence[Region], usable: Set[str]) -> Iterator[Part]:
    """Recent edits elsewhere, the latest with the highest score; none whose outcome is before the model's eyes, and
    none of a document that may not leave: only those that snippets may come from are `usable`."""
    seen = 0
    for region in reversed(regions):
        if region.uri not in usable or region.family != spot.family:
            continue
        if region.uri == spot.uri and "\n".join(region.new) in spot.visible:
            continue
        diff = region.diff
        if not diff or len(diff) > MAX_DIFF:
            continue
        seen += 1
        snippet = Snippet(path=region.path, text=diff)
        why = f"edited recently: number {seen} from the latest"
        yield Part("edits", snippet, region.first + 1, region.last + 1, 1.0 / seen, why)
