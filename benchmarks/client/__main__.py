"""`python -m benchmarks.client`."""

from __future__ import annotations

import sys

from benchmarks.client.cli import main

if __name__ == "__main__":
    sys.exit(main())
