"""Runs inside the sandbox: takes the limits, runs the program, and says how it ended. Uses the standard library only.

Its text is given to a bare Python with `-c`; the job comes as JSON on standard input, the verdict leaves as one line
on standard output. That line begins with the job's secret, which the program is not given: a program that ends the
process, or prints what it likes, before its test has run to the end has not passed. (A program that goes through
its callers' frames can find the secret. Nothing that a model writes to solve a problem does.)
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

CHANGING = frozenset(
    f"os.{name}"
    for name in (
        *("remove", "rmdir", "rename", "mkdir", "truncate", "chmod", "chown", "link", "symlink", "utime"),
        *("setxattr", "removexattr", "chflags", "lockf"),
    )
)
"""Audit events of changes to the file that their first argument names."""
FORBIDDEN = frozenset({"os.kill", "os.killpg", "os.chdir", "os.fchdir", "ctypes.dlopen", "signal.pthread_kill"})
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
MAX_DETAIL = 300
MAX_WRITES = 100
"""Times that files may be opened to write: with the limit of each file's size, a bound for them all."""


def guard(folder: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Refuse what a solution has no business with: files outside `folder`, signals, native code. A second line only:
    the limits that count are the system's."""

    def outside(path: object) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False  # a descriptor: of a file that could be opened
        real = os.path.realpath(os.fsdecode(path))
        return real != os.devnull and os.path.commonpath([real, folder]) != folder

    left = MAX_WRITES

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event in FORBIDDEN:
            raise PermissionError(f"{event} is not allowed here")
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        left -= bool(writes)
        if left < 0:
            raise PermissionError(f"more than {MAX_WRITES} files are not allowed here")
        if (writes or event in CHANGING) and arguments and outside(arguments[0]):
            raise PermissionError(f"{event} outside the program's own folder is not allowed here")

    return hook


def main() -> None:
    """Run the job that standard input holds."""
    job = json.load(sys.stdin)
    verdict = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)

    def end(outcome: str, detail: str = "") -> None:
        line = f"\n{job['secret']} {json.dumps([outcome, detail[:MAX_DETAIL]])}\n"
        os.write(verdict, line.encode())
        os._exit(0)  # no atexit, no threads to wait for

    def out_of_time(number: int, frame: FrameType | None) -> None:
        end("out of time", "the CPU limit")  # no exception: a program may catch everything

    signal.signal(signal.SIGXCPU, out_of_time)
    for name, (soft, hard) in job["limits"].items():
        resource.setrlimit(getattr(resource, name), (soft, hard))
    sys.addaudithook(guard(os.path.realpath(os.getcwd())))
    try:
        exec(compile(job["program"], "<program>", "exec"), {"__name__": "program"})
    except MemoryError:
        end("out of memory")
    except BaseException as error:  # SystemExit too: it came before the test's end
        detail = type(error).__name__
        try:
            detail = f"{detail}: {error}".removesuffix(": ")
        except BaseException:
            detail += ", which cannot be printed"
        end("failed", detail)
    end("passed")


if __name__ == "__main__":
    main()
