"""What makes two asks the same work, but for what was typed at the cursor; pure."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from edge_proxy.requests import Ask
from wire_protocol.frames import Snippet

KEY_BYTES: Final = 16
"""Of BLAKE2b: two different texts of all that a region sees in a year collide with a chance below 1e-15."""


def base_key(ask: Ask) -> bytes:
    """A digest of tenant, arm, parameters, `before`, `after`, path and language: all but `typed`, `tail` and snippets.

    Each part is preceded by its length, so that no two lists of parts look alike.
    """
    context = ask.context
    head = (ask.tenant, ask.arm, ask.lines, str(ask.max_tokens), *ask.stop)
    return _digest((*head, context.before, context.after, context.path, context.language), len(head))


def snippets_key(snippets: Sequence[Snippet]) -> bytes:
    """A digest of the snippets; empty if there are none."""
    if not snippets:
        return b""
    return _digest([part for snippet in snippets for part in (snippet.path, snippet.text)], len(snippets))


def _digest(parts: Sequence[str], count: int) -> bytes:
    data = [part.encode("utf-8", "surrogatepass") for part in parts]
    digest = blake2b(digest_size=KEY_BYTES)
    digest.update(f"{count}:{','.join(str(len(part)) for part in data)}:".encode())
    digest.update(b"".join(data))
    return digest.digest()
