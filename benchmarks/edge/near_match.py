"""What the near-match cache saves, and how often it says what the model would have said: the real starter model.

Holes of held-out files are typed, then deleted and typed again after a small edit above them: that is when a context is
nearly one that was answered before. A request goes out where people pause, at the ends of words and lines. What the
exact cache answers does not count; of the rest, what a near match answers is compared with the worker's own answer.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from benchmarks.client import source_files, traces
from benchmarks.client.traces import Source
from benchmarks.client.worker_session import WorkerSession, started_worker
from benchmarks.edge.sessions import PATIENCE
from benchmarks.intervals import Estimate, share
from benchmarks.quality.held_out import DEFAULT_FILE
from edge_proxy.answer_cache import AnswerCache
from edge_proxy.cache_keys import base_key
from edge_proxy.near_match.cache import NearMatches
from edge_proxy.near_match.lexer import tokens
from edge_proxy.near_match.locals import local_names
from edge_proxy.requests import Answer, Ask
from wire_protocol.frames import Context, Done

SIMILARITIES: Final = (0.8, 0.9, 1.0)
EDITS: Final = ("none", "comment", "blank line", "rename", "statement")
"""What happens above a hole before it is typed again; `none`: it is typed for the first time."""
ABOVE_LINES: Final = 6
"""Lines between the edit and the hole."""
BEFORE_LINES: Final = 48
STEP_LINES: Final = 32
"""The window's start moves only in such steps, as the language server's does."""
AFTER_CHARS: Final = 600
MAX_TOKENS: Final = 24
BYTES: Final = 64 * 1_048_576
SEED: Final = 1
_PAUSE: Final = re.compile(r"(?<=\w)(?=\W)|(?<=[(,.=:])|(?<=\n)")
_LINE_COMMENTS: Final = {"python": "#", "typescript": "//", "javascript": "//", "go": "//", "lua": "--"}
_STATEMENTS: Final = {"python": "log(1)", "typescript": "log(1);", "javascript": "log(1);", "go": "log(1)"}


@dataclass(slots=True)
class Score:
    """Of the requests after one kind of edit that the exact cache had no answer to."""

    asked: int = 0
    same: list[bool] = field(default_factory=list)
    """Of those that a near match answered: whether the model would have said the very same."""
    right: list[bool] = field(default_factory=list)
    """Whether what it said is what was then typed, up to its end."""
    model_right: list[bool] = field(default_factory=list)
    """The same of the model's own answers to these requests."""

    @property
    def saved(self) -> Estimate:
        """The share that needs no worker."""
        return share([True] * len(self.same) + [False] * (self.asked - len(self.same)))


Scores = dict[tuple[str, float], Score]
"""By edit and similarity."""


class _Session:
    """One person's caches: the exact one, and one of near matches for every bound; their time stands still."""

    def __init__(self, number: int) -> None:
        self.number: Final = number
        self.exact: Final = AnswerCache(self._clock, BYTES, PATIENCE)
        self.near: Final = {least: NearMatches(self._clock, BYTES, PATIENCE, least) for least in SIMILARITIES}

    @staticmethod
    def _clock() -> float:
        return 0.0


async def near_matches(count: int) -> tuple[str, Scores]:
    """Where the files are from, and the scores; `count` files."""
    origin, sources = source_files.read(DEFAULT_FILE)
    drawn = traces.realistic(sources, count, SEED)
    scores: Scores = defaultdict(Score)
    async with started_worker("starter") as worker:
        for number, trace in enumerate(drawn):
            source = Source(trace.path, trace.language, trace.finished)
            for hole in trace.holes:
                await _revisit(worker, _Session(number), source, hole.at, len(hole.text), scores)
    return origin, scores


async def _revisit(
    worker: WorkerSession, session: _Session, source: Source, at: int, length: int, scores: Scores
) -> None:
    draw = random.Random(f"{source.name} {at}")
    for edit in EDITS:
        changed = edited(source, at, length, edit, draw)
        if changed is None:
            continue
        text, start, end = changed
        for cursor in pauses(text, start, end):
            await _ask(worker, session, _context(source, text, cursor, end), text[cursor:end], edit, scores)


