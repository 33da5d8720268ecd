"""What stands before a program's command so that it has no network and no rights: namespaces and a user of no rights.

Linux: `unshare` gives it namespaces of its own for network, processes and shared memory. Under root, `setpriv` turns
it into the user `nobody`, for root is above several limits; it may then still read what root may, if the interpreter
lies where only root may read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.errors import BenchError

NOBODY: Final = 65_534
"""The user and group id that Linux and macOS keep for nobody."""
PROBE: Final = f"import sys, hashlib; sys.exit(sys.base_prefix != {sys.base_prefix!r} and 'it is another Python')"
"""A Python that may not read its own library takes that of another, if it finds one."""
PROBE_S: Final = 30.0
_NAMESPACES: Final = ("--ipc", "--pid", "--fork", "--kill-child")
_READ: Final = "dac_read_search"


@dataclass(frozen=True)
class Isolation:
    """A command's beginning, whether it keeps programs off the network, and the owner of their folder (None: we)."""

    prefix: tuple[str, ...]
    offline: bool
    owner: int | None = None


def find(*, allow_network: bool) -> Isolation:
    """The strongest isolation that works here.

    Raises:
        BenchError: none keeps programs off the network and `allow_network` is False, or programs would run as root.
    """
    root = os.geteuid() == 0
    owner = NOBODY if root else None
    if root and shutil.which("setpriv") is None:
        raise BenchError("Programs that a model wrote would run as root (there is no setpriv): be another user.")
    failures = []
    for offline in (True, False) if allow_network else (True,):
        for prefix in _candidates(root, offline):
            problem = _problem(prefix)
            if problem is None:
                return Isolation(prefix, offline, owner)
            failures.append(problem)
    if allow_network:
        raise BenchError(f"Programs that a model wrote cannot be run here: {failures[-1]}. Be another user than root.")
    raise BenchError(
        "Programs that a model wrote cannot be kept off the network here: "
        f"{failures[-1]}. Run this on Linux where users may make namespaces (unshare), or pass --allow-network."
    )


def _candidates(root: bool, offline: bool) -> list[tuple[str, ...]]:
    network = ("--net",) if offline else ()
    if not root:
        spaces = ("unshare", "--user", "--map-current-user", *network, *_NAMESPACES)
        return [spaces] if offline else [spaces, ()]
    spaces = ("unshare", *network, *_NAMESPACES)
    dropped = [_as_nobody("-all"), _as_nobody(f"-all,+{_READ}")]
    return [(*spaces, *nobody) for nobody in dropped] + ([] if offline else dropped)


def _as_nobody(capabilities: str) -> tuple[str, ...]:
    sets = [f"--{name}={capabilities}" for name in ("inh-caps", "ambient-caps", "bounding-set")]
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs", *sets)


def _problem(prefix: Sequence[str]) -> str | None:
    """Why a command cannot begin so; None if it can."""
    for program in ("unshare", "setpriv"):
        if program in prefix and shutil.which(program) is None:
            return f"there is no program {program}"
    try:
        done = subprocess.run(
            [*prefix, sys.executable, "-S", "-c", PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROBE_S,
            cwd="/",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or [f"{prefix[0]} ends with {done.returncode}"])[-1]
