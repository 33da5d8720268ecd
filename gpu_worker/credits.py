"""How a worker's capacity is divided among the connected proxies: pure bookkeeping of credits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class _Account:
    balance: int = 0
    running: int = 0


class CreditLedger:
    """Keeps balance plus running of every connection at its fair share of `capacity`.

    Shares differ by one at most, the earliest to join having the larger ones; everybody has at least one while there
    is any capacity, so with more connections than capacity the engine queues.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = max(0, capacity)
        self._accounts: dict[int, _Account] = {}

    @property
    def capacity(self) -> int:
        """Requests that all connections together may have running."""
        return self._capacity

    def join(self, connection: int) -> None:
        """Admit a connection; `rebalance` then says what everybody is to be granted."""
        self._accounts.setdefault(connection, _Account())

    def leave(self, connection: int) -> None:
        """A connection is gone; its running requests no longer count."""
        self._accounts.pop(connection, None)

    def resize(self, capacity: int) -> None:
        """The capacity changed (an upstream came or went, or the worker drains)."""
        self._capacity = max(0, capacity)

    def spend(self, connection: int, limit: int) -> bool:
        """Book a submit; False if the connection already has `limit` running, and the submit must be shed.

        A balance may go below zero: a submit can cross a withdrawal on the wire.
        """
        account = self._accounts[connection]
        account.balance -= 1
        if account.running >= limit:
            return False
        account.running += 1
        return True

    def finish(self, connection: int) -> None:
        """A booked request is done."""
        account = self._accounts.get(connection)
        if account is not None and account.running > 0:
            account.running -= 1

    def rebalance(self) -> dict[int, int]:
        """The grants (negative: withdrawals), by connection, that bring everyone to their share; now booked."""
        grants: dict[int, int] = {}
        for rank, (connection, account) in enumerate(self._accounts.items()):
            grant = self._share(rank) - account.balance - account.running
            if grant:
                account.balance += grant
                grants[connection] = grant
        return grants

    def balance(self, connection: int) -> int:
        """The credits a connection has left, as the worker counts them."""
        return self._accounts[connection].balance

    def running(self, connection: int) -> int:
        """The requests of a connection that are not done."""
        return self._accounts[connection].running

    def _share(self, rank: int) -> int:
        if self._capacity == 0:
            return 0
        each, rest = divmod(self._capacity, len(self._accounts))
        return max(1, each + (1 if rank < rest else 0))
