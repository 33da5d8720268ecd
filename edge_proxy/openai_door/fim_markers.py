"""Prompts that a client has already laid out for a fill-in-the-middle model, taken apart again; pure.

Editors' plugins send `<|fim_prefix|>A<|fim_suffix|>B<|fim_middle|>` as the prompt of a plain completion. The worker
lays prompts out itself, for the model that it really has, and reads no control token in a user's text: so the markers
are taken out here, and what they say (before, after, other files) is kept.

Sources of the markers: the model cards and tokenizer files of the families named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple


@dataclass(frozen=True, slots=True)
class Markers:
    """One family's. `file` stands before another file's path, `repository` before the repository's name."""

    prefix: str
    suffix: str
    middle: str
    file: tuple[str, ...] = ()
    repository: str = ""


FAMILIES: Final = (
    Markers(
        "<|fim_prefix|>",
        "<|fim_suffix|>",
        "<|fim_middle|>",
        ("<|file_sep|>", "<|file_separator|>"),
        "<|repo_name|>",
    ),
    Markers("<fim_prefix>", "<fim_suffix>", "<fim_middle>", ("<file_sep>", "<filename>"), "<repo_name>"),
    Markers("<fim-prefix>", "<fim-suffix>", "<fim-middle>", ("<filename>",), "<reponame>"),
    Markers("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>"),
    Markers("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>"),
    Markers("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
    Markers("▁<PRE>", "▁<SUF>", "▁<MID>"),
    Markers("<PRE>", "<SUF>", "<MID>"),
    Markers("[PREFIX]", "[SUFFIX]", "[MIDDLE]"),
)
"""Qwen Coder and CodeGemma, StarCoder, SantaCoder and Granite, Seed-Coder, GLM, DeepSeek, CodeLlama (two spellings),
Codestral, which has no middle marker."""

_ENDS: Final = re.compile(r"<\|[^|<>\s]{1,40}\|>|<｜[^｜<>\s]{1,40}｜>|<\|?endoftext\|?>|</?s>|</?fim_middle>|<EOT>")
"""Stop texts that only name control tokens: a worker's answers have none, and it stops at them by itself."""

_PADDED: Final = ("▁<PRE>", "<PRE>")
"""CodeLlama's layout puts one space after `<PRE>` and around `<SUF>`, which is not part of the text."""


class Parts(NamedTuple):
    """`typed` follows the middle marker: what the answer goes on from. `files` are pairs of path and text."""

    before: str
    after: str
    typed: str = ""
    path: str = ""
    files: tuple[tuple[str, str], ...] = ()


def take_apart(prompt: str) -> Parts | None:
    """The parts of a prompt in a known layout, prefix or suffix first; None if it is in none."""
    for markers in FAMILIES:
        first = prompt.find(markers.prefix)
        second = prompt.find(markers.suffix)
        if first < 0 or second < 0:
            continue
        head = prompt[: min(first, second)]
        rest = prompt[min(first, second) :]
        parts = _middle(rest, markers, suffix_first=second < first)
        if parts is not None:
            path, files = _files(head, markers)
            return parts._replace(path=path, files=files)
    return None


def is_control(text: str) -> bool:
    """Whether a stop text names nothing but a control token."""
    named = any(
        text in (markers.prefix, markers.suffix, markers.middle, markers.repository, *markers.file)
        for markers in FAMILIES
    )
    return named or _ENDS.fullmatch(text) is not None


def _middle(text: str, markers: Markers, *, suffix_first: bool) -> Parts | None:
    prefix, suffix = markers.prefix, markers.suffix
    if suffix_first:
        # Codestral: [SUFFIX]after[PREFIX]before; others: <suffix>after<prefix>before<middle>, and
        # <prefix><suffix>after<middle>before is not told from an empty `before` with something typed.
        after, found, before = text.removeprefix(suffix).partition(prefix)
        before, _, typed = before.partition(markers.middle)
    else:
        before, found, after = text.removeprefix(prefix).partition(suffix)
        after, has_middle, typed = after.partition(markers.middle)
        if not has_middle:
            return None
    if not found:
        return None
    if prefix in _PADDED:
        before, after = before.removeprefix(" ").removesuffix(" "), after.removesuffix(" ")
    return Parts(before, after, typed)


def _files(head: str, markers: Markers) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The path of the file itself, and the other files before it: `<file>path\\ntext`, the last one without text."""
    if not markers.file or not head:
        return "", ()
    sections = re.split("|".join(map(re.escape, markers.file)), head)[1:]
    pairs = [(path.strip(), text) for path, _, text in (section.partition("\n") for section in sections)]
    if pairs and not pairs[-1][1].strip():
        return pairs[-1][0], tuple(pairs[:-1])
    return "", tuple(pairs)
