"""Runs the bench in a network of its own that has loopback and nothing else, where the system allows it (Linux)."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

INSIDE: Final = "FORETYPE_BENCH_LOOPBACK_ONLY"
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP_RUNNING: Final = 0x41
CHECK_S: Final = 10


def enter(arguments: Sequence[str], module: str = "benchmarks.client") -> bool:  # noqa: RET503  (execve does not return)
    """Start `python -m module` again inside such a network, which does not return; or, inside, raise loopback.

    Returns whether there is nothing but loopback; False where the system does not allow it.
    """
    if os.environ.get(INSIDE):
        _raise_loopback()
        return True
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], capture_output=True, timeout=CHECK_S).returncode:
        return False
    sys.stdout.flush()
    command = [unshare, "-rn", sys.executable, "-m", module, *arguments]
    os.execve(unshare, command, {**os.environ, INSIDE: "1"})


def _raise_loopback() -> None:
    import fcntl  # not on Windows, where this is never reached

    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP_RUNNING))
