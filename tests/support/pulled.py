"""What tests of `models pull` share: the stand-in's repository, and what a pull left in the store."""

from __future__ import annotations

from collections.abc import Callable

from lsp_server.models.store import Record, Store

REPO = "owner/small-GGUF"
NAME = "small-q4_k_m"
CHUNK = 65_536
"""Bytes that the hub library collects before it writes them; 10 MiB outside tests."""

Run = Callable[..., tuple[int, str, str]]
"""Runs `foretype-lsp models …`: exit code, standard output, standard error."""


def stored(name: str = NAME) -> Record | None:
    return Store.of_user().find(name)


def left(name: str = NAME) -> list[str]:
    """The files in the model's folder."""
    folder = Store.of_user().folder / name
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]
