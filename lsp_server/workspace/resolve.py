"""In which files of the workspace an imported module may be; pure over the index of files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Final

from lsp_server.workspace.file_index import FileIndex
from lsp_server.workspace.imports import Import
from lsp_server.workspace.languages import family, language_of

MAX_CANDIDATES: Final = 3
"""Files read for one module."""
_PACKAGE_FILES: Final = {"python": ("__init__",), "javascript": ("index",), "rust": ("mod", "lib")}
_GENERIC: Final = frozenset({"crate", "self", "super"})


def candidates(index: FileIndex, importing: str, kind: str, wanted: Import) -> list[str]:
    """Files that `wanted`, imported by the file `importing` of language family `kind`, may stand for; likeliest first.

    Empty for what is not in the workspace, such as a library.
    """
    folder = posixpath.dirname(importing)
    match kind:
        case "python":
            found = _python(index, folder, wanted)
        case "javascript":
            found = _javascript(index, folder, wanted.module)
        case "go":
            found = _go(index, wanted.module)
        case "rust":
            parts = [part for part in wanted.module.split("::") if part not in _GENERIC]
            found = _by_parts(index, "rust", [*parts, *wanted.names]) or _by_parts(index, "rust", parts)
        case "c":
            found = _c(index, folder, wanted.module)
        case _:
            found = []
    own = [path for path in found if path != importing and family(language_of(path)) == kind]
    return sorted(dict.fromkeys(own), key=lambda path: (-_shared(path, importing), len(path), path))[:MAX_CANDIDATES]


def defining(index: FileIndex, importing: str, kind: str, name: str) -> list[str]:
    """Files that may define `name`, the nearest first: for names that a module only passes on."""
    found = [path for path in index.files_defining(name) if family(language_of(path)) == kind and path != importing]
    if len(found) > 2 * MAX_CANDIDATES:
        return []  # a name that many files define says nothing of which is meant
    return sorted(found, key=lambda path: (-_shared(path, importing), len(path), path))[:MAX_CANDIDATES]


def _python(index: FileIndex, folder: str, wanted: Import) -> list[str]:
    parts = wanted.module.split(".") if wanted.module else []
    if wanted.level:
        for _ in range(wanted.level - 1):
            folder = posixpath.dirname(folder)
        base = [*folder.split("/"), *parts] if folder else parts
        modules = [base, *([*base, name] for name in wanted.names)]
        return [path for module in modules for path in _exactly(index, "python", "/".join(module))]
    found = [path for name in wanted.names for path in _by_parts(index, "python", [*parts, name])]
    return [*_by_parts(index, "python", parts), *found]


def _javascript(index: FileIndex, folder: str, module: str) -> list[str]:
    if module.startswith("."):
        place = posixpath.normpath(posixpath.join(folder, module))
        without = posixpath.splitext(place)[0] if language_of(place) != "plaintext" else place
        return [] if place.startswith("..") else _exactly(index, "javascript", without)
    parts = [part for part in module.split("/") if part not in ("@", "~", "#")]
    # An alias of the project's own (`@/lib/x`); a bare name is a package.
    return _by_parts(index, "javascript", parts) if "/" in module else []


def _go(index: FileIndex, module: str) -> list[str]:
    parts = module.split("/")
    found = index.files_in(parts[-1])
    found = [path for path in found if not path.endswith("_test.go")]
    best = max((_ends_alike(posixpath.dirname(path).split("/"), parts) for path in found), default=0)
    return [path for path in found if _ends_alike(posixpath.dirname(path).split("/"), parts) == best]


def _c(index: FileIndex, folder: str, module: str) -> list[str]:
    near = posixpath.normpath(posixpath.join(folder, module))
    found = index.files_named(posixpath.basename(module).partition(".")[0])
    exact = [path for path in found if path == near]
    return exact or [path for path in found if f"/{path}".endswith(f"/{posixpath.normpath(module)}")]


def _by_parts(index: FileIndex, kind: str, parts: list[str]) -> list[str]:
    """Files whose path ends with the module's: below any folder of sources, the package's own file too."""
    if not parts or not all(parts):
        return []
    ending = "/" + "/".join(parts)
    found = [path for path in index.files_named(parts[-1]) if _module(path).endswith(ending) or _module(path) == ending]
    for stem in _PACKAGE_FILES.get(kind, ()):
        inside = [path for path in index.files_in(parts[-1]) if posixpath.basename(path).partition(".")[0] == stem]
        found += [path for path in inside if f"/{posixpath.dirname(path)}".endswith(ending)]
    return found


def _exactly(index: FileIndex, kind: str, place: str) -> list[str]:
    """The files of a module whose place is known."""
    stem = posixpath.basename(place).partition(".")[0]
    found = [path for path in index.files_named(stem) if posixpath.splitext(path)[0] == place]
    for name in _PACKAGE_FILES.get(kind, ()):
        found += [path for path in index.files_named(name) if posixpath.splitext(path)[0] == f"{place}/{name}"]
    return found


def _module(path: str) -> str:
    return "/" + posixpath.splitext(path)[0]


def _shared(path: str, other: str) -> int:
    """How many folders two paths begin with alike."""
    shared = 0
    for mine, theirs in zip(path.split("/")[:-1], other.split("/")[:-1], strict=False):
        if mine != theirs:
            break
        shared += 1
    return shared


def _ends_alike(parts: list[str], others: Iterable[str]) -> int:
    alike = 0
    for mine, theirs in zip(reversed(parts), reversed(list(others)), strict=False):
        if mine != theirs:
            break
        alike += 1
    return alike
