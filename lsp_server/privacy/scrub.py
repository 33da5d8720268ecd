"""Log lines fit for a bug report: without code, secrets, the person's name and the names of files; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from lsp_server.privacy.code_log import NAME
from lsp_server.privacy.mask import mask_line

MAX_LINE: Final = 2_000
_RECORD: Final = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ [A-Z]+ (?P<logger>[\w.]+): ")
_URI: Final = re.compile(r"\b(?:file|untitled|vscode-[\w\-]+|vscode|zipfile|jar):[^\s'\",;)\]]+")
_ENDING: Final = re.compile(r"\.\w{1,8}(?=$|[:.])")


def scrubbed(lines: Iterable[str], home: str, user: str) -> Iterator[str]:
    """The lines that may be shown. `home` is the person's folder, `user` their name on this machine."""
    is_code = False
    for line in lines:
        record = _RECORD.match(line)
        if record is not None:
            is_code = record["logger"] == NAME
        if not is_code:
            yield scrubbed_line(line, home, user)


def scrubbed_line(line: str, home: str, user: str) -> str:
    """One line without its end."""
    line = mask_line(line[:MAX_LINE], bare=True)
    line = _URI.sub(_without_name, line)
    if len(home) > 1:
        line = line.replace(home, "~")
    if len(user) > 2:
        line = re.sub(rf"\b{re.escape(user)}\b", "USER", line)
    return line


def _without_name(uri: re.Match[str]) -> str:
    scheme, _, path = uri.group().partition(":")
    ending = _ENDING.search(path.rpartition("/")[2])
    return f"{scheme}:…{ending.group() if ending is not None else ''}"
