"""What belongs to the prompt and not to the code: a model's own marks, and the name of the file."""

from __future__ import annotations

import re
from typing import Final

from lsp_server.trim.view import View

_MARK: Final = re.compile(
    r"<\|[\w ]{2,32}\|>"
    r"|<(?:fim|file|repo|jupyter)[_-](?:prefix|suffix|middle|pad|sep|name|start|end)>"
    r"|<(?:PRE|SUF|MID|EOT)>"
    r"|^<(?:filename|reponame|gh_stars)>"
    r"|<｜[^｜\n]{2,32}｜>"
    r"|\[(?:PREFIX|SUFFIX|MIDDLE)\]",
    re.MULTILINE,
)
"""The marks of fill-in-the-middle prompts, as the known model families spell them."""


def without_prompt_echo(text: str, view: View) -> str:
    """`text` up to a mark of the prompt, and without a first line that names the file.

    In a document that has such marks itself they are code: of a program that deals with prompts.
    """
    context = view.context
    found = _MARK.search(text)
    if found and not _MARK.search(context.before + context.typed) and not _MARK.search(context.after):
        text = text[: found.start()]
    first, newline, others = text.partition("\n")
    name = first.strip().lstrip("#/-*;<! ").removeprefix("Path: ").removesuffix("-->").strip()
    if newline and context.path and name == context.path and first.strip() != name:
        return others
    return text
