"""A loaded GGUF model: a thin, typed layer over llama.cpp's C interface, as llama-cpp-python exposes it.

With `llama_decoder` the only file that touches these untyped bindings.
"""

from __future__ import annotations

import ctypes
import logging
from typing import Any

from llama_cpp import llama_cpp

from gpu_worker.errors import WorkerError
from gpu_worker.fim import FimTokens, find_tokens

C: Any = llama_cpp
"""Untyped on purpose: the annotations of these bindings differ between their versions and from what they do."""

log = logging.getLogger(__name__)

NO_TOKEN = -1
PIECE_BYTES = 256
"""First guess for a token's text; longer ones are asked for again."""
_ERROR_LEVEL = 4
_LEVELS = {1: logging.DEBUG, 2: logging.INFO, 3: logging.WARNING, _ERROR_LEVEL: logging.ERROR}
"""ggml's log levels; 5 continues the line before."""
_MAXLLAMA_LOG_LINE = 500


class LlamaLog:
    """Sends llama.cpp's log to `logging` and remembers its last error, which says why a load failed."""

    def __init__(self) -> None:
        self.last_error = ""
        self.callback: Any = None

    def install(self) -> None:
        if self.callback is None:
            self.callback = C.llama_log_callback(self._line)
        # llama_cpp installs its own printer when it is imported: replace it each time.
        C.llama_log_set(self.callback, ctypes.c_void_p(0))

    def _line(self, level: int, text: bytes, _: Any) -> None:
        line = text.decode("utf-8", "replace").strip()[:_MAXLLAMA_LOG_LINE]
        if level == _ERROR_LEVEL and line:
            self.last_error = line
        if line:
            log.debug("llama.cpp %s: %s", logging.getLevelName(_LEVELS.get(level, logging.DEBUG)).lower(), line)


LLAMA_LOG = LlamaLog()
"""llama.cpp's log callback is one for the process, so its receiver is too."""


