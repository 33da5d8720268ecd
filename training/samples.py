"""Step 3: turn files into rows of token ids for training, three quarters of them fill-in-the-middle.

The layout is the worker's, anchored prefix-suffix-middle (`|` is the cursor and a token break; each part is
tokenised on its own):

    [<|file_sep|>OTHER PATH\\nSNIPPET]… [<|file_sep|>PATH\\n]
        <|fim_prefix|>BEFORE<|fim_suffix|>AFTER<|fim_middle|>TYPED|MIDDLE<|endoftext|>

and, for a minority, suffix-first, where BEFORE and TYPED are one text after the middle marker:

    … <|fim_prefix|><|fim_suffix|>AFTER<|fim_middle|>BEFORE+TYPED|MIDDLE<|endoftext|>

`python -m training.samples` writes rows of `length + 1` unsigned 16-bit numbers: a token id in the low
bits, its role in the loss above them.
"""

from __future__ import annotations

import functools
import math
import os
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from training import corpus, settings, spans
from training import tokenizer as vocabulary

ROLE_SHIFT = 14
"""Ids below 16,384, and three roles, in 16 bits."""
ID_MASK = (1 << ROLE_SHIFT) - 1
# Roles of a token as a target: text as it stands in files; what a suggestion is made of; not to be learnt
# (markers, paths, and the last piece before a cursor, which may be half a word).
TEXT, MIDDLE, IGNORED = 0, 1, 2

# Share of samples whose anchor lies some lines above the cursor's: the person has typed several lines.
TYPED_LINES = 0.2
MAX_TYPED_LINES = 6
# Neighbouring snippets are pieces of other files of the package: so many, so many lines long.
MAX_SNIPPETS = 2
SNIPPET_LINES = (4, 24)
# Each takes at most this share of the room.
SNIPPET_SHARE = 0.12
# The text after the cursor gets this share of the room, drawn anew for each sample.
AFTER_SHARE = (0.1, 0.4)
# Rows hold one long sample or several shorter ones; (share of the row, weight).
SIZES = ((1.0, 0.35), (0.5, 0.4), (0.25, 0.25))
MIN_ROOM = 96
# More than any token is long on average, so that cutting by characters first never cuts too much.
CHARACTERS_PER_TOKEN = 8


@dataclass(frozen=True)
class Sample:
    """One fill-in-the-middle sample: `before + typed + middle + after` is a piece of a file."""

    path: str | None
    before: str
    typed: str
    middle: str
    after: str
    suffix_first: bool
    kind: str
    snippets: tuple[tuple[str, str], ...] = ()
    """(path, text) of pieces of neighbouring files."""


def snippet(text: str, generator: random.Random) -> str:
    """A few whole lines of a text."""
    lines = spans.Lines.of(text)
    first = generator.randrange(len(lines))
    last = min(len(lines), first + generator.randint(*SNIPPET_LINES))
    return text[lines.starts[first] : lines.end(last - 1)] + "\n"


def cut(
    text: str,
    path: str | None,
    options: dict[str, Any],
    generator: random.Random,
    snippets: tuple[tuple[str, str], ...] = (),
) -> Sample | None:
    """Cut a text at a likely cursor. None if the text has no line to cut in."""
    lines = spans.Lines.of(text)
    span = spans.choose(text, lines, generator)
    if span is None:
        return None
    index = lines.index(span.cursor)
    if generator.random() < TYPED_LINES:
        index = max(0, index - generator.randint(1, MAX_TYPED_LINES))
    anchor = lines.starts[index]
    after = "" if generator.random() < options["empty_after"] else text[span.end :]
    return Sample(
        path=path if generator.random() < options["path"] else None,
        before=text[:anchor],
        typed=text[anchor : span.cursor],
        middle=text[span.cursor : span.end],
        after=after,
        suffix_first=generator.random() < options["suffix_first"],
        kind=span.kind,
        snippets=snippets,
    )


