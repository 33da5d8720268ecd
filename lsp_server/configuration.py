"""The settings that the editor, the files and the environment give a running server, asked for again each time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from lsp_server.folder_settings import FolderSettings, read_folders
from lsp_server.json_values import as_mapping, get
from lsp_server.settings import Loaded

logger = logging.getLogger(__name__)

SECTION: Final = "foretype"
"""Of the editor's configuration."""
ANSWER_S: Final = 5.0
"""Seconds an editor may take to tell its configuration."""

Asked = tuple[Mapping[str, object] | None, dict[str, Mapping[str, object]]]
"""The editor's configuration for the window, and for each folder by its URI."""


class Configuration:
    """`load` reads the settings of one folder; `initialization` is what the editor said when it introduced itself."""

    def __init__(self, load: Callable[..., Loaded]) -> None:
        self.initialization: Mapping[str, object] | None = None
        self._load = load
        self._pushed: Mapping[str, object] | None = None
        self._asked: Asked = (None, {})
        self._told: set[str] = set()

    def push(self, carried: object) -> None:
        """A `didChangeConfiguration` carried this; it counts where the editor cannot be asked."""
        section = as_mapping(get(carried, SECTION))
        if section is not None:
            self._pushed = section

    def read(self, roots: Sequence[str], asked: Asked = (None, {})) -> FolderSettings:
        """The settings of each folder (`roots`, URIs); what is wrong with them is logged once."""
        window, folders = asked
        settings, problems = read_folders(
            self._load,
            roots,
            window=self._pushed if window is None else window,
            folders=folders,
            initialization=self.initialization,
        )
        for problem in problems:
            if str(problem) not in self._told:
                self._told.add(str(problem))
                logger.warning("%s", problem)
        return settings

    def read_before_asking(self, roots: Sequence[str]) -> FolderSettings:
        """The settings, with what the editor said when it was last asked: it may take seconds to answer."""
        return self.read(roots, self._asked)

    async def read_again(self, server: LanguageServer, roots: Sequence[str]) -> FolderSettings:
        """The settings, with what the editor says now."""
        self._asked = await self._ask(server, roots)
        return await asyncio.to_thread(self.read, roots, self._asked)

    async def _ask(self, server: LanguageServer, roots: Sequence[str]) -> Asked:
        """What the editor says; what it said before if it does not answer, so that nothing is widened by that."""
        workspace = server.client_capabilities.workspace
        if workspace is None or not workspace.configuration:
            return None, {}
        items = [types.ConfigurationItem(scope_uri=scope, section=SECTION) for scope in (None, *roots)]
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await server.workspace_configuration_async(types.ConfigurationParams(items))
        except (TimeoutError, JsonRpcException):
            return self._asked
        window, *scoped = [as_mapping(each) for each in answer] or [None]
        return window, {root: each for root, each in zip(roots, scoped, strict=False) if each is not None}
