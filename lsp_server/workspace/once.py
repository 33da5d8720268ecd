"""A workspace for one request: what the server knows after a while, looked through at once, for commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from lsp_server.ask import Ask
from lsp_server.documents import Snapshot
from lsp_server.privacy.files import Privacy
from lsp_server.privacy.globs import matches
from lsp_server.settings import Settings
from lsp_server.workspace.budgets import Limits
from lsp_server.workspace.service import Workspace

LOOK_S: Final = 5.0
"""Seconds that the folder may be looked through (about 30,000 files) before what is known by then is taken."""


def workspace_of(
    ask: Ask, root: Path, others: Sequence[Snapshot], settings: Settings, limits: Callable[[], Limits]
) -> Workspace:
    """The folder `root` with the documents `others` open, the last one visited last, and the one of `ask` in front.

    Nothing is looked through yet: `Workspace.work` does.
    """
    privacy = Privacy(lambda: [str(root)], lambda: settings)
    workspace = Workspace(privacy.may_leave, is_ignored=lambda path: matches(settings.ignore, path), limits=limits)
    workspace.set_roots([root.as_uri()])
    for snapshot in (*others, ask.snapshot):
        workspace.opened(snapshot.uri, snapshot.language_id, snapshot.text)
    return workspace