class Layout:
    """Turns samples into (id, role) pairs with one tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.special = {name: vocabulary.token_id(tokenizer, name) for name in vocabulary.SPECIAL}

    def ids(self, text: str) -> list[int]:
        """A part's tokens; markers written in it are plain text."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids) if text else []

    def marker(self, name: str) -> tuple[int, int]:
        """A special token that the model is given and never has to produce."""
        return self.special[name], IGNORED

    def head(self, path: str | None) -> list[tuple[int, int]]:
        """The file's path, if it is given."""
        if path is None:
            return []
        return [
            self.marker(vocabulary.FILE_SEPARATOR),
            *((token, IGNORED) for token in self.ids(path + "\n")),
        ]

    def neighbours(self, snippets: Sequence[tuple[str, str]], room: int) -> list[tuple[int, int]]:
        """Pieces of other files, each under its path and in at most `room` tokens. They are learnt as text."""
        return [
            pair
            for path, text in snippets
            for pair in (*self.head(path), *((token, TEXT) for token in self.ids(text)[:room]))
        ]

    def fill(
        self, sample: Sample, room: int, after_share: float, learn_typed: bool = True
    ) -> list[tuple[int, int]] | None:
        """The sample in at most `room` tokens: `before` loses its start, `after` its end.

        None if what was typed and the middle alone take more than half of it.
        """
        end = self.special[vocabulary.END]
        typed = self.ids(sample.typed)
        middle = [*((token, MIDDLE) for token in self.ids(sample.middle)), (end, MIDDLE)]
        head = [*self.neighbours(sample.snippets, int(room * SNIPPET_SHARE)), *self.head(sample.path)]
        if len(typed) + len(middle) + len(head) > room // 2:
            return None
        free = room - len(typed) - len(middle) - len(head) - 3
        after = self.ids(sample.after[: free * CHARACTERS_PER_TOKEN])
        before_text = sample.before[-free * CHARACTERS_PER_TOKEN :]
        if sample.suffix_first:
            before, typed = self.ids(before_text + sample.typed), []
            free = room - len(middle) - len(head) - 3
        else:
            before = self.ids(before_text)
        after = after[: max(int(free * after_share), free - len(before))]
        before = before[max(0, len(before) - (free - len(after))) :]
        prefix, suffix, mark = (
            self.marker(name) for name in (vocabulary.FIM_PREFIX, vocabulary.FIM_SUFFIX, vocabulary.FIM_MIDDLE)
        )
        told = before if sample.suffix_first else typed
        role = TEXT if learn_typed else IGNORED
        spoken = [(token, role) for token in told[:-1]] + [(token, IGNORED) for token in told[-1:]]
        given = [] if sample.suffix_first else [(token, TEXT) for token in before]
        return [*head, prefix, *given, suffix, *((token, TEXT) for token in after), mark, *spoken, *middle]

    def plain(self, text: str, path: str | None, room: int) -> list[tuple[int, int]]:
        """A piece of a file as it stands, with the end token where the file ends."""
        head = self.head(path)
        if len(head) >= room // 2:
            head = []
        ids = self.ids(text[: room * CHARACTERS_PER_TOKEN])
        end = [(self.special[vocabulary.END], TEXT)] if len(text) <= room * CHARACTERS_PER_TOKEN else []
        return [*head, *((token, TEXT) for token in ids), *end][:room]


class Rows:
    """An endless, seeded stream of rows."""

    def __init__(
        self,
        records: Sequence[dict[str, str]],
        layout: Layout,
        options: dict[str, Any],
        length: int,
        fim: float,
        seed: int | str,
        learn_typed: bool = True,
    ) -> None:
        """`fim` is the share of samples that are fill-in-the-middle, `length` the row's tokens less one."""
        self.records = records
        self.layout = layout
        self.options = options
        self.length = length
        self.fim = fim
        self.learn_typed = learn_typed
        self.random = random.Random(seed)
        self.cumulative = list(accumulate(len(record["text"]) for record in records))
        self.siblings: dict[tuple[str, str], list[int]] = {}
        for index, record in enumerate(records):
            self.siblings.setdefault(self.family(record), []).append(index)

    @staticmethod
    def family(record: dict[str, str]) -> tuple[str, str]:
        """Files with the same are neighbours: a package's in one language."""
        return record["package"], record.get("language", "python")

    def snippets(self, record: dict[str, str]) -> tuple[tuple[str, str], ...]:
        """Pieces of a file's neighbours, or none."""
        generator = self.random
        if generator.random() >= self.options["snippets"]:
            return ()
        others = [self.records[index] for index in self.siblings[self.family(record)]]
        chosen = generator.sample(others, min(len(others), generator.randint(1, MAX_SNIPPETS)))
        return tuple((other["path"], snippet(other["text"], generator)) for other in chosen if other is not record)

    def piece(self, room: int) -> list[tuple[int, int]]:
        """One sample of at most `room` tokens, from a file drawn by its length."""
        generator = self.random
        record = generator.choices(self.records, cum_weights=self.cumulative)[0]
        if room >= MIN_ROOM and generator.random() < self.fim:
            # The window is cut first, so that the cursor may lie anywhere in the file and context is full.
            sample = cut(record["text"], record["path"], self.options, generator, self.snippets(record))
            if sample is not None:
                filled = self.layout.fill(sample, room, generator.uniform(*AFTER_SHARE), self.learn_typed)
                if filled is not None:
                    return filled
        starts = spans.Lines.of(record["text"]).starts
        path = record["path"] if generator.random() < self.options["path"] else None
        return self.layout.plain(record["text"][generator.choice(starts) :], path, room)

    def __iter__(self) -> Iterator[np.ndarray]:
        shares, weights = zip(*SIZES, strict=True)
        while True:
            row: list[tuple[int, int]] = []
            while (left := self.length + 1 - len(row)) > 0:
                share = self.random.choices(shares, weights)[0]
                room = min(left, int(share * (self.length + 1)))
                row.extend(self.piece(left if left - room < MIN_ROOM else room))
            pairs = np.array(row[: self.length + 1], dtype=np.uint16)
            yield pairs[:, 0] | (pairs[:, 1] << ROLE_SHIFT)


