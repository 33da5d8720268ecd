"""A llama.cpp context: the split KV cache of several sequences, and batches decoded into it.

Traps that it keeps away from callers (measured, 0.3.36): a partial `seq_cp` on a split cache aborts the process, so
sequences are copied whole; decoding an occupied position fails, so callers remove first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from gpu_worker.engines.llama_api import LLAMA_LOG, C, Model
from gpu_worker.errors import WorkerError


class DecodeStatus(Enum):
    """What became of a batch."""

    DONE = 0
    FULL = 1
    ABORTED = 2
    FAILED = -1


PREFILL_ROWS = 32
"""A batch of so many rows evaluates a prompt."""


@dataclass(frozen=True, slots=True)
class Row:
    """One token of a batch: where it goes, and whether its logits are wanted."""

    token: int
    position: int
    sequence: int
    logits: bool


class Decoder:
    """A context: the split KV cache of some sequences, and batches decoded into it. One thread at a time."""

    def __init__(
        self, model: Model, *, sequences: int, context_tokens: int, batch_tokens: int, micro_batch_tokens: int
    ) -> None:
        """Allocate. Raises WorkerError when llama.cpp cannot."""
        params = C.llama_context_default_params()
        params.n_ctx = context_tokens * sequences
        params.n_batch = batch_tokens
        params.n_ubatch = min(micro_batch_tokens, batch_tokens)
        params.n_seq_max = sequences
        params.kv_unified = False  # with one for all, idle long documents slow every step 1.6 to 2.4 times
        params.no_perf = True
        LLAMA_LOG.last_error = ""
        self._handle: Any = C.llama_init_from_model(model.handle, params)
        if not self._handle:
            why = f" (llama.cpp says: {LLAMA_LOG.last_error})" if LLAMA_LOG.last_error else ""
            raise WorkerError(
                f"No memory for {sequences} sequences of {context_tokens} tokens{why}: "
                "lower --parallel or --context, or choose a smaller model."
            )
        self._memory: Any = C.llama_get_memory(self._handle)
        self._vocabulary = model.vocabulary_size
        self.context_tokens: int = C.llama_n_ctx_seq(self._handle)
        self.batch_tokens = batch_tokens
        self._batch: Any = C.llama_batch_init(batch_tokens, 0, 1)
        shape = (batch_tokens,)
        self._tokens = np.ctypeslib.as_array(self._batch.token, shape)
        self._positions = np.ctypeslib.as_array(self._batch.pos, shape)
        self._wants = np.ctypeslib.as_array(self._batch.logits, shape)
        np.ctypeslib.as_array(self._batch.n_seq_id, shape)[:] = 1
        self._sequences = [self._batch.seq_id[at] for at in range(batch_tokens)]
        self._abort: Any = None
        self._no_abort: Any = C.ggml_abort_callback()
        self._threads = self._prefill_threads = 1

    def set_threads(self, generating: int, prefilling: int) -> None:
        """Threads of the next decodes, of less and of at least PREFILL_ROWS rows."""
        self._threads, self._prefill_threads = generating, prefilling

    def set_abort(self, wanted: Callable[[], bool] | None) -> None:
        """Ask `wanted` often during decodes; True stops them. It is called from the decoding thread."""
        if wanted is None:
            self._abort = None
            C.llama_set_abort_callback(self._handle, self._no_abort, None)
            return
        self._abort = C.ggml_abort_callback(lambda _: wanted())
        C.llama_set_abort_callback(self._handle, self._abort, None)

    def decode(self, rows: Sequence[Row]) -> DecodeStatus:
        """Evaluate one batch of at most `batch_tokens` rows; positions of a sequence must follow on what it holds."""
        count = len(rows)
        self._tokens[:count] = [row.token for row in rows]
        self._positions[:count] = [row.position for row in rows]
        self._wants[:count] = [row.logits for row in rows]
        sequences = self._sequences
        for at, row in enumerate(rows):
            sequences[at][0] = row.sequence
        self._batch.n_tokens = count
        # llama.cpp's own distinction begins at two rows, where a second thread costs more than it brings.
        threads = self._prefill_threads if count >= PREFILL_ROWS else self._threads
        C.llama_set_n_threads(self._handle, threads, threads)
        code = C.llama_decode(self._handle, self._batch)
        if code == 0:
            return DecodeStatus.DONE
        if code in (DecodeStatus.FULL.value, DecodeStatus.ABORTED.value):
            return DecodeStatus(code)
        return DecodeStatus.FAILED

    def logits(self, count: int) -> npt.NDArray[np.float32]:
        """Logits of the last batch's wanted rows, in their order: (count, vocabulary), valid until the next."""
        pointer = C.llama_get_logits(self._handle)
        return np.ctypeslib.as_array(pointer, (count, self._vocabulary))

    def length(self, sequence: int) -> int:
        """Tokens a sequence holds."""
        return int(C.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    def truncate(self, sequence: int, length: int) -> bool:
        """Keep the first `length` tokens of a sequence; False if the model's memory cannot be cut there."""
        return bool(C.llama_memory_seq_rm(self._memory, sequence, length, -1))

    def copy(self, source: int, target: int) -> None:
        """Make `target` hold what `source` holds, whole."""
        C.llama_memory_seq_rm(self._memory, target, -1, -1)
        C.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def clear(self) -> None:
        """Empty every sequence."""
        C.llama_memory_clear(self._memory, True)

    def close(self) -> None:
        """Free the context."""
        if self._handle:
            C.llama_batch_free(self._batch)
            C.llama_free(self._handle)
            self._handle = None
