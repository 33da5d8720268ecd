"""Fill-in-the-middle families: the control texts each family of models was trained with, and prompts made of them.

Sources: the model cards and tokenizer files of the families named. The anchored layout puts what was typed after the
middle marker, as if the model had already generated it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gpu_worker.errors import WorkerError
from gpu_worker.headers import header, whole_lines


@dataclass(frozen=True, slots=True)
class Family:
    """The markers of one family. `separator` stands before a file's path (empty: the family has none).

    `suffix_first` families put the text after the cursor first; without a `middle` marker the answer follows
    what is before the cursor.
    """

    name: str
    prefix: str
    suffix: str
    middle: str
    separator: str = ""
    suffix_first: bool = False


FAMILIES = (
    Family("qwen", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|file_sep|>"),
    Family("codegemma", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|file_separator|>"),
    Family("starcoder", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<file_sep>"),
    Family("granite", "<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
    Family("deepseek", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
    Family("codellama", "▁<PRE>", "▁<SUF>", "▁<MID>"),
    Family("codestral", "[PREFIX]", "[SUFFIX]", "", suffix_first=True),
)
"""In the order they are looked for: a model with the same markers and another separator comes after."""

CONTROL = re.compile(r"<\|[^|<>\s]{1,40}\|>|<｜[^｜<>\s]{1,40}｜>|<\|?endoftext\|?>|</?s>|\[(?:INST|/INST)\]")
"""Texts that tokenizers commonly read as control tokens, beside a family's own."""


@dataclass(frozen=True, slots=True)
class FimTokens:
    """Token ids of a model's markers; `middle` and `separator` None when the model has none. `family` is for people."""

    prefix: int
    suffix: int
    middle: int | None
    separator: int | None = None
    family: str = ""
    suffix_first: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """The texts of a prompt, already cut to size; snippets are (path, text), `language` the document's as in LSP."""

    before: str
    after: str
    typed: str = ""
    path: str = ""
    snippets: Sequence[tuple[str, str]] = ()
    language: str = ""


def family_named(name: str) -> Family:
    """The family of that name. Raises WorkerError, naming those there are."""
    for family in FAMILIES:
        if family.name == name:
            return family
    known = ", ".join(family.name for family in FAMILIES)
    raise WorkerError(f"There is no fill-in-the-middle family {name!r}: choose one of {known}.")


def family_of_model(model: str) -> Family | None:
    """The family that a model's name points at, for servers that do not say; None if nothing does."""
    lowered = model.lower()
    hints = {
        "qwen": ("qwen", "starter", "foretype", "seed-coder"),
        "codegemma": ("codegemma",),
        "granite": ("granite",),
        "starcoder": ("starcoder", "stable-code", "santacoder", "refact"),
        "deepseek": ("deepseek",),
        "codellama": ("codellama", "code-llama"),
        "codestral": ("codestral",),
    }
    for name, words in hints.items():
        if any(word in lowered for word in words):
            return family_named(name)
    return None


def find_tokens(lookup: Callable[[str], int | None]) -> FimTokens | None:
    """The markers in a vocabulary, where `lookup` gives the id of a control token by its text; None without any."""
    for family in FAMILIES:
        found = [lookup(text) if text else None for text in (family.prefix, family.suffix, family.middle)]
        prefix, suffix, middle = found
        if prefix is None or suffix is None or (middle is None and family.middle):
            continue
        separators = (family.separator, *(other.separator for other in FAMILIES))
        ids = (lookup(text) for text in separators if text)
        separator = next((token for token in ids if token is not None), None)
        return FimTokens(prefix, suffix, middle, separator, family.name, family.suffix_first)
    return None


def neutral(text: str, family: Family) -> str:
    """A user's text in which nothing reads as a control token: a space breaks each marker after its first character."""
    own = sorted(filter(None, (family.prefix, family.suffix, family.middle, family.separator)), key=len, reverse=True)
    bare = [marker.lstrip("▁") for marker in own]
    pattern = re.compile("|".join([*map(re.escape, dict.fromkeys([*own, *bare])), CONTROL.pattern]))
    return pattern.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)


def render(parts: Parts, family: Family) -> str:
    """The prompt as text, for servers that tokenise themselves; users' texts cannot add markers to it."""

    def clean(text: str) -> str:
        return neutral(text, family)

    head = files = ""
    if family.separator:
        head = "".join(f"{family.separator}{clean(path)}\n{clean(text)}" for path, text in parts.snippets)
        if parts.path:
            head += f"{family.separator}{clean(parts.path)}\n"
    else:
        lines = [header(path, parts.language) + whole_lines(text) for path, text in parts.snippets]
        files = clean("".join([*lines, header(parts.path, parts.language) if parts.path else ""]))
    before, after, typed = clean(parts.before), clean(parts.after), clean(parts.typed)
    if family.suffix_first:
        return f"{head}{family.suffix}{after}{family.prefix}{files}{before}{family.middle}{typed}"
    return f"{head}{family.prefix}{files}{before}{family.suffix}{after}{family.middle}{typed}"
