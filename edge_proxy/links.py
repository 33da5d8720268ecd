"""The connections to all workers, which a reload may add to and take from while requests run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Final

from edge_proxy.addresses import WorkerAddress
from edge_proxy.dispatch import Dispatcher
from edge_proxy.worker_link import WorkerLink

LOOK_SECONDS: Final = 0.05
"""Between looks whether a worker that is to go has finished what it runs."""

logger = logging.getLogger("foretype.edge.links")


class WorkerLinks:
    """`make` makes the link of an address, which adds its worker to the dispatcher's."""

    def __init__(
        self, addresses: Iterable[WorkerAddress], dispatcher: Dispatcher, make: Callable[[WorkerAddress], WorkerLink]
    ) -> None:
        self._dispatcher: Final = dispatcher
        self._make: Final = make
        self._wanted = tuple(addresses)
        self._links: Final = {address: make(address) for address in self._wanted}
        self._tasks: Final[dict[WorkerAddress, asyncio.Task[None]]] = {}
        self._leaving: Final[dict[WorkerAddress, asyncio.Task[None]]] = {}

    def start(self) -> None:
        """Connect to all of them, and stay connected."""
        self._tasks.update({address: asyncio.create_task(link.run()) for address, link in self._links.items()})

    async def stop(self) -> None:
        """Disconnect."""
        tasks = [*self._tasks.values(), *self._leaving.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def change(self, addresses: Iterable[WorkerAddress], grace: float) -> None:
        """Connect to these and no others. One that is no longer among them finishes what it runs, within `grace`."""
        self._wanted = tuple(addresses)
        for address in [address for address in self._links if address not in self._wanted]:
            if address not in self._leaving:
                logger.info("worker %s: taken out by a reload", address.name)
                self._leaving[address] = asyncio.create_task(self._leave(address, grace))
        for address in self._wanted:
            if address in self._leaving and address in self._tasks:  # else it is being disconnected, and comes back
                self._leaving.pop(address).cancel()
                self._links[address].worker.leaving = False
            elif address not in self._links:
                self._put_in(address)

    def _put_in(self, address: WorkerAddress) -> None:
        logger.info("worker %s: put in by a reload", address.name)
        self._links[address] = self._make(address)
        self._tasks[address] = asyncio.create_task(self._links[address].run())

    async def _leave(self, address: WorkerAddress, grace: float) -> None:
        worker = self._links[address].worker
        self._dispatcher.leaving(worker)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                # A worker that reconnects is not leaving any more. Nothing tells when it has run empty, and seconds do.
                while worker.running and worker.leaving:  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_SECONDS)
        link = self._tasks.pop(address)
        link.cancel()
        await asyncio.gather(link, return_exceptions=True)
        del self._links[address], self._leaving[address]
        self._dispatcher.remove(worker)
        if address in self._wanted:  # again, since
            self._put_in(address)
