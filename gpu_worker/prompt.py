"""From a context to the token ids of the model's own fill-in-the-middle prompt, in the anchored layout.

    [<sep>snippet path\\nsnippet]… [<sep>PATH\\n]<prefix>BEFORE<suffix>AFTER<middle>TYPED → generated

A model without <sep> has the files in comments, as a part of the text before the cursor:

    <prefix>[# snippet path\\nsnippet\\n]… [# PATH\\n]BEFORE<suffix>AFTER<middle>TYPED → generated

Stable parts come first and each part is tokenised on its own, so that growth of one never changes another's tokens;
`tail` (an auto-closed bracket) is not part of the prompt. So a keystroke changes only the last tokens.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gpu_worker.budget import Lengths, plan
from gpu_worker.fim import FimTokens
from gpu_worker.headers import bare, comment_of, whole_lines
from wire_protocol.frames import Context

PATH_SHARE = 16
"""A path may take a sixteenth of the context; of a longer one the end is kept."""
CHARS_PER_TOKEN_LIMIT = 16
"""Text beyond this many characters per token of context is cut off before it is tokenised: it could never fit."""
CUT_STEP_CHARS = 4_096
"""That cut moves in steps, so that what remains usually begins at the same place as before."""
LINE_SEARCH_TOKENS = 48
"""How far a cut looks for the next line start."""
CACHED_PARTS = 64
CACHED_PART_CHARS = 2_000_000
"""Bounds of the cache of tokenised parts: entries, and characters in all of them."""


class Vocabulary(Protocol):
    """What a prompt needs of a tokenizer."""

    @property
    def bos(self) -> int | None:
        """The token every prompt begins with, if the model wants one."""

    @property
    def fim(self) -> FimTokens | None:
        """The model's fill-in-the-middle markers."""

    def tokenize(self, text: str) -> list[int]:
        """The ids of a user's text; never a control token, whatever the text says."""

    def ends_line(self, token: int) -> bool:
        """Whether the token's text ends with a newline."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids (never empty) and how many tokens may be generated after them."""

    tokens: list[int]
    max_new: int


class PromptBuilder:
    """Lays out prompts for one model; not thread-safe (it keeps a cache of tokenised parts)."""

    def __init__(self, vocabulary: Vocabulary, context_tokens: int) -> None:
        self._vocabulary = vocabulary
        self._size = context_tokens
        self._cache: OrderedDict[str, list[int]] = OrderedDict()
        self._cached_chars = 0

    def build(self, context: Context, max_tokens: int) -> Prompt:
        """The prompt for a context, cut to the model's context length less what may be typed and generated."""
        markers = self._vocabulary.fim
        return self._plain(context, max_tokens) if markers is None else self._fim(context, max_tokens, markers)

    def _fim(self, context: Context, max_tokens: int, markers: FimTokens) -> Prompt:
        before = self._part(self._end_of(context.before))
        after = self._part(self._start_of(context.after))
        typed = self._part(context.typed)
        head = self._bos()
        snippets = [self._file(item.path, item.text, context.language, markers) for item in context.snippets]
        path = self._file(context.path, "", context.language, markers) if context.path else []
        signs = [[] if marker is None else [marker] for marker in (markers.prefix, markers.suffix, markers.middle)]
        fixed = len(head) + len(path) + sum(map(len, signs))
        cuts = plan(self._size, max_tokens, Lengths(len(before), len(after), len(typed), [*map(len, snippets)], fixed))
        files = [token for snippet in snippets[: cuts.snippets] for token in snippet] + path
        start, end = self._line_start(before, cuts.before_start), cuts.after_end
        prefix, suffix, middle = signs
        if markers.separator is not None:
            tokens = [*head, *files]
            before_cursor = [*prefix, *before[start:]]
        else:
            tokens = head
            before_cursor = [*prefix, *files, *before[start:]]
        if markers.suffix_first:
            tokens += [*suffix, *after[:end], *before_cursor, *middle]
        else:
            tokens += [*before_cursor, *suffix, *after[:end], *middle]
        tokens += typed[cuts.typed_start :]
        return Prompt(tokens, cuts.max_new)

    def _plain(self, context: Context, max_tokens: int) -> Prompt:
        """Continuation of what is before the cursor, for a model that cannot fill in the middle."""
        before = self._part(self._end_of(context.before))
        typed = self._part(context.typed)
        tokens = self._bos()
        cuts = plan(self._size, max_tokens, Lengths(len(before), 0, len(typed), fixed=len(tokens)))
        start = self._line_start(before, cuts.before_start)
        tokens += before[start:]
        tokens += typed[cuts.typed_start :]
        if not tokens:  # an empty document and no BOS: something must be evaluated
            tokens = self._vocabulary.tokenize("\n")
        return Prompt(tokens, cuts.max_new)

    def _bos(self) -> list[int]:
        return [] if self._vocabulary.bos is None else [self._vocabulary.bos]

    def _file(self, path: str, text: str, language: str, markers: FimTokens) -> list[int]:
        """A file's path and text: behind the model's marker for files, or behind its path in a comment."""
        text = self._start_of(text)
        if markers.separator is not None:
            return [markers.separator, *self._path(path), *self._part(text)]
        comment = comment_of(language)
        line = self._path(f"{bare(path)}{comment.closes}")
        return [*self._part(comment.opens), *line, *self._part(whole_lines(text))]

    def _path(self, path: str) -> list[int]:
        tokens = self._part(f"{path}\n")
        return tokens[-max(1, self._size // PATH_SHARE) :]

    def _line_start(self, tokens: Sequence[int], start: int) -> int:
        """The next line start at or after a cut, if it is near: models are trained on whole lines."""
        if start == 0:
            return 0
        for at in range(start, min(start + LINE_SEARCH_TOKENS, len(tokens))):
            if self._vocabulary.ends_line(tokens[at - 1]):
                return at
        return start

    def _end_of(self, text: str) -> str:
        over = len(text) - self._size * CHARS_PER_TOKEN_LIMIT
        return text if over <= 0 else text[-(-over // CUT_STEP_CHARS) * CUT_STEP_CHARS :]

    def _start_of(self, text: str) -> str:
        return text[: self._size * CHARS_PER_TOKEN_LIMIT]

    def _part(self, text: str) -> list[int]:
        """The tokens of one part, remembered: of a keystroke's parts all but `typed` are the same as before."""
        if not text:
            return []
        cached = self._cache.get(text)
        if cached is not None:
            self._cache.move_to_end(text)
            return cached
        tokens = self._vocabulary.tokenize(text)
        self._cache[text] = tokens
        self._cached_chars += len(text)
        while len(self._cache) > CACHED_PARTS or (self._cached_chars > CACHED_PART_CHARS and len(self._cache) > 1):
            oldest, _ = self._cache.popitem(last=False)
            self._cached_chars -= len(oldest)
        return tokens