class Model:
    """A loaded GGUF file: weights, vocabulary, metadata. Close it after its contexts."""

    def __init__(self, path: str, *, vocabulary_only: bool = False, gpu_layers: int = 0, mmap: bool = True) -> None:
        """Load. Raises WorkerError when the file is not a model that llama.cpp can read."""
        LLAMA_LOG.install()
        C.llama_backend_init()
        params = C.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.vocab_only = vocabulary_only
        if not mmap and hasattr(C, "LLAMA_LOAD_MODE_NONE"):
            params.load_mode = C.LLAMA_LOAD_MODE_NONE
        # SentencePiece models would add a space to every part that is tokenised on its own.
        overrides = (C.llama_model_kv_override * 2)()
        overrides[0].tag = C.LLAMA_KV_OVERRIDE_TYPE_BOOL
        overrides[0].key = b"tokenizer.ggml.add_space_prefix"
        overrides[0].value.val_bool = False
        params.kv_overrides = ctypes.cast(overrides, ctypes.POINTER(C.llama_model_kv_override))
        LLAMA_LOG.last_error = ""
        self._handle: Any = C.llama_model_load_from_file(path.encode("utf-8", "surrogateescape"), params)
        if not self._handle:
            why = f" (llama.cpp says: {LLAMA_LOG.last_error})" if LLAMA_LOG.last_error else ""
            raise WorkerError(
                f"{path} is not a GGUF model that this llama.cpp can load{why}: download it again, "
                "or choose another with --model."
            )
        self._vocab: Any = C.llama_model_get_vocab(self._handle)
        self.vocabulary_size: int = C.llama_vocab_n_tokens(self._vocab)
        self._pieces: dict[int, bytes] = {}
        self.fim: FimTokens | None = self._find_fim()
        bos = C.llama_vocab_bos(self._vocab)
        self.bos: int | None = bos if C.llama_vocab_get_add_bos(self._vocab) and bos != NO_TOKEN else None
        self.end_tokens: frozenset[int] = self._find_ends()

    @property
    def handle(self) -> Any:
        """The C pointer, for contexts."""
        return self._handle

    @property
    def trained_context(self) -> int:
        """Tokens of context the model was trained with."""
        return int(C.llama_model_n_ctx_train(self._handle))

    @property
    def generates(self) -> bool:
        """Whether the model continues text (an embedding model, or an encoder, does not)."""
        decodes = C.llama_model_has_decoder(self._handle) and not C.llama_model_has_encoder(self._handle)
        return bool(decodes) and not self.metadata("general.architecture").endswith("bert")

    def metadata(self, key: str) -> str:
        """A metadata value as text, empty if absent."""
        buffer = ctypes.create_string_buffer(PIECE_BYTES)
        length = C.llama_model_meta_val_str(self._handle, key.encode(), buffer, PIECE_BYTES)
        return buffer.value.decode("utf-8", "replace") if length >= 0 else ""

    def tokenize(self, text: str) -> list[int]:
        """The ids of a user's text; never a control token, whatever the text says."""
        tokens = self._tokenize(text, special=False)
        if self._control.isdisjoint(tokens):
            return tokens
        return self._tokenize_broken(text)

    def control_token(self, text: str) -> int | None:
        """The id of the control token with exactly this text."""
        tokens = self._tokenize(text, special=True)
        return tokens[0] if len(tokens) == 1 and len(text) > 1 and self._is_control(tokens[0]) else None

    def piece(self, token: int) -> bytes:
        """The bytes of a token's text; empty for control tokens."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._pieces[token] = self._piece(token, special=False)
        return piece

    def ends_line(self, token: int) -> bool:
        """Whether the token's text ends with a newline."""
        return self.piece(token).endswith(b"\n")

    def close(self) -> None:
        """Free the model."""
        if self._handle:
            C.llama_model_free(self._handle)
            self._handle = None

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        if not text:
            return []
        data = text.encode("utf-8", "replace")
        room = len(data) + 2
        buffer = (C.llama_token * room)()
        count = C.llama_tokenize(self._vocab, data, len(data), buffer, room, False, special)
        if count < 0:
            room = -count
            buffer = (C.llama_token * room)()
            count = C.llama_tokenize(self._vocab, data, len(data), buffer, room, False, special)
        return list(buffer[:count])

    def _tokenize_broken(self, text: str) -> list[int]:
        """Some vocabularies mark their markers as user-defined and parse them anyway: cut every marker in two."""
        texts = [self._piece(token, special=True).decode("utf-8", "replace") for token in self._control]
        tokens: list[int] = []
        start = 0
        cuts = sorted(at + 1 for marker in texts if marker for at in _find_all(text, marker))
        for cut in [*cuts, len(text)]:
            tokens += self._tokenize(text[start:cut], special=False)
            start = cut
        return [token for token in tokens if token not in self._control]

    def _piece(self, token: int, *, special: bool) -> bytes:
        size = PIECE_BYTES
        buffer = ctypes.create_string_buffer(size)
        length = C.llama_token_to_piece(self._vocab, token, buffer, size, 0, special)
        if length < 0:
            size = -length
            buffer = ctypes.create_string_buffer(size)
            length = C.llama_token_to_piece(self._vocab, token, buffer, size, 0, special)
        return buffer.raw[: max(0, length)]

    def _is_control(self, token: int) -> bool:
        control = C.LLAMA_TOKEN_ATTR_CONTROL | C.LLAMA_TOKEN_ATTR_USER_DEFINED
        return bool(C.llama_vocab_get_attr(self._vocab, token) & control)

    def _marker(self, token: int) -> int | None:
        return None if token == NO_TOKEN else int(token)

    def _find_fim(self) -> FimTokens | None:
        prefix = self._marker(C.llama_vocab_fim_pre(self._vocab))
        suffix = self._marker(C.llama_vocab_fim_suf(self._vocab))
        middle = self._marker(C.llama_vocab_fim_mid(self._vocab))
        by_text = find_tokens(self.control_token)
        if prefix is None or suffix is None or middle is None or (by_text is not None and by_text.suffix_first):
            return by_text
        separator = self._marker(C.llama_vocab_fim_sep(self._vocab))
        same = by_text is not None and by_text.prefix == prefix
        family = by_text.family if by_text is not None and same else "the vocabulary's own"
        if separator is None and by_text is not None and same:
            separator = by_text.separator
        return FimTokens(prefix, suffix, middle, separator, family)

    def _find_ends(self) -> frozenset[int]:
        ends = {token for token in range(self.vocabulary_size) if C.llama_vocab_is_eog(self._vocab, token)}
        markers = {
            int(find(self._vocab))
            for find in (
                C.llama_vocab_fim_pre,
                C.llama_vocab_fim_suf,
                C.llama_vocab_fim_mid,
                C.llama_vocab_fim_pad,
                C.llama_vocab_fim_rep,
                C.llama_vocab_fim_sep,
            )
        }
        if self.fim is not None:
            found = (self.fim.prefix, self.fim.suffix, self.fim.middle, self.fim.separator)
            markers |= {marker for marker in found if marker is not None}
        controls = {
            token
            for token in range(self.vocabulary_size)
            if C.llama_vocab_get_attr(self._vocab, token) & C.LLAMA_TOKEN_ATTR_CONTROL
        }
        self._control = frozenset((ends | markers | controls) - {NO_TOKEN})
        return self._control


def _find_all(text: str, marker: str) -> list[int]:
    found, at = [], text.find(marker)
    while at >= 0:
        found.append(at)
        at = text.find(marker, at + 1)
    return found
