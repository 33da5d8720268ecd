"""An installation without the proxy's or the worker's packages says what to install, without a traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("package", "program", "extra"),
    [("edge_proxy", "foretype-proxy", "foretype[proxy]"), ("gpu_worker", "foretype-worker", "foretype[worker]")],
)
def test_a_program_whose_packages_are_absent_is_one_sentence(package: str, program: str, extra: str) -> None:
    # None in sys.modules makes an import fail as if the package were not there.
    code = f"import sys; sys.modules['prometheus_client'] = None; from {package}.__main__ import main; sys.exit(main())"
    ended = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"{program}: prometheus_client is not installed: pip install '{extra}'")
    assert ended.stderr.count("\n") == 1
