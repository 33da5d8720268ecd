"""`foretype-proxy` with another order of service, first come, first served: the baseline of `live_overload`.

It sheds only what has missed its deadline. Everything else is the same program; its flags are the same, too.
"""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch

from benchmarks.edge.first_come import FirstComeLine
from benchmarks.edge.simulation import NoPrediction
from edge_proxy import app, cli, serve


def main() -> int:
    """Run it; the exit status."""

    def run(config: Any, **options: Any) -> int:
        return serve.run(config, FirstComeLine(), **options)

    with patch.object(app, "Predictor", NoPrediction), patch.object(cli, "run", run):
        return cli.main()


if __name__ == "__main__":
    sys.exit(main())
