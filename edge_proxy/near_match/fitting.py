"""Whether an answer to one context fits another that is nearly the same, and how it reads there; pure.

Locals that were renamed are renamed in the answer. It does not fit if a name of it is a local of the old context that
nothing in the new one stands for, if it names something that only the old context has, if two names would become one,
if a string speaks of a renamed local, or if it repeats what stands after the cursor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from edge_proxy.near_match.lexer import Token, tokens
from edge_proxy.near_match.locals import KEYWORDS
from edge_proxy.near_match.normal_form import NormalForm, renames
from wire_protocol.frames import Context

_WORD: Final = re.compile(r"[^\W\d]\w*")


def names_of(context: Context) -> frozenset[str]:
    """All words before and after the cursor, those in strings and comments too."""
    return frozenset(_WORD.findall(f"{context.before}{context.typed} {context.tail}{context.after}"))


def fitted(text: str, old: NormalForm, known: frozenset[str], new: NormalForm, context: Context) -> str | None:
    """`text`, which answered `old`, as the answer to `new`; None if it does not fit.

    `known` are those words of `text` that its own context has; `context` is the new one.
    """
    names = renames(old, new)
    renamed = {was: now for was, now in names.items() if was != now}
    found = tokens(text, context.language)
    if renamed and not _can_be_renamed(found, renamed):
        return None
    lost = known - names_of(context) - renamed.keys()
    gone = old.locals - new.locals - names.keys()
    if any(token.kind == "name" and token.text in lost | gone and token.text not in KEYWORDS for token in found):
        return None
    answer = _renamed(text, found, renamed)
    return None if _repeats(answer, context) else answer


def _can_be_renamed(found: list[Token], renamed: Mapping[str, str]) -> bool:
    taken = set(renamed.values()) - renamed.keys()
    for number, token in enumerate(found):
        if token.kind == "string" and not renamed.keys().isdisjoint(_WORD.findall(token.text)):
            return False
        if token.kind != "name":
            continue
        if token.text in taken:
            return False  # two things would have one name
        before, after = (found[at].text if 0 <= at < len(found) else "" for at in (number - 1, number + 1))
        if token.text in renamed and after == "=" and before in {"(", ","}:
            return False  # the name of an argument, which is not this local
    return True


def _renamed(text: str, found: list[Token], renamed: Mapping[str, str]) -> str:
    parts, at = [], 0
    for number, token in enumerate(found):
        attribute = number > 0 and found[number - 1].text == "."
        if token.kind == "name" and token.text in renamed and not attribute:
            parts += [text[at : token.at], renamed[token.text]]
            at = token.at + len(token.text)
    return "".join([*parts, text[at:]])


def _repeats(answer: str, context: Context) -> bool:
    """Whether its first line is the line that comes next anyway."""
    first = answer.strip().partition("\n")[0].strip()
    following = context.after.strip().partition("\n")[0].strip()
    return bool(first) and first == following
