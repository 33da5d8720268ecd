"""Step 3: turn files into rows of token ids for training, three quarters of them fill-in-the-middle.

The layout is the worker's, anchored prefix-suffix-middle (`|` is the cursor and a token break; each part is
tokenised on its own):

    [<|file_sep|>PATH\\n]<|fim_prefix|>BEFORE<|fim_suffix|>AFTER<|fim_middle|>TYPED|MIDDLE<|endoftext|>

and, for a minority, suffix-first, where BEFORE and TYPED are one text after the middle marker:

    [<|file_sep|>PATH\\n]<|fim_prefix|><|fim_suffix|>AFTER<|fim_middle|>BEFORE+TYPED|MIDDLE<|endoftext|>

`python -m training.samples` writes rows of `length + 1` unsigned 16-bit numbers: a token id in the low
bits, its role in the loss above them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from training import corpus, settings, spans
from training import tokenizer as vocabulary

ROLE_SHIFT = 13
ID_MASK = (1 << ROLE_SHIFT) - 1
# Roles of a token as a target: text as it stands in files; what a suggestion is made of; not to be learnt
# (markers, paths, and the last piece before a cursor, which may be half a word).
TEXT, MIDDLE, IGNORED = 0, 1, 2

# Share of samples whose anchor lies some lines above the cursor's: the person has typed several lines.
TYPED_LINES = 0.2
MAX_TYPED_LINES = 6
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


def cut(text: str, path: str | None, options: dict[str, Any], generator: random.Random) -> Sample | None:
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

    def fill(
        self, sample: Sample, room: int, after_share: float, learn_typed: bool = True
    ) -> list[tuple[int, int]] | None:
        """The sample in at most `room` tokens: `before` loses its start, `after` its end.

        None if what was typed and the middle alone take more than half of it.
        """
        end = self.special[vocabulary.END]
        typed = self.ids(sample.typed)
        middle = [*((token, MIDDLE) for token in self.ids(sample.middle)), (end, MIDDLE)]
        head = self.head(sample.path)
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
        seed: int,
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
        total = 0
        self.cumulative = []
        for record in records:
            total += len(record["text"])
            self.cumulative.append(total)

    def piece(self, room: int) -> list[tuple[int, int]]:
        """One sample of at most `room` tokens, from a file drawn by its length."""
        generator = self.random
        record = generator.choices(self.records, cum_weights=self.cumulative)[0]
        if room >= MIN_ROOM and generator.random() < self.fim:
            # The window is cut first, so that the cursor may lie anywhere in the file and context is full.
            sample = cut(record["text"], record["path"], self.options, generator)
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


def write_rows(rows: Rows, count: int, path: Path) -> None:
    """Write `count` rows as a two-dimensional .npy file, through a temporary name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = np.empty((count, rows.length + 1), dtype=np.uint16)
    started = time.monotonic()
    for index, row in zip(range(count), rows, strict=False):
        table[index] = row
    partial = path.with_suffix(".partial.npy")
    np.save(partial, table)
    partial.replace(path)
    seconds = time.monotonic() - started
    print(f"{path.name}: {count} rows of {rows.length}, {table.size / 1e6:.1f} M tokens, {seconds:.0f} s")


def main() -> None:
    """Write the rows of every phase and of the validation set."""
    parser = settings.arguments("Lay the corpus out as rows of tokens, most of them fill-in-the-middle.")
    parser.add_argument("--only", help="write only this file: a phase's name, or validation")
    options = parser.parse_args()
    config = settings.load(options.config)
    layout = Layout(vocabulary.load(config.path(config.tokenizer["file"])))
    table = config.samples
    jobs = [
        ("validation", table["validation_rows"], table["validation_length"], table["validation_fim"], True, "held_out"),
    ]
    for phase in config.train["phases"]:
        count = phase["steps"] * config.train["batch_tokens"] // phase["length"]
        jobs.append((phase["name"], count, phase["length"], phase["fim"], phase["learn_typed"], "train"))
    loaded: dict[str, list[dict[str, str]]] = {}
    for number, (name, count, length, fim, learn_typed, part) in enumerate(jobs):
        if options.only not in (None, name):
            continue
        if part not in loaded:
            loaded[part] = corpus.read_jsonl(config.output / "corpus" / f"{part}.jsonl")
        rows = Rows(loaded[part], layout, table, length, fim, config.seed + number, learn_typed)
        write_rows(rows, count, config.output / "rows" / f"{name}.npy")


if __name__ == "__main__":
    main()
