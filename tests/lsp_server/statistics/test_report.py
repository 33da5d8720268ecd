"""What `foretype-lsp stats` draws."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lsp_server.statistics.bars import PLAIN
from lsp_server.statistics.days import Days
from lsp_server.statistics.histogram import bucket
from lsp_server.statistics.report import report

DAY = {
    "given": 180,
    "suggestions_hidden": 20,
    "suggestions_shortened": 45,
    "shown_inferred": 90,
    "shown": 10,
    "accepted": 30,
    "accepted_partly": 5,
    "typed_through_inferred": 15,
    "dismissed_inferred": 45,
    "ignored_inferred": 5,
    "accepted_characters": 1_000,
    "saved_characters": 960,
    "typed_characters": 3_000,
    "kept_unchanged": 20,
    "kept_mostly": 4,
    "kept_gone": 6,
    "kept_unknown": 2,
    "source/edge/shown": 60,
    "source/edge/accepted": 20,
    "source/edge/saved_characters": 700,
    "language/python/shown_inferred": 100,
    "language/python/accepted": 30,
    "language/[red]x/shown": 1,
    "tokens_generated": 500,
    "tokens_generated_foreground": 400,
    "tokens_seen_foreground": 390,
    "tokens_generated_prefetch": 100,
    "tokens_seen_prefetch": 80,
} | {f"latency_ms/answer/edge/{bucket(ms)}": 1 + int(100 / ms) for ms in range(20, 400, 20)}
DAYS: Days = {"2026-01-01": {"shown": 4, "accepted": 1}, "2026-01-04": DAY}


def drawn(days: Days, width: int = 80, **options: object) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, **options)  # type: ignore[arg-type]
    console.print(report(days))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def line_of(text: str, start: str) -> str:
    (found,) = [each for each in text.splitlines() if each.strip().startswith(start)]
    return found


def line(text: str, start: str) -> list[str]:
    return line_of(text, start).split()


def test_what_nobody_reported_is_called_inferred() -> None:
    text = drawn(DAYS)
    for name in ("shown", "typed through", "dismissed", "ignored"):
        assert f"{name} (inferred)" in text


def test_shares_are_of_what_was_shown_and_say_how_much_that_was() -> None:
    text = drawn({"2026-01-04": DAY})
    assert line(text, "shown (inferred)")[2] == "90"
    assert line(text, "accepted  ")[1:4] == ["30", "30", "%"]
    assert line(text, "partly accepted")[2:5] == ["5", "5", "%"]


def test_what_is_still_there_says_of_how_many_and_how_many_are_not_known() -> None:
    assert "24  80 %  of 30 accepted texts; 2 not known" in drawn(DAYS)


def test_characters_saved_are_told_with_their_share_of_what_was_written() -> None:
    assert "characters saved  960   24 % of the 4,000 that were written" in drawn(DAYS)


def test_what_was_mostly_wrong_lately_is_told_of_all_answers_for_which_there_was_a_text() -> None:
    text = drawn(DAYS)
    assert "of 200 answers to requests" in line_of(text, "mostly wrong lately")
    assert line(text, "not shown") == ["not", "shown", "20", "10", "%"]
    assert line(text, "shortened") == ["shortened", "45", "22", "%"]
    assert "mostly wrong lately" not in drawn({"2026-01-04": {"given": 3}})


def test_latencies_are_drawn_with_their_quantiles() -> None:
    cells = line(drawn({"2026-01-04": {k: v for k, v in DAY.items() if "source/" not in k}}), "edge")
    assert "█" in cells[1]
    p50, p95, p99, count = map(float, cells[-4:])
    assert p50 < p95 <= p99 < 400 * 2 ** (1 / 4)
    assert count == sum(v for k, v in DAY.items() if k.startswith("latency_ms"))


def test_tokens_that_nobody_saw_are_told_by_purpose() -> None:
    text = drawn(DAYS)
    assert line(text, "asked for") == ["asked", "for", "400", "390", "10", "2", "%"]
    assert line(text, "prefetched") == ["prefetched", "100", "80", "20", "20", "%"]


def test_days_without_a_suggestion_are_drawn_as_gaps() -> None:
    assert line(drawn(DAYS), "accepted by day")[3:5] == ["▁", "█"]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    assert all(len(each) <= width for each in drawn(DAYS, width).splitlines())


def test_at_eighty_columns_nothing_is_cut() -> None:
    assert "…" not in drawn(DAYS, 80)


def test_in_a_narrow_terminal_the_bars_give_way_to_the_numbers() -> None:
    assert line(drawn(DAYS, 48), "dismissed")[:4] == ["dismissed", "(inferred)", "45", "43"]


def test_without_a_terminal_there_are_no_colours() -> None:
    assert "\x1b" not in drawn(DAYS)
    assert "\x1b[" in drawn(DAYS, force_terminal=True, color_system="standard")


def test_a_terminal_with_ascii_only_gets_ascii() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(report(DAYS, PLAIN))
    assert isinstance(console.file, io.StringIO)
    assert "█" not in console.file.getvalue()


def test_the_name_of_a_language_is_no_markup() -> None:
    assert "[red]x" in drawn(DAYS)


def test_counts_without_a_suggestion_are_drawn_too() -> None:
    assert "No suggestion has come to its end yet." in drawn({"2026-01-01": {"requests": 3}})
