"""A Hugging Face tokenizer as the prompt builder wants one: plain text to ids, never a control token from a user."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from gpu_worker.fim import FimTokens, find_tokens

SENTENCEPIECE_SPACE = "▁"
PROBE = "a"
ANCHOR = "\n"
"""Put before a text whose tokenizer would add a space to its beginning, and taken off again."""


class Backend(Protocol):
    """What is used of `tokenizers.Tokenizer`."""

    encode_special_tokens: bool

    def encode(self, sequence: str, *, add_special_tokens: bool) -> Any:
        """An encoding with `ids` and `tokens`."""

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool) -> str:
        """The text of ids."""

    def token_to_id(self, token: str) -> int | None:
        """The id of a token by its text."""


class HuggingFaceVocabulary:
    """See `gpu_worker.prompt.Vocabulary`. `bos` is the token that prompts begin with, None for none."""

    def __init__(self, backend: Backend, *, bos: int | None, specials: Iterable[int]) -> None:
        """`backend` is this object's own: it is told to read markers in text as text."""
        backend.encode_special_tokens = True
        self._backend = backend
        self._specials = frozenset(specials)
        self.bos = bos
        self.fim: FimTokens | None = find_tokens(self._control)
        self._adds_space = backend.encode(PROBE, add_special_tokens=False).tokens[0].startswith(SENTENCEPIECE_SPACE)
        self._anchor = self._ids(ANCHOR) if self._adds_space else []
        self.ends_line = functools.lru_cache(maxsize=65_536)(self._ends_line)

    @property
    def control_tokens(self) -> list[int]:
        """Ids that end an answer when the model says one: all that are no text."""
        return sorted(self._specials)

    def tokenize(self, text: str) -> list[int]:
        """The ids of a user's text; never a control token, whatever the text says."""
        if not self._adds_space:
            return self._ids(text)
        ids = self._ids(ANCHOR + text)
        if ids[: len(self._anchor)] == self._anchor:
            return ids[len(self._anchor) :]
        return self._ids(text)  # the anchor melted into the text's first token: better a space than a lost letter

    def _ids(self, text: str) -> list[int]:
        return list(self._backend.encode(text, add_special_tokens=False).ids)

    def _control(self, text: str) -> int | None:
        token = self._backend.token_to_id(text)
        return token if token in self._specials else None

    def _ends_line(self, token: int) -> bool:
        return self._backend.decode([token], skip_special_tokens=False).endswith("\n")
