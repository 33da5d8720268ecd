"""What `foretype-lsp stats` draws; pure. What no editor reported is called "(inferred)"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lsp_server.statistics.bars import BLOCKS, Times, row, share
from lsp_server.statistics.days import Days, totals
from lsp_server.statistics.histogram import quantile_ms
from lsp_server.statistics.names import LANGUAGE, QUANTILES, SOURCE, Histograms, divided, histograms

BAR: Final = 20
"""Characters of a share's bar."""
MAX_DAYS_DRAWN: Final = 60
MAX_LANGUAGES: Final = 8

ENDS: Final = {
    "accepted": "accepted",
    "accepted_inferred": "accepted (inferred)",
    "accepted_partly": "partly accepted",
    "typed_through_inferred": "typed through (inferred)",
    "ignored_inferred": "ignored (inferred)",
    "dismissed_inferred": "dismissed (inferred)",
}
KEPT: Final = {"kept_unchanged": "unchanged", "kept_mostly": "mostly", "kept_gone": "gone"}
LEFT_OUT: Final = {"suggestions_hidden": "not shown", "suggestions_shortened": "shortened"}
MEASURED: Final = {
    "answer": "From request to answer",
    "first_token": "To the first token of a generation",
}
PURPOSES: Final = {"foreground": "asked for", "prefetch": "prefetched"}

Counts = Mapping[str, int]


def report(days: Days, blocks: str = BLOCKS) -> RenderableType:
    """The drawing for `days`, which are not empty."""
    counts = totals(days)
    parts: list[RenderableType] = [_head(days)]
    for part in (
        _ends(counts, blocks),
        _kept(counts, blocks),
        _left_out(counts),
        _characters(counts),
        _by(counts),
        _latency(histograms(counts), blocks),
        _tokens(counts),
        _by_day(days, blocks),
    ):
        if part is not None:
            parts += ["", part]
    return Group(*parts)


def _head(days: Days) -> Text:
    first, last = min(days), max(days)
    when = first if first == last else f"{first} to {last}"
    return Text.assemble(("Foretype, ", "bold"), (when, "bold"), "  (kept on this machine; numbers only)")


def seen(counts: Counts) -> int:
    """Suggestions shown, as reported and as inferred."""
    return counts.get("shown", 0) + counts.get("shown_inferred", 0)


def taken(counts: Counts) -> int:
    """Suggestions accepted, as reported and as inferred."""
    return counts.get("accepted", 0) + counts.get("accepted_inferred", 0)


