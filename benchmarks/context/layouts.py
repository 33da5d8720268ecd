"""How many tokens contexts take in a larger model's layout, from its vocabulary alone: without weights nothing is said.

llama.cpp's source holds vocabularies without weights (`models/ggml-vocab-qwen2.gguf`). Where one names no
fill-in-the-middle markers, as Qwen2's, whose successor Qwen2.5-Coder adds them, each marker counts as one token.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.errors import BenchError
from gpu_worker.engines.llama_api import Model
from gpu_worker.errors import WorkerError
from gpu_worker.fim import FimTokens
from gpu_worker.prompt import PromptBuilder
from wire_protocol.frames import Context

MAX_NEW: Final = 64
CONTEXT_TOKENS: Final = 32_768
"""What code models of 2024 and later were trained with; nothing is cut."""


@dataclass(frozen=True)
class _Vocabulary:
    """A model's tokens with markers that it lacks."""

    model: Model
    fim: FimTokens

    @property
    def bos(self) -> int | None:
        return self.model.bos

    def tokenize(self, text: str) -> list[int]:
        return self.model.tokenize(text)

    def ends_line(self, token: int) -> bool:
        return self.model.ends_line(token)


class Layout:
    """The worker's prompts in one vocabulary."""

    def __init__(self, path: Path) -> None:
        """Read the vocabulary of a GGUF file. Raises BenchError."""
        try:
            model = Model(str(path), vocabulary_only=True)
        except WorkerError as error:
            raise BenchError(str(error)) from None
        missing = model.vocabulary_size  # ids beyond the vocabulary: no text has them
        markers = model.fim or FimTokens(missing, missing + 1, missing + 2, missing + 3)
        self._prompts = PromptBuilder(_Vocabulary(model, markers), CONTEXT_TOKENS)

    def tokens(self, context: Context) -> int:
        """Of the whole prompt."""
        return len(self._prompts.build(context, MAX_NEW).tokens)
