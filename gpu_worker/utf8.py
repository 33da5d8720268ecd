"""Bytes of tokens to text: only whole code points leave, and no carriage return ever does."""

from __future__ import annotations

import codecs


class Utf8Stream:
    """Incremental UTF-8 decoder; an incomplete code point waits for its next bytes, invalid bytes give U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> str:
        """The whole code points that `data` completes, without `\\r` (contexts use `\\n` only)."""
        text = self._decoder.decode(data)
        return text.replace("\r", "") if "\r" in text else text
