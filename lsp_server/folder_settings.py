"""The settings of a workspace of several folders: each folder's for its documents, the person's for what is in none.

Only `enabled`, `languages` and `ignore` can differ between folders, and only to narrow (`settings`). What the editor
tells without naming a folder holds in all of them, so that no folder takes back what was narrowed for the window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lsp_server.context import uri_path
from lsp_server.privacy.files import folder_path
from lsp_server.settings import Loaded, Settings
from lsp_server.settings_layers import Problem


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """`common` holds for documents in no folder, `folders` by the URI of each folder for the documents in it."""

    common: Settings = field(default_factory=Settings)
    folders: Mapping[str, Settings] = field(default_factory=dict)

    def of_document(self, uri: str) -> Settings:
        """The settings of a document: those of the innermost folder it is in."""
        path = uri_path(uri)
        inside = [root for root in self.folders if path.startswith(uri_path(root).rstrip("/") + "/")]
        return self.folders[max(inside, key=lambda root: len(uri_path(root)))] if inside else self.common

    def of_folder(self, path: str) -> Settings:
        """The settings of the workspace's folder at an absolute path."""
        return next((each for root, each in self.folders.items() if folder_path(root) == path), self.common)

    @property
    def window(self) -> Settings:
        """For what the whole window shares (sources, status): on as long as suggestions are wanted in some folder."""
        enabled = self.common.enabled or any(each.enabled for each in self.folders.values())
        return self.common if enabled == self.common.enabled else replace(self.common, enabled=enabled)


def read_folders(
    load: Callable[..., Loaded],
    roots: Sequence[str],
    *,
    window: Mapping[str, object] | None,
    folders: Mapping[str, Mapping[str, object]],
    initialization: Mapping[str, object] | None,
) -> tuple[FolderSettings, tuple[Problem, ...]]:
    """Read the settings of each folder (`roots`, URIs) with `load`, and what is wrong with them, each once.

    `window` is the editor's configuration for no folder in particular, `folders` for each, by URI. In a workspace of
    one folder what is in none (an unsaved document) has that folder's settings.
    """
    loaded: dict[str, Loaded] = {}
    for root in roots:
        path = folder_path(root)
        loaded[root] = load(
            root=Path(path) if path else None,
            workspace=window,
            folder=folders.get(root),
            initialization=initialization,
        )
    common = next(iter(loaded.values())) if len(loaded) == 1 else None
    if common is None:
        common = load(root=None, workspace=window, folder=None, initialization=initialization)
    problems = dict.fromkeys(problem for each in (common, *loaded.values()) for problem in each.problems)
    return FolderSettings(common.settings, {root: each.settings for root, each in loaded.items()}), tuple(problems)
