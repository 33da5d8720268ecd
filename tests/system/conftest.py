"""Fixtures of the system tests: a stack of real processes in a folder of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from stack import Stack


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: a unix socket's path has room for about 100 bytes, pytest's tmp_path is longer."""
    path = Path(tempfile.mkdtemp(prefix="ft-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
async def stack(folder: Path) -> AsyncIterator[Stack]:
    """Real processes, not yet started."""
    made = Stack(folder)
    yield made
    await made.stop()
