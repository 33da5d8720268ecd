"""What makes two asks the same work, but for what was typed at the cursor; pure."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from edge_proxy.requests import Ask
from wire_protocol.frames import Snippet

KEY_BYTES: Final = 16
"""Of SHA-256, which processors compute: two different texts of all that a region sees in a year collide with a chance
below 1e-15."""


def base_key(ask: Ask) -> bytes:
    """A digest of tenant, arm, model, parameters, `before`, `after`, path and language.

    That is all but `typed`, `tail` and snippets.

    Each part is preceded by its length, so that no two lists of parts look alike.
    """
    context = ask.context
    head = (ask.tenant, ask.arm, ask.model, ask.lines, str(ask.max_tokens), *ask.stop)
    return _digest((*head, context.before, context.after, context.path, context.language), len(head))


def snippets_key(snippets: Sequence[Snippet]) -> bytes:
    """A digest of the snippets; empty if there are none."""
    if not snippets:
        return b""
    return _digest([part for snippet in snippets for part in (snippet.path, snippet.text)], len(snippets))


def _digest(parts: Sequence[str], count: int) -> bytes:
    data = [part.encode("utf-8", "surrogatepass") for part in parts]
    lengths = ",".join([str(len(part)) for part in data])
    return sha256(b"".join((f"{count}:{lengths}:".encode(), *data))).digest()[:KEY_BYTES]