async def _ask(
    worker: WorkerSession, session: _Session, context: Context, wanted: str, edit: str, scores: Scores
) -> None:
    ask = Ask(session=session.number, id=1, tenant="", doc="d", context=context, max_tokens=MAX_TOKENS)
    base = base_key(ask)
    if session.exact.find(base, ask) is not None:
        return
    answer_pieces = worker.generate(context, "single", MAX_TOKENS, (), "foreground")
    pieces = [piece[0] async for piece in answer_pieces if not isinstance(piece, Done)]
    said = "".join(pieces)
    for least, near in session.near.items():
        score = scores[edit, least]
        score.asked += 1
        hit = near.find(ask)
        if hit is not None:
            score.same.append(hit.text == said)
            score.right.append(_is_right(hit.text, wanted))
            score.model_right.append(_is_right(said, wanted))
    answer = Answer(session=session.number, typed=context.typed, tail="", text=said, tokens=len(pieces), reason="stop")
    session.exact.keep(base, ask, answer)
    for near in session.near.values():
        if near.find(ask) is None:  # what a near match answered, no worker was asked
            near.keep(ask, answer)


def _is_right(said: str, wanted: str) -> bool:
    return bool(said.strip()) and wanted.lstrip().startswith(said.strip())


def pauses(text: str, start: int, end: int) -> Iterator[int]:
    """Where a request goes out while `text` is typed from `start` to `end`."""
    yield start
    for match in _PAUSE.finditer(text, start + 1, end - 1):
        yield match.start()


def _context(source: Source, text: str, cursor: int, end: int) -> Context:
    line_start = text.rfind("\n", 0, cursor) + 1
    lines = text[:line_start].split("\n")
    first = max(0, len(lines) - BEFORE_LINES) // STEP_LINES * STEP_LINES
    return Context(
        before="\n".join(lines[first:]),
        typed=text[line_start:cursor],
        after=text[end : end + AFTER_CHARS],
        path=source.name,
        language=source.language,
    )


def edited(source: Source, at: int, length: int, edit: str, draw: random.Random) -> tuple[str, int, int] | None:
    """The text after the edit, and where the hole is in it; None if this file does not allow the edit."""
    text = source.text
    if edit == "none":
        return text, at, at + length
    if edit == "rename":
        return _renamed(source, at, length, draw)
    line_start = text.rfind("\n", 0, at) + 1
    above = line_start
    for _ in range(ABOVE_LINES):
        above = text.rfind("\n", 0, max(0, above - 1)) + 1
    line = text[above:].partition("\n")[0]
    indent = line[: len(line) - len(line.lstrip())]
    comment, statement = _LINE_COMMENTS.get(source.language), _STATEMENTS.get(source.language)
    inserted = {
        "comment": f"{indent}{comment} {draw.choice(['checked', 'see below', 'to do'])}\n" if comment else None,
        "blank line": "\n",
        "statement": f"{indent}{statement}\n" if statement else None,
    }[edit]
    if inserted is None or above == line_start:
        return None
    return text[:above] + inserted + text[above:], at + len(inserted), at + length + len(inserted)


def _renamed(source: Source, at: int, length: int, draw: random.Random) -> tuple[str, int, int] | None:
    window = "\n".join(source.text[:at].split("\n")[-20:])
    found = tokens(window, source.language)
    near = {token.text for token in found[-60:]}
    names = sorted(local_names(found) & near)
    if not names:
        return None
    name = draw.choice(names)
    pattern = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    new = f"{name}_two"
    head, hole, rest = (
        pattern.sub(new, part) for part in (source.text[:at], source.text[at : at + length], source.text[at + length :])
    )
    return head + hole + rest, len(head), len(head) + len(hole)
