"""What `starter_speed` sends: contexts of so many tokens from Python's standard library, the same in every run."""

from __future__ import annotations

import random
import sysconfig
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer

from wire_protocol.frames import Context

TOKENIZER = Path(__file__).resolve().parents[1] / "training" / "tokenizer.json"
MARKERS = 4
"""Separator, prefix, suffix, middle."""
AFTER_SHARE = 0.25
"""Of a context's tokens, those after the cursor."""
LOOPS = (
    "    self.values.append(values[index])\n",
    "    index = index + 1\n",
    "    values.append(index)\n",
    "    self.index += 1\n",
    "    print(values)\n",
    "    assert index in values\n",
)
NUMBER_LISTS = 12
FILES_TYPED = 3
"""Files typed into in each round."""


@dataclass(frozen=True, slots=True)
class Typing:
    """A context, and the keys of what its author wrote next."""

    context: Context
    keys: str

    def after_keys(self, count: int) -> Context:
        """The context when so many keys have been typed; the anchor and the rest stay."""
        context = self.context
        return Context(before=context.before, typed=self.keys[:count], after=context.after, path=context.path)


@cache
def tokenizer() -> Tokenizer:
    """The starter's."""
    found = Tokenizer.from_file(str(TOKENIZER))
    found.encode_special_tokens = True
    return found


@cache
def texts() -> list[tuple[str, str]]:
    """Name and text of the standard library's modules that are long enough, in a fixed shuffled order."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    found = [(path.name, path.read_text(encoding="utf-8", errors="replace")) for path in sorted(folder.glob("*.py"))]
    long = [(name, text) for name, text in found if len(text) >= 12_000]
    random.Random(1).shuffle(long)
    return long


def cut(which: int, tokens: int, ahead: int = 80) -> tuple[Context, str]:
    """A context of `tokens` tokens with its cursor at a line's start in text `which`, and the `ahead` characters there.

    Those are in neither part: a person is about to write them.
    """
    name, text = texts()[which % len(texts())]
    path = f"{which}/{name}"
    room = tokens - MARKERS - len(tokenizer().encode(path + "\n", add_special_tokens=False).ids)
    after_tokens = int(room * AFTER_SHARE)
    starts = [start for start, _ in tokenizer().encode(text, add_special_tokens=False).offsets]
    # A second pass over the texts begins further on in each.
    wanted = min((1 + which // len(texts())) * room, len(starts) - 2 * after_tokens) - after_tokens
    cursor = text.rfind("\n", 0, starts[wanted]) + 1
    at, behind = bisect_left(starts, cursor), bisect_left(starts, cursor + ahead)
    before = text[starts[max(0, at - room + after_tokens)] : cursor]
    end = min(behind + after_tokens, len(starts) - 1)
    return Context(before=before, after=text[starts[behind] : starts[end]], path=path), text[cursor : cursor + ahead]


def cold_contexts(number: int, count: int, tokens: int) -> list[Context]:
    """Contexts of round `number`; those of two rounds differ."""
    return [cut(number * count + at, tokens)[0] for at in range(count)]


def typing_contexts(number: int, keys: int, tokens: int) -> list[Typing]:
    """Files that are typed into in round `number`, each with so many keys to come."""
    return [Typing(*cut(500 + number * FILES_TYPED + at, tokens, keys)) for at in range(FILES_TYPED)]


def endless_contexts() -> list[Context]:
    """Short contexts with which models go on and on; some models do stop, so there are more than needed."""
    found = []
    for at, line in enumerate(LOOPS):
        before = f"def repeat(self, values, index):\n{line * 12}"
        found.append(Context(before=before, path=f"repeat_{at}.py"))
    for step in range(1, NUMBER_LISTS + 1):
        rows = (", ".join(str(step * (row * 8 + column)) for column in range(8)) for row in range(6))
        lines = "".join(f"    {row},\n" for row in rows)
        found.append(Context(before=f"MULTIPLES_OF_{step} = [\n{lines}", path=f"multiples_{step}.py"))
    return found
