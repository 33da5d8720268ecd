"""First come, first served: the order of service that the proxy is compared with; conforms to `edge_proxy.waiting`."""

from __future__ import annotations

from collections.abc import Iterator

from edge_proxy.requests import Request


class FirstComeLine:
    """By arrival alone: no classes, no tenants."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}

    def __len__(self) -> int:
        return len(self._requests)

    def __contains__(self, request: Request) -> bool:
        return request.seq in self._requests

    def __iter__(self) -> Iterator[Request]:
        for seq in sorted(self._requests):
            yield self._requests[seq]

    def add(self, request: Request) -> None:
        """Behind all that came before it."""
        self._requests[request.seq] = request

    def first(self) -> Request:
        """The oldest. Raises IndexError if there is none."""
        if not self._requests:
            raise IndexError("the waiting line is empty")
        return self._requests[min(self._requests)]

    def last(self) -> Request:
        """The newest. Raises IndexError if there is none."""
        if not self._requests:
            raise IndexError("the waiting line is empty")
        return self._requests[max(self._requests)]

    def remove(self, request: Request) -> None:
        """Take `request` out. Raises KeyError if it is not waiting."""
        del self._requests[request.seq]

    serve = remove

    def share(self, tenant: str) -> float:
        """There are no shares."""
        return 1.0

    def urgent(self) -> int:
        """How many are not prefetches."""
        return sum(request.ask.kind != "prefetch" for request in self._requests.values())
