"""A simulated person who fills a hole and accepts right suggestions only: how many keys that saves.

The person knows what they want to type: the truth. At the cursor, at every pause point of the truth, and wherever a
suggestion was just accepted, they wait for a suggestion. They accept it, with one key (Tab), if it is right up to its
end: if what is shown, without blanks at its end, is what comes next in the truth. A suggestion that is right at first
and wrong later is not accepted, and nothing is taken from it: they type on to the next pause point.

    keys(text)  = its characters, a line break and the indentation behind it being one (Enter; the editor indents)
    saved       = 1 - keys pressed / keys(truth),  pressed = keys typed + 1 a suggestion accepted

Pause points of a single line: behind a trigger character (space . ( [ { , = : " '), where editors ask. Of several
lines: the start of each further line, behind its indentation. At most `asks` suggestions are waited for in one hole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from benchmarks.quality.answers import Answer, Ask
from benchmarks.quality.contexts import typed_on
from benchmarks.quality.cursors import TRIGGERS
from wire_protocol.frames import Context, Lines

DEFAULT_ASKS: Final = 8
_BREAK: Final = re.compile(r"\n[ \t\n]*")


@dataclass(frozen=True)
class Typed:
    """What filling one hole took."""

    keys: int
    """Keys without suggestions: those of the truth."""
    pressed: int
    """Keys with them."""
    asked: int
    accepted: int
    first: Answer
    """The suggestion at the cursor itself."""

    @property
    def saved(self) -> int:
        """Keys that did not have to be pressed."""
        return self.keys - self.pressed


def keys(text: str) -> int:
    """Keys to type a text: its characters, where a line break (several, too) and the blanks behind it are one."""
    return len(_BREAK.sub("\n", text))


def shown(answer: str) -> str:
    """What of an answer is shown: the language server cuts blanks at its end, and shows no blanks alone."""
    return answer.rstrip()


def right_up_to_its_end(answer: str, rest: str) -> bool:
    """Whether a suggestion is there and all of it is what comes next."""
    text = shown(answer)
    return bool(text) and rest.startswith(text)


def pause_points(truth: str, lines: Lines) -> list[int]:
    """The offsets in a truth, above 0 and before its last visible character, where a person waits."""
    last = len(truth.rstrip())
    if lines == "multi":
        return [match.end() for match in _BREAK.finditer(truth) if match.end() < last]
    return [at for at in range(1, last) if truth[at - 1] in TRIGGERS and not truth[at].isspace()]


async def fill(context: Context, truth: str, lines: Lines, ask: Ask, asks: int = DEFAULT_ASKS) -> Typed:
    """Fill one hole. `asks` is at least 1: the suggestion at the cursor is always asked for."""
    points = pause_points(truth, lines)
    first = answer = await ask(context, lines)
    at, pressed, asked, accepted = 0, 0, 1, 0
    while True:
        if right_up_to_its_end(answer.text, truth[at:]):
            at += len(shown(answer.text))
            pressed += 1
            accepted += 1
        else:
            following = next((point for point in points if point > at), len(truth))
            pressed += keys(truth[at:following])
            at = following
        if at >= len(truth) or asked >= asks:
            break
        answer = await ask(typed_on(context, truth[:at]), lines)
        asked += 1
    return Typed(keys(truth), pressed + keys(truth[at:]), asked, accepted, first)
