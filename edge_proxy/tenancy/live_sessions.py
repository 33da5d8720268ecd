"""Which sessions live by which token: whom a revocation cuts, and whose token runs out when; pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from edge_proxy.tenancy.identity import Identity

_STALE_ENDS: Final = 64
"""Ends of sessions gone that may lie about, beside one per session, before the heap is built anew: a call of the OpenAI
door is a session, and its token may have an hour or a year yet."""


class Warn(NamedTuple):
    """The session's token has run out; it is cut after the allowed skew unless it sends a new one."""

    session: int


class Cut(NamedTuple):
    """The session has to end now."""

    session: int


@dataclass(frozen=True, slots=True, order=True)
class _End:
    at: float
    session: int = field(compare=False)
    identity: Identity = field(compare=False)
    warned: bool = field(compare=False)


class LiveSessions:
    """`wall` gives seconds since the epoch; a token is honoured for `skew` seconds after its end."""

    def __init__(self, wall: Callable[[], float], skew: Callable[[str], float]) -> None:
        """`skew` gives the seconds for a credential."""
        self._wall: Final = wall
        self._skew: Final = skew
        self._identities: Final[dict[int, Identity]] = {}
        self._by_credential: Final[dict[str, set[int]]] = {}
        self._ends: list[_End] = []
        """A heap; an end whose token was replaced since is passed over when its time comes."""

    def __len__(self) -> int:
        return len(self._identities)

    def opened(self, session: int, identity: Identity) -> None:
        """A session begins with this token, or goes on with it instead of its last one."""
        self.closed(session)
        self._identities[session] = identity
        self._by_credential.setdefault(identity.credential, set()).add(session)
        if identity.expires is None:
            return
        if len(self._ends) > 2 * len(self._identities) + _STALE_ENDS:
            self._ends = [end for end in self._ends if self._identities.get(end.session) is end.identity]
            heapq.heapify(self._ends)
        if identity.expires > self._wall():
            heapq.heappush(self._ends, _End(identity.expires, session, identity, warned=False))
        else:  # it began within the skew; a warning would send the client round in circles
            at = identity.expires + self._skew(identity.credential)
            heapq.heappush(self._ends, _End(at, session, identity, warned=True))

    def closed(self, session: int) -> None:
        """The session has ended."""
        identity = self._identities.pop(session, None)
        if identity is None:
            return
        others = self._by_credential[identity.credential]
        others.discard(session)
        if not others:
            del self._by_credential[identity.credential]

    def orphans(self, knows: Callable[[str], bool]) -> list[int]:
        """Sessions whose tokens are known no more; asks once per token, not per session."""
        return [
            session
            for credential, sessions in self._by_credential.items()
            if not knows(credential)
            for session in sessions
        ]

    def due(self) -> Iterator[Warn | Cut]:
        """Whose token has run out since the last call."""
        now = self._wall()
        while self._ends and self._ends[0].at <= now:
            end = heapq.heappop(self._ends)
            if self._identities.get(end.session) is not end.identity:
                continue
            skew = self._skew(end.identity.credential)
            if end.warned or skew <= 0.0:
                yield Cut(end.session)
            else:
                heapq.heappush(self._ends, _End(end.at + skew, end.session, end.identity, warned=True))
                yield Warn(end.session)
