"""Runs a program that a model wrote, in a process of its own with limits, and says whether its test ran to the end.

Limits of the system (setrlimit): CPU time, memory, size of files, open files, no further processes or threads. Besides:
wall time, a private folder, an empty environment, no standard input and output, no network (`isolation`). Whatever
it started is killed. It can still read the files that its user may read: run this where that is no harm.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.human_eval.isolation import Isolation

INSIDE: Final = (Path(__file__).parent / "inside.py").read_text("utf-8")
SECRET_BYTES: Final = 16
CPU_GRACE_S: Final = 1
"""Between SIGXCPU, which the program's runner answers, and SIGKILL."""
KILL_S: Final = 10.0
BARE: Final = ("-S", "-s", "-P", "-B")
"""Python without site packages, the current folder in its path, and .pyc files."""


@dataclass(frozen=True)
class Limits:
    """What a program may use. Seconds of CPU and of wall time, bytes of address space, bytes of one file."""

    cpu_s: int = 10
    wall_s: float = 60.0
    memory_bytes: int = 1 << 30
    file_bytes: int = 1 << 20
    open_files: int = 64

    def to_json(self) -> dict[str, tuple[int, int]]:
        """Soft and hard limit by the name of Python's `resource`."""
        return {
            "RLIMIT_CPU": (self.cpu_s, self.cpu_s + CPU_GRACE_S),
            "RLIMIT_AS": (self.memory_bytes, self.memory_bytes),
            "RLIMIT_FSIZE": (self.file_bytes, self.file_bytes),
            "RLIMIT_NOFILE": (self.open_files, self.open_files),
            "RLIMIT_NPROC": (0, 0),
            "RLIMIT_CORE": (0, 0),
        }


@dataclass(frozen=True)
class Verdict:
    """How a program ended: `passed`, `failed` (an exception), `out of time`, `out of memory`, `no verdict` (it ended
    the process before its test was over, or was killed)."""

    outcome: str
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether the test ran to its end."""
        return self.outcome == "passed"


def run(program: str, isolation: Isolation, limits: Limits | None = None) -> Verdict:
    """Run a Python program to its end or a limit; takes at most about `limits.wall_s` seconds.

    Raises:
        OSError: the process cannot be started.
    """
    limits = limits or Limits()
    secret = secrets.token_hex(SECRET_BYTES)
    job = json.dumps({"program": program, "secret": secret, "limits": limits.to_json()})
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as said,
        tempfile.TemporaryDirectory(prefix="ft-program-", ignore_cleanup_errors=True) as folder,
    ):
        given.write(job.encode("utf-8", "surrogatepass"))
        given.seek(0)
        if isolation.owner is not None:
            os.chown(folder, isolation.owner, isolation.owner)
        process = subprocess.Popen(
            [*isolation.prefix, sys.executable, *BARE, "-c", INSIDE],
            stdin=given,
            stdout=said,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=_environment(folder),
            start_new_session=True,
        )
        try:
            process.wait(limits.wall_s)
            timed_out = False
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            _kill(process)
        said.seek(0)
        return _verdict(said.read().decode("utf-8", "replace"), secret, process.returncode, timed_out)


def _environment(folder: str) -> dict[str, str]:
    """All that the program's environment holds. The hash seed is fixed, so that a verdict repeats."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process group and all that descends from it, also what left the group."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(KILL_S)


def _verdict(said: str, secret: str, code: int, timed_out: bool) -> Verdict:
    for line in said.split("\n"):
        if line.startswith(f"{secret} "):
            outcome, detail = json.loads(line.removeprefix(f"{secret} "))
            return Verdict(outcome, detail)
    if timed_out:
        return Verdict("out of time", "the wall time")
    # unshare tells of a killed program as it likes (util-linux 2.38: code 1), so nothing is read from the code.
    return Verdict("no verdict", f"it ended, or was killed, before its test was over (code {code})")
