"""Answers by the normal form of their contexts, for the session that they were made for; pure, bounded by bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from cachetools import TTLCache

from edge_proxy.answer_cache import ENTRY_BYTES, Hit
from edge_proxy.near_match.fitting import fitted, names_of
from edge_proxy.near_match.lexer import tokens
from edge_proxy.near_match.normal_form import NormalForm, normal_form, similarity
from edge_proxy.near_match.settings import DEFAULT_SIMILARITY
from edge_proxy.requests import Answer, Ask

SIBLINGS: Final = 4
"""Answers kept per anchor."""


class _Key(NamedTuple):
    session: int
    shape: tuple[object, ...]
    anchor: bytes


class _Entry(NamedTuple):
    form: NormalForm
    known: frozenset[str]
    answer: Answer


class NearMatches:
    """`max_bytes` bounds what is kept, `seconds` for how long; `clock` gives monotonic seconds."""

    def __init__(
        self, clock: Callable[[], float], max_bytes: int, seconds: float, least: float = DEFAULT_SIMILARITY
    ) -> None:
        self._entries: TTLCache[_Key, tuple[_Entry, ...]] = TTLCache(
            max_bytes, seconds, timer=clock, getsizeof=lambda entries: sum(map(_size, entries))
        )
        self._least: Final = least

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    @property
    def bytes_used(self) -> int:
        """Upper estimate of the memory held."""
        return int(self._entries.currsize)

    def keep(self, ask: Ask, answer: Answer) -> None:
        """A worker's whole answer to `ask`; one without text, or too large, is not kept."""
        if not answer.text.strip():
            return
        form = normal_form(ask.context)
        if form is None:
            return
        words = {token.text for token in tokens(answer.text, ask.context.language) if token.kind == "name"}
        entry = _Entry(form, names_of(ask.context) & words, answer)
        key = _key(ask, form)
        entries = (*self._entries.get(key, ())[1 - SIBLINGS :], entry)
        if sum(map(_size, entries)) <= self._entries.maxsize:
            self._entries[key] = entries

    def find(self, ask: Ask) -> Hit | None:
        """The answer to the most similar context of the session, as it reads in this one; None if none is near.

        Whoever asked by hand wants the model's own answer, and gets none from here.
        """
        if ask.kind == "invoked" or not self._entries:
            return None
        form = normal_form(ask.context)
        if form is None:
            return None
        near = [(similarity(entry.form, form), entry) for entry in self._entries.get(_key(ask, form), ())]
        for alike, entry in sorted(near, key=lambda each: each[0], reverse=True):
            if alike < self._least:
                return None
            text = fitted(entry.answer.text, entry.form, entry.known, form, ask.context)
            if text:
                return Hit(text, entry.answer, near=True)
        return None


def _key(ask: Ask, form: NormalForm) -> _Key:
    shape = (ask.tenant, ask.arm, ask.model, ask.lines, ask.max_tokens, ask.stop, ask.context.language)
    return _Key(ask.session, shape, form.anchor)


def _size(entry: _Entry) -> int:
    """Upper estimate, in bytes; a text of Python has 60 beside its characters."""
    form = entry.form
    texts = (form.window, entry.answer.text, *form.locals, *entry.known)
    return 2 * ENTRY_BYTES + sum(60 + len(text) * (1 if text.isascii() else 4) for text in texts)
