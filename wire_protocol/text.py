"""Text as contexts carry it: `\n` line ends only, and no code point that UTF-8 cannot encode."""

from __future__ import annotations

import re
from typing import Final

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    r"""`text` with `\r\n` and `\r` as `\n`, and each lone surrogate as U+FFFD (editors send half-typed emoji)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = _LONE_SURROGATE.sub(_REPLACEMENT, text)
    return text
