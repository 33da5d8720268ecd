"""The bound on the contexts of all sessions together: the longest idle session's oldest ones go first; pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from wire_protocol.contexts import ContextStore


class ContextBudget:
    """Keeps the sum of what the sessions' stores hold under `max_bytes`. What was evicted is asked for by `resend`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes: Final = max_bytes
        self._stores: OrderedDict[int, tuple[ContextStore, int]] = OrderedDict()  # longest unused first
        self._bytes = 0

    @property
    def bytes_used(self) -> int:
        """Upper estimate of what all sessions hold, in bytes."""
        return self._bytes

    def used(self, session: int, store: ContextStore) -> None:
        """`session`'s store may have changed: note its size, and evict elsewhere until the sum fits again."""
        _, before = self._stores.pop(session, (store, 0))
        self._stores[session] = (store, store.bytes_used)
        self._bytes += store.bytes_used - before
        while self._bytes > self._max_bytes:
            oldest, (idle, size) = next(iter(self._stores.items()))
            freed = idle.evict_one()
            self._bytes -= freed
            if idle.bytes_used == 0 or freed == 0:
                self._bytes -= size - freed
                del self._stores[oldest]
            else:
                self._stores[oldest] = (idle, idle.bytes_used)

    def dropped(self, session: int) -> None:
        """`session` has ended."""
        _, size = self._stores.pop(session, (None, 0))
        self._bytes -= size