def percent(part: float, whole: float) -> str:
    """A share in whole percent; a dash of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


def _grid(*justify: str) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    last = len(justify) - 1
    for number, each in enumerate(justify):
        # In a narrow terminal the last column gives way: bars, or words that can be wrapped.
        table.add_column(justify="right" if each == "r" else "left", no_wrap=number < last, overflow="crop")
    return table


def _ends(counts: Counts, blocks: str) -> RenderableType | None:
    everything = seen(counts)
    if not everything:
        return Text("No suggestion has come to its end yet.")
    table = _grid("l", "r", "r", "l")
    for name, label in {"shown": "shown", "shown_inferred": "shown (inferred)"}.items():
        if counts.get(name):
            table.add_row(Text(label, "bold"), f"{counts[name]:,}")
    for name, label in ENDS.items():
        if (count := counts.get(name, 0)) or name == "accepted":
            table.add_row(label, f"{count:,}", percent(count, everything), _bar(count / everything, blocks))
    if unread := counts.get("dismissed_unread_inferred", 0):
        table.add_row("  of them within 0.1 s", f"{unread:,}", percent(unread, everything))
    return table


def _bar(value: float, blocks: str) -> Text:
    return Text(share(value, BAR, blocks), "green")


def _kept(counts: Counts, blocks: str) -> RenderableType | None:
    known = sum(counts.get(name, 0) for name in KEPT)
    unknown = counts.get("kept_unknown", 0)
    if not known and not unknown:
        return None
    there = known - counts.get("kept_gone", 0)
    of = f"of {known:,} accepted texts" + (f"; {unknown:,} not known" if unknown else "")
    table = _grid("l", "r", "r", "l")
    table.add_row(Text("still there after 30 s", "bold"), f"{there:,}", percent(there, known), of)
    for name, label in KEPT.items():
        count = counts.get(name, 0)
        table.add_row(f"  {label}", f"{count:,}", percent(count, known), _bar(count / known if known else 0, blocks))
    return table


def _left_out(counts: Counts) -> RenderableType | None:
    """What trust kept from the screen: of all answers for which there was a text."""
    hidden, shortened = (counts.get(name, 0) for name in LEFT_OUT)
    if not hidden and not shortened:
        return None
    answers = counts.get("given", 0) + hidden
    table = _grid("l", "r", "r", "l")
    table.add_row(Text("mostly wrong lately", "bold"), "", "", f"of {answers:,} answers to requests")
    for name, label in LEFT_OUT.items():
        count = counts.get(name, 0)
        table.add_row(f"  {label}", f"{count:,}", percent(count, answers))
    return table


def _characters(counts: Counts) -> RenderableType | None:
    saved, accepted = counts.get("saved_characters", 0), counts.get("accepted_characters", 0)
    if not accepted:
        return None
    written = accepted + counts.get("typed_characters", 0)
    line = f"  {saved:,}   {percent(saved, written)} of the {written:,} that were written"
    return Text.assemble(("characters saved", "bold"), line)


def _by(counts: Counts) -> RenderableType | None:
    sources, languages = divided(counts, SOURCE), divided(counts, LANGUAGE)
    if not any(seen(part) for part in sources.values()):
        return None
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("by source and language", no_wrap=True)
    for name in ("shown", "accepted", "rate", "characters saved"):
        table.add_column(name, justify="right")
    busiest = sorted(languages, key=lambda name: -seen(languages[name]))[:MAX_LANGUAGES]
    for parts, names in ((sources, sorted(sources)), (languages, busiest)):
        for name in names:
            part = parts[name]
            if seen(part):
                saved, rate = f"{part.get('saved_characters', 0):,}", percent(taken(part), seen(part))
                table.add_row(Text(name), f"{seen(part):,}", f"{taken(part):,}", rate, saved)
        if parts is sources:
            table.add_row()
    return table


def _latency(measured: Histograms, blocks: str) -> RenderableType | None:
    if not measured:
        return None
    times = Times([buckets for sources in measured.values() for buckets in sources.values()])
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name, justify in (("", "l"), ("", "l"), *((name, "r") for name in QUANTILES), ("count", "r")):
        table.add_column(name, justify="right" if justify == "r" else "left", no_wrap=True)
    table.columns[1].header = "milliseconds"
    for what, label in MEASURED.items():
        if what not in measured:
            continue
        table.add_row(Text(label.split()[-1] if what == "answer" else "first token", "bold"))
        for source, buckets in sorted(measured[what].items()):
            values = (quantile_ms(buckets, rank) for rank in QUANTILES.values())
            bars = Text(times.bars(buckets, blocks), "cyan")
            table.add_row(Text(f"  {source}"), bars, *map(_milliseconds, values), f"{sum(buckets.values()):,}")
    table.add_row("", Text(times.axis(), "dim"))
    return table


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _tokens(counts: Counts) -> RenderableType | None:
    if not counts.get("tokens_generated"):
        return None
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("tokens", "generated", "seen", "nobody saw", ""):
        table.add_column(name, justify="left" if name == "tokens" else "right", no_wrap=True)
    for name, label in PURPOSES.items():
        generated, looked_at = counts.get(f"tokens_generated_{name}", 0), counts.get(f"tokens_seen_{name}", 0)
        unseen = generated - looked_at
        table.add_row(label, f"{generated:,}", f"{looked_at:,}", f"{unseen:,}", percent(unseen, generated))
    return table


def _by_day(days: Days, blocks: str) -> RenderableType | None:
    names = list(_every_day(min(days), max(days)))[-MAX_DAYS_DRAWN:]
    if len(names) < 2:
        return None
    table = _grid("l", "l", "l")
    for label, count in (("shown by day", seen), ("accepted by day", taken)):
        values = [count(days.get(name, {})) for name in names]
        table.add_row(Text(label, "bold"), Text(row(values, blocks), "green"), f"up to {max(values):,}")
    return table


def _every_day(first: str, last: str) -> Iterator[str]:
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        yield day.isoformat()
        day += timedelta(days=1)
