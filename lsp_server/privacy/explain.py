"""`foretype-lsp doctor FILE`: what of a file would be sent where, line by line where something is masked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lsp_server.complete_command import read_text
from lsp_server.context import AFTER_CHARACTERS, BEFORE_CHARACTERS, workspace_path
from lsp_server.privacy.files import HEAD, Privacy
from lsp_server.privacy.mask import CONFIGURATION, Masker
from lsp_server.settings import Loaded
from lsp_server.workspace.languages import language_of

MAX_SHOWN: Final = 20
"""Masked lines that are printed."""


def explain(file: Path, root: Path, loaded: Loaded) -> Iterator[str]:
    """Lines for people. Raises BadPlaceError if the file cannot be read as text."""
    settings = loaded.settings
    path = Path(os.path.abspath(file))
    text = read_text(path)
    language = language_of(path.name)
    name = workspace_path(path.as_uri(), [root.as_uri()])
    yield f"{path}: {len(text):,} characters, {language}; workspace {root}"
    for problem in loaded.problems:
        yield f"settings: {problem}"
    privacy = Privacy(lambda: [str(root)], lambda: settings)
    withheld = privacy.withheld_document(path.as_uri(), text[:HEAD], len(text), text.count("\n") + 1)
    if not settings.enabled:
        yield "sent nowhere: suggestions are switched off (the setting `enabled`)."
        return
    if not settings.allows(language):
        yield f"sent nowhere: suggestions are not wanted in {language} documents (`languages`)."
        return
    if withheld is not None:
        yield f"sent nowhere, neither to an edge nor to the local model: {withheld.sentence}"
        return
    beside = privacy.withheld(path, text)
    yield f"as context of other files: {'yes' if beside is None else f'no: {beside.sentence}'}"
    around = f"up to {BEFORE_CHARACTERS:,} characters before and {AFTER_CHARACTERS:,} after the cursor, named {name!r}"
    if settings.local.enabled:
        yield f"to the local model on this machine ({settings.local.model}): {around}, as they are"
    for url in settings.edge.urls:
        yield f"to {url}: {around}, with likely secrets masked"
    if not settings.edge.urls:
        yield "to no edge" + (": the policy allows none" if not loaded.policy.edge else ": none is configured")
        return
    yield from _masked(text, language)


def _masked(text: str, language: str) -> Iterator[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    masked = Masker().text(lines, bare=language in CONFIGURATION)
    differ = [
        (number, now)
        for number, (was, now) in enumerate(zip(lines.split("\n"), masked.split("\n"), strict=True), start=1)
        if was != now
    ]
    yield f"masked lines: {len(differ)}" if differ else "masked lines: none"
    for number, line in differ[:MAX_SHOWN]:
        yield f"  {number}: {line.strip()[:100]}"
    if len(differ) > MAX_SHOWN:
        yield f"  … and {len(differ) - MAX_SHOWN} more"
