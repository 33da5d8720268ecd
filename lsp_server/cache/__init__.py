"""What was generated, found again while the person types it: text, where it was generated, and whether it is whole.

Pure. The text is kept as generated; it is trimmed for the cursor at which it is shown, so after an auto-closed bracket
was typed over, what stands behind it is still there to show.

`store` is the cache; `radix` the tree it keeps entries in; `blocks` where the tree's keys begin; `surroundings` whether
what stands around still agrees, and whether it is stale; `indentation` what is left where the editor indented
differently; `entries` what is kept and found.
"""

from lsp_server.cache.entries import Completeness, Entry, Match
from lsp_server.cache.store import MAX_BYTES, TTL_S, Cache

__all__ = ["MAX_BYTES", "TTL_S", "Cache", "Completeness", "Entry", "Match"]
