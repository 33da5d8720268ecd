"""Which files a person wrote and edits, by path alone, and in which language (LSP identifiers)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

SUFFIXES = {
    ".py": "python",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascript",
    ".go": "go",
    ".rs": "rust",
    ".c": "c",
    ".h": "c",
    ".sh": "shellscript",
    ".bash": "shellscript",
    ".zsh": "shellscript",
    ".toml": "toml",
    ".yml": "yaml",
    ".yaml": "yaml",
    ".dockerfile": "dockerfile",
    ".md": "markdown",
}
DOCKERFILE = re.compile(r"^(Dockerfile|Containerfile)(\.[\w.-]+)?$", re.IGNORECASE)
SHELL_SHEBANG = re.compile(rb"#!\s*/\S*?(env\s+)?(ba|da|z|k)?sh\b")
# Cargo rewrites a crate's Cargo.toml when it is published and keeps the one that its author wrote beside it.
CARGO_ORIGINAL = ".toml.orig"
TEST_FILE = re.compile(
    r"(^|/)(test_[^/]*\.(py|c|h)|[^/]*_tests?\.(py|go|rs|c)|conftest\.py|tests?\.(py|rs|c|js|ts)"
    r"|[^/]*[.-](test|spec|tests|stories|bench)\.[cm]?[jt]sx?)$"
)
# Written by programs, whatever they say inside.
GENERATED_NAME = re.compile(
    r"(\.d\.[cm]?ts|[.-]min\.[cm]?js|\.bundle\.js|\.pb\.(go|c|h)|\.pb\.gw\.go|_pb2(_grpc)?\.py|_generated\.(go|rs|ts|js)"
    r"|(^|/)(zz_generated|bindata)[^/]*|(^|/)(parsetab|lextab|parser\.tab)\.[ch]?(py)?)$"
)
# Lock files, build systems' own scripts, legal texts and change logs.
SKIP_NAMES = re.compile(
    r"^(yarn|cargo|poetry|uv|pdm|pixi|go|conda)[.-](lock|sum)(\.\w+)?$|^pnpm-lock\.yaml$"
    r"|^(configure|ltmain\.sh|libtool|install-sh|config\.(guess|sub|status)|depcomp|missing|mkinstalldirs|compile|ylwrap|test-driver)$"
    r"|^(change(s|log)|history|news|licen[cs]e|copying|notice|authors|contributors|maintainers|owners|code[_-]of[_-]conduct"
    r"|unlicense|third.party.*)([._-].*)?\.(md|toml|ya?ml)$",
    re.IGNORECASE,
)
# Folders with a leading dot hold tools' state, but these hold what people write.
WRITTEN_DOT_FOLDERS = frozenset({".github", ".circleci", ".gitlab"})


def language_of(path: str, start: bytes = b"") -> str | None:
    """The language of a file by its name, or by its first line where it has no suffix; None if not one of ours."""
    name = PurePosixPath(path).name
    if DOCKERFILE.match(name):
        return "dockerfile"
    if name.endswith(CARGO_ORIGINAL):
        return "toml"
    if "." not in name and SHELL_SHEBANG.match(start):
        return "shellscript"
    return SUFFIXES.get(PurePosixPath(name).suffix.lower())


def written_name(path: str) -> str:
    """The name under which a person edits the file."""
    return path.removesuffix(".orig") if path.endswith(CARGO_ORIGINAL) else path


def written_by_hand(path: str, skip_folders: frozenset[str]) -> bool:
    """Whether a path inside a package is a source that a person of that project wrote: no test, no copy, no output."""
    parts = PurePosixPath(path).parts
    if TEST_FILE.search(path) or GENERATED_NAME.search(path) or SKIP_NAMES.match(parts[-1]):
        return False
    return not any(
        part.lower() in skip_folders
        or part.endswith((".dist-info", ".data", ".egg-info"))
        or (part.startswith(".") and part not in WRITTEN_DOT_FOLDERS)
        for part in parts[:-1]
    )
