"""The worker under measure: a client of its wire protocol for every bench, and `python -m benchmarks.worker`."""

from benchmarks.worker.client import Reply, WorkerClient, connected, started

__all__ = ["Reply", "WorkerClient", "connected", "started"]