@dataclass(frozen=True)
class Job:
    """One file of rows to be made. A seeded stream of its own fills each shard, so processes change nothing."""

    name: str
    part: str
    count: int
    length: int
    fim: float
    learn_typed: bool
    seed: int


SHARD_ROWS = 4096
SEEDS_A_RUN = 100
"""More than a run has phases: two runs never draw the same rows."""


def shard(config: settings.Settings, job: Job, number: int) -> np.ndarray:
    """The shard's rows, (up to SHARD_ROWS, length + 1)."""
    count = min(SHARD_ROWS, job.count - number * SHARD_ROWS)
    layout = Layout(vocabulary.load(config.path(config.tokenizer["file"])))
    records = corpus.read_jsonl(config.output / "corpus" / f"{job.part}.jsonl")
    # As text, so that no two jobs' shards can have the same.
    seed = f"{job.seed}/{number}"
    rows = Rows(records, layout, config.samples, job.length, job.fim, seed, job.learn_typed)
    return np.stack(list(islice(rows, count)))


def write_rows(config: settings.Settings, job: Job, processes: int) -> None:
    """Write a job's rows as a two-dimensional .npy file, through a temporary name."""
    path = config.output / "rows" / f"{job.name}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    partial = path.with_suffix(".partial.npy")
    table = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint16, shape=(job.count, job.length + 1))
    numbers = range(math.ceil(job.count / SHARD_ROWS))
    with ProcessPoolExecutor(min(processes, len(numbers))) as pool:
        for number, rows in zip(numbers, pool.map(functools.partial(shard, config, job), numbers), strict=True):
            table[number * SHARD_ROWS : number * SHARD_ROWS + len(rows)] = rows
            print(f"{job.name}: {number + 1} of {len(numbers)} shards", flush=True)
    table.flush()
    partial.replace(path)
    seconds = time.monotonic() - started
    print(f"{path.name}: {job.count} rows of {job.length}, {table.size / 1e6:.1f} M tokens, {seconds:.0f} s")


def jobs_of(config: settings.Settings) -> list[Job]:
    """The rows of the validation set and of every phase."""
    table = config.samples
    jobs = [
        Job(
            "validation",
            "held_out",
            table["validation_rows"],
            table["validation_length"],
            table["validation_fim"],
            True,
            config.seed,
        )
    ]
    first_seed = config.seed + SEEDS_A_RUN * table["run"]
    for number, phase in enumerate(config.train["phases"], 1):
        name = f"{config.train['name']}-{phase['name']}"
        count = phase["steps"] * config.train["batch_tokens"] // phase["length"]
        jobs.append(Job(name, "train", count, phase["length"], phase["fim"], phase["learn_typed"], first_seed + number))
    return jobs


def main() -> None:
    """Write the rows of every phase and of the validation set."""
    parser = settings.arguments("Lay the corpus out as rows of tokens, most of them fill-in-the-middle.")
    parser.add_argument("--only", help="write only this file: NAME-PHASE, or validation")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: one for each core")
    options = parser.parse_args()
    config = settings.load(options.config)
    jobs = jobs_of(config)
    names = [job.name for job in jobs]
    if options.only not in (None, *names):
        parser.error(f"there is no {options.only!r}: --only takes one of {', '.join(names)}")
    for job in jobs:
        if options.only in (None, job.name):
            write_rows(config, job, options.processes)


if __name__ == "__main__":
    main()
