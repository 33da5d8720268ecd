"""`foretype-proxy` that never tells a worker to stop: the baseline of `typing_waste`. Everything else is the same."""

from __future__ import annotations

import sys
from unittest.mock import patch

from edge_proxy.cli import main
from edge_proxy.requests import Generation
from edge_proxy.workers import Worker


def _run_on(worker: Worker, generation: Generation) -> None:
    """What is wanted no more runs to its end, and holds its slot."""


if __name__ == "__main__":
    with patch.object(Worker, "cancel", _run_on):
        sys.exit(main())
