"""Has the editor tell of files that change on disk; where it cannot, files are looked at again when they are saved."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from lsp_server.privacy.ignore_files import IGNORE_FILES
from lsp_server.settings import PROJECT_FILE
from lsp_server.workspace.languages import CODE, LANGUAGES

logger = logging.getLogger(__name__)

REGISTRATION: Final = "foretype-watched-files"
ANSWER_S: Final = 5.0
"""Seconds an editor may take to register."""


def globs() -> list[str]:
    """The files that matter: code, and what says which of it does not."""
    endings = sorted(ending.removeprefix(".") for ending, language in LANGUAGES.items() if language in CODE)
    return [f"**/*.{{{','.join(endings)}}}", f"**/{{{','.join((*IGNORE_FILES, PROJECT_FILE))}}}"]


def can_register(capabilities: types.ClientCapabilities) -> bool:
    """Whether the editor watches files for a server that asks it to."""
    workspace = capabilities.workspace
    watched = workspace.did_change_watched_files if workspace is not None else None
    return bool(watched is not None and watched.dynamic_registration)


async def watch_files(server: LanguageServer) -> bool:
    """Ask the editor to tell of changed files; whether it does."""
    if not can_register(server.client_capabilities):
        return False
    watchers = [types.FileSystemWatcher(glob_pattern=glob) for glob in globs()]
    registration = types.Registration(
        id=REGISTRATION,
        method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers),
    )
    try:
        async with asyncio.timeout(ANSWER_S):
            await server.client_register_capability_async(types.RegistrationParams(registrations=[registration]))
    except (TimeoutError, JsonRpcException) as error:
        logger.info("The editor does not watch files for the server (%s): they are looked at again when saved.", error)
        return False
    return True
