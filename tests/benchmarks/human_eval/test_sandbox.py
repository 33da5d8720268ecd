"""Programs that a model wrote, and what they may not do. Each runs for real, in the isolation that this system has."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hand_written_problems as hand_written
import psutil
import pytest

from benchmarks.errors import BenchError
from benchmarks.human_eval import isolation, sandbox
from benchmarks.human_eval.isolation import Isolation
from benchmarks.human_eval.problems import Problem
from benchmarks.human_eval.sandbox import Limits, Verdict, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
CHECK = "\n\n\ndef check(candidate):\n    assert candidate() == 1\n\n\ncheck(f)\n"


@pytest.fixture(scope="module")
def place() -> Isolation:
    """The isolation of this system; without namespaces, programs that do not need the network still run."""
    try:
        return isolation.find(allow_network=False)
    except BenchError:
        return isolation.find(allow_network=True)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No program and no folder of one outlives its run."""
    yield
    assert not [
        process for process in psutil.process_iter(["cmdline"]) if sandbox.INSIDE in (process.info["cmdline"] or [])
    ]


def ran(program: str, place: Isolation, **limits: float) -> Verdict:
    return run(program, place, Limits(**{"cpu_s": 5, **limits}))  # type: ignore[arg-type]


@pytest.mark.parametrize("fields", hand_written.ALL, ids=lambda fields: fields["task_id"])
def test_a_canonical_solution_passes(place: Isolation, fields: dict[str, str]) -> None:
    problem = Problem(**{"suffix": ""} | fields)
    assert ran(problem.program(problem.canonical_solution), place) == Verdict("passed")


def test_a_wrong_solution_fails_with_its_exception(place: Isolation) -> None:
    assert ran(f"def f():\n    return 2\n{CHECK}", place) == Verdict("failed", "AssertionError")


def test_a_text_that_is_no_program_fails(place: Isolation) -> None:
    found = ran("def f(:\n", place)
    assert found.outcome == "failed"
    assert found.detail.startswith("SyntaxError")


def test_a_program_that_loops_ends_at_the_cpu_limit(place: Isolation) -> None:
    assert ran("while True:\n    pass\n", place, cpu_s=1) == Verdict("out of time", "the CPU limit")


def test_a_loop_that_catches_everything_ends_too(place: Isolation) -> None:
    program = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass\n"
    assert ran(program, place, cpu_s=1) == Verdict("out of time", "the CPU limit")


def test_a_program_that_sleeps_ends_at_the_wall_limit_also_in_a_session_of_its_own(place: Isolation) -> None:
    program = "import os, time\ntry:\n    os.setsid()\nexcept OSError:\n    pass\ntime.sleep(1000)\n"
    assert ran(program, place, wall_s=0.5) == Verdict("out of time", "the wall time")


def test_ten_gigabytes_are_not_to_be_had(place: Isolation) -> None:
    assert ran("memory = bytearray(10 << 30)\n", place) == Verdict("out of memory")


@pytest.mark.parametrize(
    "program",
    [
        "import os\nos.fork()\n",
        "import subprocess\nsubprocess.run(['true'])\n",
        "import threading\nthreading.Thread(target=print).start()\n",
    ],
)
def test_no_further_process_or_thread_can_be_started(place: Isolation, program: str) -> None:
    found = ran(program, place)
    assert found.outcome == "failed"
    assert found.detail.startswith(("BlockingIOError", "RuntimeError"))


def test_there_is_no_network_not_even_this_machine(place: Isolation) -> None:
    if not place.offline:
        pytest.skip("this system lets no one make a network namespace")
    found = ran("import socket\nsocket.create_connection(('127.0.0.1', 9), 5)\n", place)
    assert found.outcome == "failed"
    assert "unreachable" in found.detail


def test_a_file_grows_no_further_than_its_limit(place: Isolation) -> None:
    program = "with open('big', 'wb') as file:\n    for _ in range(100):\n        file.write(bytes(1 << 20))\n"
    found = ran(program, place)
    assert (found.outcome, "too large" in found.detail) == ("failed", True)


def test_a_small_file_in_its_own_folder_is_allowed(place: Isolation) -> None:
    program = (
        "open('a', 'w').write('b')\nimport tempfile\ntempfile.TemporaryFile().close()\nassert open('a').read() == 'b'\n"
    )
    assert ran(program, place) == Verdict("passed")


def test_the_disk_is_not_filled_with_many_files(place: Isolation) -> None:
    program = "for number in range(10_000):\n    open(f'{number}', 'wb').write(bytes(1000))\n"
    assert ran(program, place) == Verdict("failed", "PermissionError: more than 100 files are not allowed here")


@pytest.mark.parametrize("call", ["open({0!r}, 'a')", "__import__('os').remove({0!r})", "__import__('os').chdir('/')"])
def test_nothing_outside_its_folder_can_be_changed(place: Isolation, tmp_path: Path, call: str) -> None:
    file = tmp_path / "mine"
    file.write_text("kept")
    found = ran(call.format(str(file)) + "\n", place)
    assert found.detail.startswith("PermissionError")
    assert file.read_text() == "kept"


@pytest.mark.parametrize(
    "exit_", ["raise SystemExit(0)", "import sys\nsys.exit()", "import os\nos._exit(0)", "import os\nos.abort()"]
)
def test_a_program_that_ends_before_its_test_has_not_passed(place: Isolation, exit_: str) -> None:
    assert not ran(f"{exit_}\n{CHECK}", place).passed


def test_a_program_cannot_print_that_it_has_passed(place: Isolation) -> None:
    program = (
        "import os\nfor descriptor in range(30):\n    try:\n"
        '        os.write(descriptor, b\'\\n["passed", ""]\\n\' * 3)\n'
        "    except OSError:\n        pass\nos._exit(0)\n"
    )
    assert ran(program, place).outcome == "no verdict"


def test_a_flood_of_output_before_a_passed_test_hides_nothing(place: Isolation) -> None:
    program = f"for _ in range(10_000):\n    print('x' * 1_000)\ndef f():\n    return 1\n{CHECK}"
    assert ran(program, place) == Verdict("passed")


def test_the_environment_is_empty_but_for_what_is_needed(place: Isolation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_USER", "1")
    program = "import os\nassert 'SECRET_OF_THE_USER' not in os.environ\nassert os.environ['HOME'] == os.getcwd()\n"
    assert ran(program, place) == Verdict("passed")


def test_a_program_never_runs_as_root(place: Isolation) -> None:
    assert ran("import os\nassert os.geteuid() != 0\n", place) == Verdict("passed")


def test_an_exception_that_cannot_be_printed_is_still_a_failure(place: Isolation) -> None:
    program = "class Mean(Exception):\n    def __str__(self):\n        raise KeyError\n\n\nraise Mean\n"
    assert ran(program, place) == Verdict("failed", "Mean, which cannot be printed")


def test_without_namespaces_it_refuses_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_problem", lambda prefix: "unshare: not permitted")
    with pytest.raises(BenchError, match=r"cannot be kept off the network here: .*--allow-network"):
        isolation.find(allow_network=False)


def test_where_the_network_is_allowed_programs_run_without_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_problem", lambda prefix: "no" if "unshare" in prefix else None)
    found = isolation.find(allow_network=True)
    assert (found.offline, "unshare" in found.prefix) == (False, False)
    assert ("setpriv" in found.prefix) == (os.geteuid() == 0)
