"""Fixtures that several rooms of the language server's tests share."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def own_root_logger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A root logger without handlers and a state folder of its own, for tests that set logging up."""
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(tmp_path / "state"))
    logger = logging.getLogger()
    monkeypatch.setattr(logger, "handlers", [])
    level = logger.level
    yield
    for handler in logger.handlers:
        handler.close()
    logger.setLevel(level)
