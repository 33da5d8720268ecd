"""How likely a model finds the truth with a context, in nats: what snippets change shows here first, without sampling.

Exact match moves when the likeliest token changes at every place; the likelihood moves with each of them. So it tells
apart at some hundred cursors what exact match would need thousands for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.errors import BenchError
from gpu_worker.engines.llama_api import Model
from gpu_worker.engines.llama_decoder import Decoder, DecodeStatus, Row
from gpu_worker.errors import WorkerError
from gpu_worker.models import resolve
from gpu_worker.prompt import PromptBuilder
from wire_protocol.frames import Context

BATCH_TOKENS: Final = 512
MAX_CONTEXT: Final = 4_096
MAX_TRUTH: Final = 64
"""Tokens of the truth that count."""


class Likelihood:
    """One model in llama.cpp, with the worker's own prompt."""

    def __init__(self, model: Model, decoder: Decoder) -> None:
        self._model = model
        self._decoder = decoder
        self._prompts = PromptBuilder(model, decoder.context_tokens)

    def nats(self, context: Context, truth: str) -> float:
        """-log p(truth | context), of its first MAX_TRUTH tokens; the truth is tokenised on its own, as in training.

        Raises:
            BenchError: llama.cpp cannot evaluate it.
        """
        prompt = self._prompts.build(context, MAX_TRUTH).tokens
        tokens = [*prompt, *self._model.tokenize(truth)[:MAX_TRUTH]]
        self._decoder.clear()
        total = 0.0
        for start in range(0, len(tokens), BATCH_TOKENS):
            part = tokens[start : start + BATCH_TOKENS]
            wanted = [at for at in range(start, start + len(part)) if len(prompt) - 1 <= at < len(tokens) - 1]
            rows = [Row(token, start + at, 0, start + at in wanted) for at, token in enumerate(part)]
            if (status := self._decoder.decode(rows)) is not DecodeStatus.DONE:
                raise BenchError(f"llama.cpp could not decode a batch ({status.name.lower()}): try a shorter context.")
            for row, at in zip(self._decoder.logits(len(wanted)) if wanted else (), wanted, strict=True):
                highest = float(row.max())
                total += highest + float(np.log(np.exp(row - highest).sum())) - float(row[tokens[at + 1]])
        return total


@contextlib.contextmanager
def loaded(name: str) -> Iterator[Likelihood]:
    """A model by its name or path. Raises BenchError."""
    with contextlib.ExitStack() as cleanup:
        try:
            path: Path = resolve(name)
            model = Model(str(path))
            cleanup.callback(model.close)
            decoder = Decoder(
                model,
                sequences=1,
                context_tokens=min(model.trained_context, MAX_CONTEXT),
                batch_tokens=BATCH_TOKENS,
                micro_batch_tokens=BATCH_TOKENS,
            )
            cleanup.callback(decoder.close)
        except WorkerError as error:
            raise BenchError(str(error)) from None
        yield Likelihood(model, decoder)
