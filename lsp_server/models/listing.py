"""What `foretype-lsp models list` prints: the models here, the catalogue, and what suits this machine; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lsp_server.models.catalogue import Catalogue, Entry
from lsp_server.models.memory import GIB, Estimate, Machine, Shape, estimate

MIB: Final = 1_048_576
GB: Final = 1e9
SECOND_MS: Final = 1_000.0
NOTES: Final = (
    "  (!) restricts use: the licence is shown and must be accepted before the download.",
    "  new context: the first token when 1,000 tokens are new, as after opening a file; line: the rest of a line after",
    "  a key. Both are estimates for the CPU, carried over from models of 13 to 50 M parameters that were measured.",
)
"""Below the catalogue's table."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A line of the first table. `bytes` 0: it is missing."""

    name: str
    bytes: int
    licence: str
    where: str
    in_use: bool


def here(models: Sequence[Installed], unfinished: Sequence[tuple[str, int]], folder: str) -> Iterator[str]:
    """The models on this machine; * marks the one in use."""
    rows = [
        (f"{'*' if model.in_use else ' '} {model.name}", _size(model.bytes), model.licence, model.where)
        for model in models
    ]
    yield f"On this machine (* in use; store: {folder})"
    yield from table(rows)
    for name, size in unfinished:
        do = f"the same pull goes on, `foretype-lsp models remove {name}` frees it"
        yield f"  {name}  interrupted at {_size(size)}: {do}"


def catalogue_lines(
    known: Catalogue, machine: Machine, installed: frozenset[str], starter: Shape | None = None
) -> Iterator[str]:
    """The catalogue with what this machine makes of each, and a recommendation."""
    memory = "unknown" if machine.available_bytes is None else f"{machine.available_bytes / GIB:.1f} GiB available"
    yield f"Catalogue (estimates for this machine: {machine.cores} cores, memory {memory}; + installed)"
    header = ("  name", "size", "INT4", "memory", "new context", "line", "licence", "here")
    rows = [header]
    for entry in known.models:
        made = estimate(entry.shape, machine)
        licence = known.licence_of(entry)
        rows.append(
            (
                f"{'+' if entry.name in installed else ' '} {entry.name}",
                f"{entry.parameters:g}B",
                f"{'' if entry.bytes else '~'}{entry.shape.file_bytes / GB:.1f} GB",
                f"{made.need_bytes / GIB:.1f} GiB",
                _time(made.cold_ms),
                _time(made.line_ms),
                f"{licence.name}{' (!)' if licence.restricts else ''}",
                made.verdict if entry.in_range else "outside 0.5B to 7B",
            )
        )
    yield from table(rows)
    yield from NOTES
    yield ""
    yield from (f"  {entry.name}: {entry.languages}; {entry.note}" for entry in known.models)
    yield ""
    yield recommendation(known, machine, starter)


def recommendation(known: Catalogue, machine: Machine, starter: Shape | None = None) -> str:
    """What to use here, in a sentence or two."""
    made = {entry.name: estimate(entry.shape, machine) for entry in known.models}
    best = recommended(known.models, made, known)
    times = ""
    if starter is not None:
        mine = estimate(starter, machine)
        times = f" (about {_time(mine.cold_ms)} after opening a file, then {_time(mine.line_ms)} a line)"
    always = f"Recommended here: starter{times}, made for CPUs."
    if best is None:
        return f"{always} No model of the catalogue answers in useful time on this CPU; a GPU behind an edge does."
    cold, line = _time(made[best.name].cold_ms), _time(made[best.name].line_ms)
    return (
        f"{always} If you would rather wait for better suggestions: {best.name} (about {cold} after opening a file, "
        f"then {line} a line)."
    )


def recommended(entries: Sequence[Entry], made: dict[str, Estimate], known: Catalogue) -> Entry | None:
    """The largest whose licence leaves one free and whose suggestions come while they are of use."""
    fit = [
        entry
        for entry in entries
        if entry.in_range and made[entry.name].bearable and not known.licence_of(entry).restricts
    ]
    return max(fit, key=lambda entry: entry.parameters, default=None)


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows with their columns aligned."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _size(size: int) -> str:
    return f"{size / MIB:.1f} MiB" if size else "missing"


def _time(ms: float) -> str:
    return f"{ms / SECOND_MS:.1f} s" if ms >= SECOND_MS else f"{ms:.0f} ms"
