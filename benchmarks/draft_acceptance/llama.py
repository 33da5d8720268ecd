"""The two models in llama.cpp, through the worker's own binding: one sequence each, the likeliest token of each row."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.errors import BenchError
from gpu_worker.engines.llama_api import Model
from gpu_worker.engines.llama_decoder import Decoder, DecodeStatus, Row
from gpu_worker.errors import WorkerError

BATCH_TOKENS: Final = 512
MAX_CONTEXT: Final = 4_096
"""Tokens; what the language server sends fits in fewer."""


class LlamaGreedy:
    """One model as `speculation.Greedy`."""

    def __init__(self, model: Model, decoder: Decoder) -> None:
        self._decoder = decoder
        self._prompt = 0
        self._held = 0
        self.model = model

    def begin(self, prompt: Sequence[int]) -> int:
        """See `Greedy`. Raises BenchError where llama.cpp cannot evaluate it."""
        self._decoder.clear()
        self._held = 0
        for start in range(0, len(prompt), BATCH_TOKENS):
            part = prompt[start : start + BATCH_TOKENS]
            answers = self._decode(part, wanted=1)
        self._prompt = self._held
        return answers[-1]

    def follow(self, tokens: Sequence[int]) -> list[int]:
        """See `Greedy`. Raises BenchError where llama.cpp cannot evaluate them."""
        return self._decode(tokens, wanted=len(tokens))

    def keep(self, count: int) -> None:
        """See `Greedy`."""
        wanted = self._prompt + count
        if wanted < self._held:
            self._decoder.truncate(0, wanted)
            self._held = wanted

    def _decode(self, tokens: Sequence[int], wanted: int) -> list[int]:
        first = len(tokens) - wanted
        rows = [Row(token, self._held + at, 0, at >= first) for at, token in enumerate(tokens)]
        status = self._decoder.decode(rows)
        if status is not DecodeStatus.DONE:
            raise BenchError(f"llama.cpp could not decode a batch ({status.name.lower()}): try a shorter context.")
        self._held += len(tokens)
        answers: list[int] = self._decoder.logits(wanted).argmax(axis=1).tolist()
        return answers


@dataclass(frozen=True)
class Pair:
    """A target, its draft, and the context length of both, in tokens."""

    target: LlamaGreedy
    draft: LlamaGreedy
    context: int


@contextlib.contextmanager
def loaded(target: Path, draft: Path, threads: int) -> Iterator[Pair]:
    """Both models, with `threads` threads each (they never run at once).

    Raises:
        BenchError: a file is not a model that llama.cpp can load, or the two do not share a tokenizer.
    """
    with contextlib.ExitStack() as cleanup:
        models = []
        for path in (target, draft):
            if not path.is_file():
                raise BenchError(f"There is no model at {path}: pass a GGUF file.")
            try:
                model = Model(str(path))
            except WorkerError as error:
                raise BenchError(str(error)) from None
            cleanup.callback(model.close)
            models.append(model)
        if difference := tokenizers_differ(*models):
            raise BenchError(f"{draft} cannot be a draft of {target}: {difference}. Both need one tokenizer.")
        context = min(MAX_CONTEXT, *(model.trained_context or MAX_CONTEXT for model in models))
        greedy = []
        for model in models:
            try:
                decoder = Decoder(
                    model,
                    sequences=1,
                    context_tokens=context,
                    batch_tokens=BATCH_TOKENS,
                    micro_batch_tokens=BATCH_TOKENS,
                )
            except WorkerError as error:
                raise BenchError(str(error)) from None
            cleanup.callback(decoder.close)
            decoder.set_threads(threads, threads)
            greedy.append(LlamaGreedy(model, decoder))
        yield Pair(greedy[0], greedy[1], context)


def tokenizers_differ(one: Model, other: Model) -> str:
    """What differs between two models' vocabularies, "" if nothing does that matters here."""
    if one.vocabulary_size != other.vocabulary_size:
        return f"one has {one.vocabulary_size} tokens, the other {other.vocabulary_size}"
    if one.fim != other.fim or one.end_tokens != other.end_tokens or one.bos != other.bos:
        return "their control tokens differ"
    for token in range(one.vocabulary_size):
        if one.piece(token) != other.piece(token):
            return f"token {token} is {one.piece(token)!r} in one and {other.piece(token)!r} in the other"
    return ""
