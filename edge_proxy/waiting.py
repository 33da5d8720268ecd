"""The line of requests that no worker has taken yet: classes in order, tenants fairly, newest first; pure.

Inside a class the tenants take turns by start-time fair queueing (Goyal, Vin and Cheng 1996): each service moves a
tenant's virtual time by `1 / weight`, and the tenant with the least virtual time is next. A tenant that comes back from
idleness starts at the present virtual time, so nobody saves up turns. Virtual times span the classes, so a tenant's
invoked requests count against its automatic ones. With one tenant, or a line of one, this is newest first and nothing
else: fairness costs only where there is contention.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from edge_proxy.requests import CLASSES, Request


class Line(Protocol):
    """What the scheduler needs of an ordering policy; `tests/edge_proxy/test_ordering_policies.py` is its conformance
    test.
    """

    def __len__(self) -> int: ...
    def __contains__(self, request: Request) -> bool: ...
    def __iter__(self) -> Iterator[Request]:
        """In the order in which they would be served if nothing else came."""

    def add(self, request: Request) -> None:
        """Put `request` in its place; one that comes back keeps the place its arrival gives it."""

    def first(self) -> Request:
        """The one to be served next. Raises IndexError if there is none."""

    def last(self) -> Request:
        """The one that would be served last. Raises IndexError if there is none."""

    def remove(self, request: Request) -> None:
        """It leaves without service. Raises KeyError if it is not waiting."""

    def serve(self, request: Request) -> None:
        """It leaves because a worker takes it. Raises KeyError if it is not waiting."""

    def urgent(self) -> int:
        """How many somebody waits for: those that are not prefetches."""

    def share(self, tenant: str) -> float:
        """The part of the service that `tenant`, which waits, gets while all that wait now go on waiting; up to 1."""


def equal_weights(tenant: str) -> float:
    """Every tenant has the same share."""
    return 1.0


class FairLine:
    """Ordered by (class, tenant's turn, newest arrival). `weight` gives a tenant's share, above 0.

    Arrivals are appended in O(1); one that comes back or leaves from the middle costs a memmove; the next and the last
    one are found in O(tenants that wait).
    """

    def __init__(self, weight: Callable[[str], float] = equal_weights) -> None:
        self._weight: Final = weight
        self._classes: tuple[dict[str, list[int]], ...] = tuple({} for _ in CLASSES)  # per tenant, ascending arrivals
        self._requests: dict[int, Request] = {}
        self._counts: dict[str, int] = {}
        """Requests of each tenant that waits."""
        self._times: dict[str, float] = {}
        """Virtual times: of all tenants that wait, and of those that left ahead of the present time."""
        self._now = 0.0

    def __len__(self) -> int:
        return len(self._requests)

    def __contains__(self, request: Request) -> bool:
        return request.seq in self._requests

    def __iter__(self) -> Iterator[Request]:
        times = dict(self._times)
        for tenants in self._classes:
            if len(tenants) == 1:
                ((tenant, order),) = tenants.items()
                times[tenant] += len(order) / self._weight(tenant)
                for seq in reversed(order):
                    yield self._requests[seq]
                continue
            left = {tenant: list(order) for tenant, order in tenants.items()}
            turns = [(times[tenant], -order[-1], tenant) for tenant, order in left.items()]
            heapq.heapify(turns)
            while turns:
                _, newest, tenant = heapq.heappop(turns)
                left[tenant].pop()
                times[tenant] += 1.0 / self._weight(tenant)
                if left[tenant]:
                    heapq.heappush(turns, (times[tenant], -left[tenant][-1], tenant))
                yield self._requests[-newest]

    def add(self, request: Request) -> None:
        """Put `request` in its place."""
        tenant = request.ask.tenant
        order = self._classes[CLASSES[request.ask.kind]].setdefault(tenant, [])
        if not order or order[-1] < request.seq:
            order.append(request.seq)
        else:
            order.insert(bisect_left(order, request.seq), request.seq)
        self._requests[request.seq] = request
        waiting = self._counts.get(tenant, 0)
        self._counts[tenant] = waiting + 1
        if not waiting:
            self._times[tenant] = max(self._now, self._times.get(tenant, 0.0))

    def first(self) -> Request:
        """The one to be served next. Raises IndexError if there is none."""
        for tenants in self._classes:
            if len(tenants) == 1:
                (order,) = tenants.values()
                return self._requests[order[-1]]
            if tenants:
                order = min(tenants.items(), key=lambda item: (self._times[item[0]], -item[1][-1]))[1]
                return self._requests[order[-1]]
        raise IndexError("the waiting line is empty")

    def last(self) -> Request:
        """The one that would be served last. Raises IndexError if there is none."""
        for tenants in reversed(self._classes):
            if tenants:
                order = max(tenants.items(), key=lambda item: (self._last_time(item[0]), -item[1][0]))[1]
                return self._requests[order[0]]
        raise IndexError("the waiting line is empty")

    def _last_time(self, tenant: str) -> float:
        return self._times[tenant] + (self._counts[tenant] - 1) / self._weight(tenant)

    def remove(self, request: Request) -> None:
        """Take `request` out without service. Raises KeyError if it is not waiting."""
        del self._requests[request.seq]
        tenant = request.ask.tenant
        tenants = self._classes[CLASSES[request.ask.kind]]
        order = tenants[tenant]
        del order[bisect_left(order, request.seq)]
        if not order:
            del tenants[tenant]
        if self._counts[tenant] > 1:
            self._counts[tenant] -= 1
        else:
            del self._counts[tenant]
        if not self._requests:
            # Nobody waits, so nobody is owed a turn.
            self._times.clear()
            self._now = 0.0
        elif tenant not in self._counts and self._times[tenant] <= self._now:
            del self._times[tenant]

    def serve(self, request: Request) -> None:
        """Take `request` out because it is served: its tenant's turn is used. Raises KeyError if it is not waiting."""
        if request.seq not in self._requests:
            raise KeyError(request.seq)
        tenant = request.ask.tenant
        if len(self._counts) > 1:
            self._now = max(self._now, min(self._times[other] for other in self._counts))
        else:
            self._now = max(self._now, self._times[tenant])
        self._times[tenant] += 1.0 / self._weight(tenant)
        self.remove(request)

    def share(self, tenant: str) -> float:
        """By the weights of the tenants that wait."""
        if len(self._counts) == 1:
            return 1.0
        return self._weight(tenant) / sum(map(self._weight, self._counts))

    def urgent(self) -> int:
        """How many are not prefetches."""
        return len(self._requests) - sum(map(len, self._classes[CLASSES["prefetch"]].values()))
