"""`foretype-lsp stats`: draws the counts of the last days, prints them as JSON, or deletes them."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date

from filelock import Timeout

from lsp_server.statistics.days import MAX_DAYS, NewerFileError, read, recent, reset, stats_file, totals
from lsp_server.statistics.names import nested

NOTHING_YET = "Nothing was counted yet: open a file in an editor that uses foretype-lsp."
DEFAULT_DAYS = 30


def run(argv: list[str]) -> int:
    """Do what the options say; the process's exit code. Raises UnsafeFolderError."""
    options = _parser().parse_args(argv)
    try:
        if options.reset:
            return _reset(sure=options.yes)
        days = recent(read(stats_file()), options.days, date.today().isoformat())
    except NewerFileError as error:
        print(f"foretype-lsp: {error}", file=sys.stderr)
        return 1
    if options.json:
        by_day = {day: nested(counts) for day, counts in days.items()}
        print(json.dumps({"days": by_day, "total": nested(totals(days))}, indent=1))
    elif days:
        _draw(days)
    else:
        print(NOTHING_YET)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="foretype-lsp stats",
        description="What became of suggestions, how fast they came and what they cost, as counted on this machine. "
        "Nothing of it is sent anywhere unless telemetry.enabled is true.",
    )
    parser.add_argument(
        "--days", type=_days, default=DEFAULT_DAYS, metavar="N", help=f"the last N days (default {DEFAULT_DAYS})"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.add_argument("--reset", action="store_true", help="delete all that was counted; asks first")
    parser.add_argument("--yes", action="store_true", help="with --reset: do not ask")
    return parser


def _days(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days from 1 to {MAX_DAYS}")
    return int(text)


def _reset(*, sure: bool) -> int:
    path = stats_file()
    if not path.exists():
        print("There is nothing to delete: nothing was counted yet.")
        return 0
    if not sure and not _confirmed(f"Delete all statistics of this machine ({path})? Type yes: "):
        print("Nothing was deleted.")
        return 1
    try:
        reset(path)
    except (OSError, Timeout) as error:
        print(f"foretype-lsp: {path} cannot be deleted: {error}. Close the editors and try again.", file=sys.stderr)
        return 1
    print("The statistics were deleted; editors that run go on counting from here.")
    return 0


def _confirmed(question: str) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        print("foretype-lsp: nobody can be asked here; add --yes to delete the statistics.", file=sys.stderr)
        return False
    try:
        return input(question).strip().lower() == "yes"
    except EOFError:
        return False


def _draw(days: dict[str, dict[str, int]]) -> None:
    from rich.console import Console

    from lsp_server.statistics.bars import BLOCKS, PLAIN
    from lsp_server.statistics.report import report

    console = Console(highlight=False)
    console.print(report(days, PLAIN if console.options.ascii_only else BLOCKS))
