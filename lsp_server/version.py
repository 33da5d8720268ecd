"""The installed version of Foretype, for `--version` and for what the client says of itself."""

from __future__ import annotations

from typing import Final

DISTRIBUTION: Final = "foretype"
UNINSTALLED: Final = "0+uninstalled"


def version() -> str:
    """The version of the installed distribution; `0+uninstalled` when run from a bare checkout."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed  # costs 20 ms: not at start

    try:
        return installed(DISTRIBUTION)
    except PackageNotFoundError:
        return UNINSTALLED
