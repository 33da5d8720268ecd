"""What a child writes to stderr is passed on and kept."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gpu_worker.engines.stderr_tail import KEPT_LINES, StderrTail

WAIT_SECONDS = 10.0


def test_a_childs_words_reach_the_real_stderr_and_are_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with StderrTail() as tail:
        subprocess.run([sys.executable, "-c", "import sys; print('no memory', file=sys.stderr)"], check=True)
    assert tail.text(WAIT_SECONDS) == "no memory\n"
    print("after", file=sys.stderr, flush=True)
    assert capfd.readouterr().err == "no memory\nafter\n"


def test_only_the_last_lines_are_kept() -> None:
    program = f"import sys\nfor n in range({KEPT_LINES + 10}): print(n, file=sys.stderr)"
    with StderrTail() as tail:
        subprocess.run([sys.executable, "-c", program], check=True)
    lines = tail.text(WAIT_SECONDS).splitlines()
    assert (len(lines), lines[0], lines[-1]) == (KEPT_LINES, "10", str(KEPT_LINES + 9))
