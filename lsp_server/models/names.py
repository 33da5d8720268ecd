"""What a model may be called: the starter, a name in the store, or the path of a GGUF file."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

STARTER: Final = "starter"
"""The model that ships with the package."""
SUFFIX: Final = ".gguf"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_NOT_IN_FILES: Final = re.compile(r"[^A-Za-z0-9._+-]")
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9._-]+")


def is_path(model: str) -> bool:
    """Whether `model` means a file rather than a name: it has a separator, begins with ~ or ends with .gguf."""
    return any(mark in model for mark in "/\\") or model.startswith("~") or model.lower().endswith(SUFFIX)


def is_name(text: str) -> bool:
    """Whether `text` can be the name of a model in the store: small letters, digits, dot, dash, underscore."""
    return _NAME.fullmatch(text) is not None and not text.endswith(".")


def safe_file(path: str) -> str:
    """What to call the file at `path` of a repository on this disk: nothing that means a folder or another file."""
    return _NOT_IN_FILES.sub("_", PurePosixPath(path).name).lstrip(".") or f"model{SUFFIX}"


def name_of_file(file: str) -> str:
    """A name for the model in `file`, a path in a repository; it may not be a valid one."""
    stem = PurePosixPath(file).name.lower().removesuffix(SUFFIX)
    return _NOT_IN_NAMES.sub("-", stem).strip(".-_")
