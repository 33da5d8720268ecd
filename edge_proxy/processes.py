"""Several proxies on one port: the kernel spreads connections over them, and this parent keeps them running.

Each process listens with SO_REUSEPORT and is a whole proxy: sessions, line and caches of its own, and a connection of
its own to every worker, which divides its credits among them. A process that dies takes its own sessions with it; they
connect again, to the others, and it is started anew.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

from edge_proxy.breaker import Breaker

START_SECONDS: Final = 10.0
"""One that dies sooner than this after its start did not work: it counts against starting it again."""
POLL_SECONDS: Final = 0.2
INSIDE_FLAG: Final = "--one-of-several"
EXIT_CANNOT_START: Final = 2

logger = logging.getLogger("foretype.edge.processes")


def run_several(count: int, arguments: Sequence[str], start: Callable[[Sequence[str]], subprocess.Popen[bytes]]) -> int:
    """Run `count` children with these arguments until SIGTERM or SIGINT; the exit status.

    The first signal lets all of them drain, the second ends them at once; SIGHUP makes all of them reload. If one
    cannot start, its status is returned.
    """
    children = [start(arguments) for _ in range(count)]
    breaker = Breaker(time.monotonic)
    started = [time.monotonic()] * count
    stopping = False

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal stopping
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(number if stopping else signal.SIGTERM)
        stopping = True

    def reload(number: int, _: FrameType | None) -> None:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, reload)
    try:
        while any(child.poll() is None for child in children) or not stopping:
            time.sleep(POLL_SECONDS)
            for index, child in enumerate(children):
                if stopping or child.poll() is None:
                    continue
                young = time.monotonic() - started[index] < START_SECONDS
                if young and child.returncode == EXIT_CANNOT_START:
                    return EXIT_CANNOT_START
                breaker.failed() if young else breaker.succeeded()
                if breaker.usable():
                    logger.warning("process %d ended with %s: starting it again", child.pid, child.returncode)
                    children[index], started[index] = start(arguments), time.monotonic()
        return max((abs(child.returncode or 0) for child in children), default=0)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
            child.wait()


def start_process(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """One child of the same program; its standard input ends when this process does, however that comes."""
    command = [sys.executable, "-m", "edge_proxy", *arguments, INSIDE_FLAG]
    return subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0)
