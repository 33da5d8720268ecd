"""`foretype-lsp doctor --report`: one zip for a bug report, without code and secrets, and a list of what is in it."""

from __future__ import annotations

import getpass
import importlib.metadata
import json
import os
import platform
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lsp_server.logs import BACKUPS, LOG_NAME
from lsp_server.paths import UnsafeFolderError, state_dir
from lsp_server.privacy.scrub import scrubbed, scrubbed_line
from lsp_server.settings import Loaded
from lsp_server.version import DISTRIBUTION, version

MAX_LOG_BYTES: Final = 1_048_576
"""The end of each log file that goes in."""
STATISTICS: Final = "stats.json"

READ_ME: Final = """This is a bug report of Foretype, made by `foretype-lsp doctor --report`. It holds:

versions.txt     Foretype, Python, the system and the libraries that Foretype uses
settings.json    the settings that hold, without the token and without what follows the host in an address
doctor.txt       what `foretype-lsp doctor` found
statistics.json  counts by day: how many suggestions, how fast; no text
logs/            the log files without code, secrets, names of files and your name

Nothing in it was sent anywhere. Read it before you give it to anyone.
"""


def write_report(target: Path, loaded: Loaded, findings: Sequence[str]) -> list[str]:
    """Write the zip at `target`; a line for each file in it. Raises OSError."""
    home, user = os.path.expanduser("~"), _user()
    files: dict[str, str] = {
        "README.txt": READ_ME,
        "versions.txt": versions(),
        "settings.json": json.dumps(settings_without_secrets(loaded, home, user), indent=1) + "\n",
        "doctor.txt": "".join(f"{scrubbed_line(line, home, user)}\n" for line in findings),
        **_state(home, user),
    }
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return [f"{name}: {len(text):,} characters" for name, text in files.items()]


def versions() -> str:
    """What this installation is made of."""
    lines = [f"foretype {version()}", f"python {platform.python_version()}", f"system {platform.platform()}"]
    for name in sorted(_required()):
        try:
            lines.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return "\n".join(lines) + "\n"


def _required() -> set[str]:
    try:
        required = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return set()
    return {found.group() for each in required if (found := re.match(r"[A-Za-z0-9_.\-]+", each)) is not None}


def settings_without_secrets(loaded: Loaded, home: str, user: str) -> dict[str, object]:
    """The settings as JSON values: of a secret whether it is set, of an address its scheme and host."""
    settings = {key: _plain(key, value, home, user) for key, value in asdict(loaded.settings).items()}
    return {
        "settings": settings,
        "files": [scrubbed_line(str(file), home, user) for file in loaded.files],
        "problems": [scrubbed_line(str(problem), home, user) for problem in loaded.problems],
        "policy": {"files": list(loaded.policy.files), "says": loaded.policy.sentences()},
    }


_SECRET: Final = re.compile(r"token|password|secret|key$|credential|proxy", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"^[A-Za-z][\w+.\-]*://")


def _plain(key: str, value: object, home: str, user: str) -> object:
    if isinstance(value, Mapping):
        return {str(name): _plain(str(name), each, home, user) for name, each in value.items()}
    if isinstance(value, set | frozenset | list | tuple):
        items = sorted(map(str, value)) if isinstance(value, set | frozenset) else value
        return [_plain(key, each, home, user) for each in items]
    if isinstance(value, str):
        if _SECRET.search(key):
            return "set" if value else "not set"
        return address(value) if _ADDRESS.match(value) else scrubbed_line(value, home, user)
    return value if isinstance(value, int | float | None) else str(value)


def address(url: str) -> str:
    """Scheme, host and port: a path or a query may carry a key."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}/…"
    except ValueError:
        return "not an address"


def _state(home: str, user: str) -> dict[str, str]:
    try:
        folder = state_dir()
    except UnsafeFolderError as error:
        return {"logs/none.txt": f"{error}\n"}
    files: dict[str, str] = {}
    statistics = _end(folder / STATISTICS)
    if statistics:
        files["statistics.json"] = statistics
    names = [LOG_NAME, *(f"{LOG_NAME}.{number}" for number in range(1, BACKUPS + 1))]
    for file in (*(folder / name for name in names), *sorted(folder.glob("worker-*.log"))):
        text = _end(file)
        if text:
            files[f"logs/{file.name}"] = "".join(f"{line}\n" for line in scrubbed(text.splitlines(), home, user))
    return files


def _end(file: Path) -> str:
    """The end of a regular file; "" if it is none."""
    try:
        if file.is_symlink() or not file.is_file():
            return ""
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - MAX_LOG_BYTES))
            return stream.read(MAX_LOG_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
