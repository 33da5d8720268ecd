"""The workspace's folders, and where in them a document is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pygls.uris import to_fs_path

from lsp_server.context import uri_path, workspace_path


class InFolder(NamedTuple):
    """A file on this machine: its workspace folder, and its path in it with forward slashes."""

    root: Path
    path: str


class Folders:
    """By their URIs, of which some may be of other machines."""

    def __init__(self, uris: Sequence[str] = ()) -> None:
        self.uris: tuple[str, ...] = tuple(uris)

    def root_of(self, uri: str) -> str | None:
        """The URI of the innermost folder that a document is in."""
        path = uri_path(uri)
        inside = [root for root in self.uris if path.startswith(uri_path(root).rstrip("/") + "/")]
        return max(inside, key=len) if inside else None

    def place_of(self, uri: str) -> InFolder | None:
        """Where a file on this machine is; None for what is none: unsaved, remote, a cell, outside of all folders."""
        parts = urlsplit(uri) if uri.startswith("file:") else None
        root = self.root_of(uri)
        if parts is None or parts.fragment or root is None:
            return None
        folder = folder_of(root)
        return None if folder is None else InFolder(folder, workspace_path(uri, (root,)))


def folder_of(uri: str) -> Path | None:
    """The folder of a URI on this machine; None for a remote one."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None
