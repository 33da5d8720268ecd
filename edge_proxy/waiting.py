"""The line of requests that no worker has taken yet: classes in order, newest first inside a class; pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from edge_proxy.requests import CLASSES, Request


class WaitingLine:
    """Ordered by (class, newest arrival). A request that comes back keeps the place its arrival gives it.

    Arrivals are appended in O(1); one that comes back or leaves from the middle costs a memmove.
    """

    def __init__(self) -> None:
        self._order: tuple[list[int], ...] = tuple([] for _ in CLASSES)  # arrival numbers, ascending, per class
        self._requests: dict[int, Request] = {}

    def __len__(self) -> int:
        return len(self._requests)

    def __contains__(self, request: Request) -> bool:
        return request.seq in self._requests

    def __iter__(self) -> Iterator[Request]:
        """In the order in which they would be served."""
        for order in self._order:
            for seq in reversed(order):
                yield self._requests[seq]

    def _order_of(self, request: Request) -> list[int]:
        return self._order[CLASSES[request.ask.kind]]

    def add(self, request: Request) -> None:
        """Put `request` in its place."""
        order = self._order_of(request)
        if not order or order[-1] < request.seq:
            order.append(request.seq)
        else:
            order.insert(bisect_left(order, request.seq), request.seq)
        self._requests[request.seq] = request

    def first(self) -> Request:
        """The one to be served next. Raises IndexError if there is none."""
        for order in self._order:
            if order:
                return self._requests[order[-1]]
        raise IndexError("the waiting line is empty")

    def last(self) -> Request:
        """The one that would be served last. Raises IndexError if there is none."""
        for order in reversed(self._order):
            if order:
                return self._requests[order[0]]
        raise IndexError("the waiting line is empty")

    def remove(self, request: Request) -> None:
        """Take `request` out. Raises KeyError if it is not waiting."""
        del self._requests[request.seq]
        order = self._order_of(request)
        del order[bisect_left(order, request.seq)]
