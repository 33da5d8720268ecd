"""`python -m edge_proxy`: the same as `foretype-proxy`."""

from edge_proxy.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
