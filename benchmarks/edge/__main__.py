"""`python -m benchmarks.edge`."""

from __future__ import annotations

from benchmarks.edge.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
