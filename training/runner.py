"""Runs a GGUF file token by token through llama.cpp's own API, for measuring: ids in, log-probabilities out."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import llama_cpp.llama_cpp as llama
import numpy as np


class Runner:
    """One model, one sequence. Use as a context manager."""

    def __init__(self, path: Path, context: int = 2048, threads: int = 1) -> None:
        """Load a model.

        Raises:
            SystemExit: the file is missing or llama.cpp cannot load it.
        """
        if not path.exists():
            raise SystemExit(f"No model at {path}: run `python -m training.export` first.")
        llama.llama_log_set(_quiet, ctypes.c_void_p(0))
        llama.llama_backend_init()
        model = llama.llama_model_load_from_file(str(path).encode(), llama.llama_model_default_params())
        if not model:
            raise SystemExit(f"llama.cpp cannot load {path}: it is damaged or not a GGUF file.")
        options = llama.llama_context_default_params()
        options.n_ctx = options.n_batch = options.n_ubatch = context
        options.n_threads = options.n_threads_batch = threads
        # The cache in fp32 would change nothing measurable; off, attention is exact.
        options.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.context = context
        self.model = model
        self.state = llama.llama_init_from_model(model, options)
        self.vocab = llama.llama_model_get_vocab(model)
        self.size = llama.llama_vocab_n_tokens(self.vocab)
        self.batch = llama.llama_batch_init(context, 0, 1)
        self.used = 0

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        llama.llama_batch_free(self.batch)
        llama.llama_free(self.state)
        llama.llama_model_free(self.model)

    def tokenize(self, text: str) -> list[int]:
        """llama.cpp's own tokens of a text, in which markers are plain text."""
        data = text.encode()
        room = len(data) + 8
        buffer = (llama.llama_token * room)()
        count = llama.llama_tokenize(self.vocab, data, len(data), buffer, room, False, False)
        return list(buffer[:count])

    def forget(self) -> None:
        """Begin a new text."""
        llama.llama_memory_clear(llama.llama_get_memory(self.state), True)
        self.used = 0

    def feed(self, tokens: Sequence[int], wanted: int = 1) -> np.ndarray:
        """Evaluate tokens after those already fed; the logits after each of the last `wanted`, (wanted, vocabulary).

        Raises:
            ValueError: nothing to feed, or more than the context holds.
            RuntimeError: llama.cpp failed.
        """
        if not tokens or self.used + len(tokens) > self.context:
            raise ValueError(f"cannot feed {len(tokens)} tokens after {self.used} of {self.context}")
        first = len(tokens) - wanted
        batch = self.batch
        batch.n_tokens = len(tokens)
        for at, token in enumerate(tokens):
            batch.token[at] = token
            batch.pos[at] = self.used + at
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = 0
            batch.logits[at] = at >= first
        if code := llama.llama_decode(self.state, batch):
            raise RuntimeError(f"llama_decode failed with code {code}")
        self.used += len(tokens)
        return np.stack([self._row(at) for at in range(first, len(tokens))])

    def _row(self, at: int) -> np.ndarray:
        pointer = llama.llama_get_logits_ith(self.state, at)
        return np.array(np.ctypeslib.as_array(pointer, shape=(self.size,)))

    def greedy(self, prompt: Sequence[int], limit: int, stops: frozenset[int] = frozenset()) -> list[int]:
        """The likeliest token again and again, up to a limit or before a stop token."""
        self.forget()
        out: list[int] = []
        row = self.feed(prompt)[-1]
        while len(out) < limit:
            token = int(row.argmax())
            if token in stops:
                break
            out.append(token)
            if len(out) < limit:
                row = self.feed([token])[-1]
        return out


# llama.cpp tells much while it loads; failures show in return values.
_quiet = llama.llama_log_callback(lambda level, text, data: None)
