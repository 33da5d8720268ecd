"""Where a model is asked to go on, and with which prompt; seeded.

A place in files is a token with enough tokens before and behind it, each such token of all files as likely as any
other: so a file is drawn by its length. A place in training rows is drawn in the same way; of these the model is known
to have seen every one, and the prompt is what stood there in training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from training import tokenizer as vocabulary
from training.memorisation.windows import Corpus, Run
from training.samples import ID_MASK, Layout

AFTER_TOKENS: Final = 100
"""Of the text behind the hole that a fill-in-the-middle prompt shows."""
BATCH: Final = 256
"""Files tokenised at once, so that progress can be shown."""

Record = dict[str, str]


@dataclass(frozen=True)
class Question:
    """A prompt, and the tokens that stand behind it."""

    part: str
    layout: str
    context: int
    place: str
    """For people: `package/path:line`, or a row's number."""
    prompt: list[int]
    truth: Run


@dataclass(frozen=True)
class Place:
    """Text around a place in a file, in tokens of the whole file: `truth` stands between `before` and `after`."""

    name: str
    path: str
    before: Run
    texts_before: tuple[str, ...]
    """Of each token of `before`, where several share a character the first has it."""
    truth: Run
    after: str


def tokenised(records: Sequence[Record], layout: Layout, step: Callable[[int], None] = lambda files: None) -> Corpus:
    """The files' tokens; `step` is told how many files are done."""
    small = layout.tokenizer.get_vocab_size() <= 1 << 16
    parts = []
    for start in range(0, len(records), BATCH):
        texts = [record["text"] for record in records[start : start + BATCH]]
        encoded = layout.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        parts += [np.array(one.ids, dtype=np.uint16 if small else np.uint32) for one in encoded]
        step(min(start + BATCH, len(records)))
    starts = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    return Corpus(np.concatenate(parts), starts)


def draw(
    records: Sequence[Record], corpus: Corpus, layout: Layout, count: int, context: int, length: int, seed: int
) -> Iterator[Place]:
    """`count` different places with `context` tokens before and `length` behind them, fewer if there are no more."""
    sizes = np.maximum(0, np.diff(corpus.starts) - context - length + 1)
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    # A few more, for those inside a character.
    drawn = np.random.default_rng(seed).choice(total, size=min(total, count + count // 4 + 8), replace=False)
    found = 0
    for number in drawn.tolist() if total else ():
        file = int(np.searchsorted(ends, number, side="right"))
        at = context + number - int(ends[file] - sizes[file])
        place = _place(records[file], layout, at, context, length)
        if found < count and place is not None:
            found += 1
            yield place


def _place(record: Record, layout: Layout, at: int, context: int, length: int) -> Place | None:
    """The place at a token of a file; None if the run's start or its end cuts a character in two."""
    text = record["text"]
    encoded = layout.tokenizer.encode(text, add_special_tokens=False)
    ids, offsets, behind = encoded.ids, encoded.offsets, at + length
    last = offsets[behind - 1][1]
    if offsets[at - 1][1] > offsets[at][0] or (behind < len(offsets) and last > offsets[behind][0]):
        return None
    starts = [start for start, _ in offsets[at - context : at + 1]]
    return Place(
        name=f"{record['package']}/{record['path']}:{text.count(chr(10), 0, starts[-1]) + 1}",
        path=record["path"],
        before=tuple(ids[at - context : at]),
        texts_before=tuple(text[start:end] for start, end in pairwise(starts)),
        truth=tuple(ids[at:behind]),
        after=text[last : offsets[min(behind + AFTER_TOKENS, len(offsets)) - 1][1]],
    )


def plain_prompt(layout: Layout, place: Place, context: int) -> list[int]:
    """The file's path, then the `context` tokens before the place, as plain text is laid out in training."""
    return [*_head(layout, place), *place.before[-context:]]


def fill_prompt(layout: Layout, place: Place, context: int) -> list[int]:
    """The worker's fill-in-the-middle prompt: the `context` tokens before the place, and what follows the run."""
    before = "".join(place.texts_before[-context:])
    anchor = before.rfind("\n") + 1
    special = layout.special
    return [
        *_head(layout, place),
        special[vocabulary.FIM_PREFIX],
        *layout.ids(before[:anchor]),
        special[vocabulary.FIM_SUFFIX],
        *layout.ids(place.after),
        special[vocabulary.FIM_MIDDLE],
        *layout.ids(before[anchor:]),
    ]


def _head(layout: Layout, place: Place) -> list[int]:
    return [layout.special[vocabulary.FILE_SEPARATOR], *layout.ids(place.path + "\n")]


PROMPTS: Final[dict[str, Callable[[Layout, Place, int], list[int]]]] = {
    "plain": plain_prompt,
    "fill in the middle": fill_prompt,
}


def questions(places: Sequence[Place], layout: Layout, part: str, contexts: Sequence[int]) -> Iterator[Question]:
    """Every place in every layout and with every length of context."""
    for place in places:
        for name, prompt in PROMPTS.items():
            for context in contexts:
                yield Question(part, name, context, place.name, prompt(layout, place, context), place.truth)


def row_questions(
    rows: npt.NDArray[np.uint16],
    special: Sequence[int],
    part: str,
    count: int,
    contexts: Sequence[int],
    length: int,
    seed: int,
) -> Iterator[Question]:
    """Places in rows as training read them: the prompt is what stands there before, markers and all.

    The run itself holds no marker, for none is ever generated. Rows in which no place is left are passed over.
    """
    most = max(contexts)
    if not len(rows) or rows.shape[1] < most + length:
        return
    generator = np.random.default_rng(seed)
    for number in generator.permutation(len(rows))[:count].tolist():
        ids = rows[number] & ID_MASK
        marks = np.cumsum(np.concatenate([[0], np.isin(ids, special)]))
        free = np.flatnonzero(marks[length:] == marks[:-length])
        free = free[free >= most]
        if not len(free):
            continue
        at = int(generator.choice(free))
        truth = tuple(ids[at : at + length].tolist())
        for context in contexts:
            yield Question(part, "as in training", context, f"row {number}", ids[at - context : at].tolist(), truth)
