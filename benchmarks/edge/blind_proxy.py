"""`foretype-proxy` that counts nothing: the baseline of `observing`. Its flags are the same.

Every update of a counter, level or histogram does nothing, and no request is told to the observer.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any, Final
from unittest.mock import patch

from edge_proxy import cli
from edge_proxy.series import Distribution, Number
from edge_proxy.telemetry.observer import Observer

UPDATES: Final = {
    Number: ("inc", "dec", "set"),
    Distribution: ("observe",),
    Observer: ("text", "finished", "submitted", "worker_done"),
}


def main() -> int:
    """Run it; the exit status."""

    def nothing(*_: Any, **__: Any) -> None: ...

    with ExitStack() as patched:
        for kind, names in UPDATES.items():
            for name in names:
                patched.enter_context(patch.object(kind, name, nothing))
        return cli.main()


if __name__ == "__main__":
    sys.exit(main())
