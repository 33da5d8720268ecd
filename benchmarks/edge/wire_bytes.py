"""Bytes of a request per keystroke, as a delta and in full: typing real lines into real files; pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from wire_protocol.codec import encode
from wire_protocol.contexts import ContextSender
from wire_protocol.frames import Complete, Context

BEFORE_CHARS: Final = 6_000
AFTER_CHARS: Final = 2_000
"""About what the language server sends of a file."""


class Sizes(NamedTuple):
    """Bytes of one request."""

    delta: int
    full: int


def keystrokes(text: str, path: str, line_numbers: range) -> Iterator[Context]:
    """The contexts of typing these lines of `text`, a request after each key; the anchor is the line's start."""
    lines = text.splitlines(keepends=True)
    for number in line_numbers:
        if number >= len(lines):
            return
        before = "".join(lines[:number])[-BEFORE_CHARS:]
        after = "".join(lines[number + 1 :])[:AFTER_CHARS]
        for end in range(1, len(lines[number].rstrip("\n")) + 1):
            yield Context(before=before, typed=lines[number][:end], after=after, path=path, language="python")


def measured(files: list[Path], lines: int = 30) -> list[Sizes]:
    """One entry per keystroke, first contexts of documents included."""
    sizes, sender = [], ContextSender()
    for file in files:
        text = file.read_text(encoding="utf-8")
        for id, context in enumerate(keystrokes(text, file.name, range(40, 40 + lines)), start=1):
            rev, base_rev, body = sender.prepare(file.name, context)
            delta = Complete(id=id, doc=file.name, rev=rev, base_rev=base_rev, context=body, supersedes=[id - 1])
            full = Complete(id=id, doc=file.name, rev=rev, context=context, supersedes=[id - 1])
            sizes.append(Sizes(len(encode(delta)), len(encode(full))))
    return sizes
