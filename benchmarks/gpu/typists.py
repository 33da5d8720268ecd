"""Who types what when: scripts of requests, drawn from seeds, the same for every system under measure; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.client.person import Habits, Person
from benchmarks.kv_reuse import Layout, Window, anchored, joined, typing
from wire_protocol.frames import Context

QUIET_S: Final = 0.05
"""The client asks when so long no key has come: the 50 ms that the editors' side adds where it knows nothing."""
WINDOW: Final = Window(before=6_000, after=2_000)
LAYOUTS: Final[dict[str, Layout]] = {"anchored": anchored, "joined": joined}
MIN_CHARS: Final = 4_000
FIRST_KEY_SPREAD_S: Final = 1.0
"""Typists begin one after the other within this time."""


@dataclass(frozen=True)
class Moment:
    """A request, `at` seconds after the beginning; it replaces the typist's one before it."""

    at: float
    context: Context


def sources(folder: Path, count: int) -> list[str]:
    """Texts of Python files to type, the same on every machine with the same folder. Raises ValueError without any."""
    found = []
    for path in sorted(folder.glob("*.py")):
        try:
            text = path.read_text("utf-8").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError):
            continue
        if len(text) >= MIN_CHARS:
            found.append(text)
        if len(found) == count:
            break
    if not found:
        raise ValueError(f"{folder} has no Python file of {MIN_CHARS} characters or more")
    return found


def script(number: int, texts: Sequence[str], seconds: float, layout: str) -> list[Moment]:
    """What typist `number` asks within `seconds`."""
    person = Person(Habits(), seed=number)
    text = texts[number % len(texts)]
    start = text.index("\n", (len(text) // 3 + number * 997) % (len(text) // 2)) + 1
    now = (number * 0.618_034 % 1.0) * FIRST_KEY_SPREAD_S  # the golden ratio spreads any number of them evenly
    moments = []
    for key in typing(text, start, len(text) - start):
        gap = person.gap_s(key.cursor, text[key.cursor - 1])
        if now > seconds:
            break
        if gap >= QUIET_S:
            made = LAYOUTS[layout](text, key, WINDOW)
            # Every typist works on a file of their own.
            moments.append(
                Moment(
                    now + QUIET_S,
                    Context(
                        before=made.before,
                        typed=made.typed,
                        tail=made.tail,
                        after=made.after,
                        path=f"typist{number}/typed.py",
                    ),
                )
            )
        now += gap
    return moments
