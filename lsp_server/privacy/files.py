"""Whether anything of a file may leave the machine: the one predicate, for the open document and for its neighbours.

Never: files of credentials (by name or content), ignored, generated and minified ones, what the administrator forbids,
and what a link or `..` leads to outside the workspace. A neighbour must be in a folder of the workspace as well; a file
that a person opened elsewhere may leave, as it was not the workspace that chose it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from cachetools import LRUCache

from lsp_server.context import uri_path
from lsp_server.privacy.generated import is_generated_name, is_minified, says_generated
from lsp_server.privacy.globs import matches, too_long
from lsp_server.privacy.ignore_files import RECHECK_S, IgnoreFiles
from lsp_server.privacy.secret_files import is_secret_name, is_secret_text
from lsp_server.settings import Settings

Kept = Literal["secret", "ignored", "generated", "forbidden", "outside"]
"""Why a file stays on this machine."""

MAX_FILES: Final = 8_192
"""Whose answer by path is kept."""
HEAD: Final = 4_096
"""Characters of a document that its content is judged by."""


class Withheld(NamedTuple):
    """Nothing of the file leaves: why, and as a sentence that names the file but nothing in it."""

    reason: Kept
    sentence: str


class Privacy:
    """Decides for one editor. `roots` gives the workspace's folders (paths or file: URIs), `settings` those that hold;
    both are asked each time; `of_folder` gives those of one folder (by its path) where they differ. `clock` gives
    seconds. May be asked from any thread."""

    def __init__(
        self,
        roots: Callable[[], Sequence[str]],
        settings: Callable[[], Settings],
        clock: Callable[[], float] = time.monotonic,
        ignore_files: IgnoreFiles | None = None,
        of_folder: Callable[[str], Settings] | None = None,
    ) -> None:
        self._roots = roots
        self._settings = settings
        self._of_folder = of_folder or (lambda folder: settings())
        self._clock = clock
        self._ignore_files = ignore_files or IgnoreFiles(clock)
        self._by_path: LRUCache[tuple[object, ...], tuple[Withheld | None, float]] = LRUCache(MAX_FILES)
        self._lock = threading.Lock()

    def may_leave(self, path: str | os.PathLike[str], text: str) -> bool:
        """Whether text of the neighbouring file at `path` may be sent; `text` is its content, or at least its start.

        A relative path is one of each of the workspace's folders in which it exists.
        """
        return self.withheld(path, text) is None

    def withheld(self, path: str | os.PathLike[str], text: str) -> Withheld | None:
        """Why nothing of the neighbouring file at `path` may be sent; None if it may."""
        path = os.fspath(path)
        return self.withheld_path(path) or by_content(path, text[:HEAD], len(text), text.count("\n") + 1)

    def withheld_path(self, path: str) -> Withheld | None:
        """The part of `withheld` that needs no text, so that a file need not be read."""
        if os.path.isabs(path):
            return self._judge_path(path, opened=False)
        places = [os.path.join(root, path) for root in map(folder_path, self._roots()) if root]
        present = [place for place in places if os.path.lexists(place)] or places
        if not present:
            return by_name(path, self._settings().forbidden)
        return next((found for place in present if (found := self._judge_path(place, opened=False))), None)

    def withheld_document(self, uri: str, head: str, characters: int, lines: int) -> Withheld | None:
        """Why nothing of an open document may be sent; `head` is its start, of HEAD characters or less."""
        path = _on_host(uri, _on_disk(uri_path(uri))) if uri.startswith("file:") else _on_disk(uri_path(uri))
        # On another machine there is only a name to go by. A notebook's cell has the path of its file.
        on_disk = path and (uri.startswith("file:") or (os.path.isabs(path) and not _authority(uri)))
        name = uri_path(uri)
        if not name and uri.startswith("file:"):
            return Withheld("outside", f"{uri} names no file: nothing of it is sent.")
        by_path = self._judge_path(path, opened=True) if on_disk else by_name(name, self._settings().forbidden)
        return by_path or by_content(uri, head, characters, lines)

    def _judge_path(self, path: str, *, opened: bool) -> Withheld | None:
        settings = self._settings()
        roots = tuple(self._roots())
        root = innermost(os.path.abspath(path), roots)
        ignore = () if root is None else self._of_folder(root).ignore
        key = (path, opened, roots, ignore, settings.forbidden)
        with self._lock:
            now = self._clock()
            kept = self._by_path.get(key)
            if kept is not None and now - kept[1] < RECHECK_S:
                return kept[0]
            answer = self._by_rules(path, roots, settings, opened=opened)
            self._by_path[key] = (answer, now)
            return answer

    def _by_rules(self, path: str, roots: Sequence[str], settings: Settings, *, opened: bool) -> Withheld | None:
        path = os.path.abspath(path)  # takes `..` away, as a name before it need not be there
        real = _real(path)
        if real is None or too_long(_slashes(path)):
            return Withheld("outside", f"{path} cannot be followed to a file: nothing of it is sent.")
        for each in dict.fromkeys((path, real)):
            if (found := by_name(each, settings.forbidden)) is not None:
                return found
        root = innermost(path, roots)
        if root is None:
            if opened:
                return None
            return Withheld("outside", f"{path} is outside the workspace's folders: nothing of it is sent.")
        real_root = innermost(real, [_real(each) or each for each in map(folder_path, roots) if each])
        if real_root is None:
            return Withheld("outside", f"{path} is a link that leads out of the workspace: nothing of it is sent.")
        for each, its_root in dict.fromkeys(((path, root), (real, real_root))):
            if matches(self._of_folder(its_root).ignore, _relative(each, its_root)):
                return Withheld("ignored", f"{path} matches a pattern of the setting `ignore`: nothing of it is sent.")
            if (name := self._ignore_files.ignored_by(its_root, each)) is not None:
                return Withheld("ignored", f"{path} is ignored by {name}: nothing of it is sent.")
        return None


def by_name(path: str, forbidden: Sequence[str] = ()) -> Withheld | None:
    """The rules that go by the whole path alone."""
    path = _slashes(path)
    if forbidden and matches(forbidden, path):
        return Withheld("forbidden", f"{path} is forbidden by the administrator's policy: nothing of it is sent.")
    if is_secret_name(path):
        return Withheld("secret", f"{path} looks like a file of secrets: nothing of it is sent to a model.")
    if is_generated_name(path):
        return Withheld("generated", f"{path} is a generated file by its name: nothing of it is sent.")
    return None


def by_content(name: str, head: str, characters: int, lines: int) -> Withheld | None:
    """The rules that go by the text: its first characters, its length and its number of lines."""
    is_secret, is_generated = _look_at(head)
    if is_secret:
        return Withheld("secret", f"{name} has the content of a file of secrets: nothing of it is sent to a model.")
    if is_minified(characters, lines):
        return Withheld("generated", f"{name} looks minified: nothing of it is sent.")
    if is_generated:
        return Withheld("generated", f"{name} says that it is generated: nothing of it is sent.")
    return None


@lru_cache(maxsize=64)
def _look_at(head: str) -> tuple[bool, bool]:
    """Kept, since a document's head is the same from key to key wherever else a person types."""
    return is_secret_text(head), says_generated(head)


@lru_cache(maxsize=256)
def folder_path(root: str) -> str:
    """The path of a workspace folder given as an absolute path or a file: URI; "" if it is on no disk here.

    `file://host/…` is a share on Windows; elsewhere it is a file of another machine, whatever its path is called.
    """
    if os.path.isabs(root):
        return os.path.abspath(root)
    path = _on_host(root, _on_disk(uri_path(root))) if root.startswith("file:") else ""
    return os.path.abspath(path) if path else ""


def _on_host(uri: str, path: str) -> str:
    """`path` of a file: URI with its host, if it names another; "" where that is no file here."""
    host = _authority(uri)
    if host in ("", "localhost"):
        return path
    return f"//{host}{path}" if os.name == "nt" else ""


def innermost(path: str, roots: Sequence[str]) -> str | None:
    """The deepest of the folders `roots` that `path` is in."""
    inside = [root for root in map(folder_path, roots) if root and _is_in(path, root)]
    return max(inside, key=len, default=None)


def _is_in(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _relative(path: str, root: str) -> str:
    return _slashes(os.path.relpath(path, root))


def _authority(uri: str) -> str:
    try:
        return urlsplit(uri).netloc
    except ValueError:
        return ""


def _on_disk(path: str) -> str:
    """The path of a URI as the system writes it: without the slash before a drive's letter."""
    return path[1:] if os.name == "nt" and path[2:3] == ":" else path


def _slashes(path: str) -> str:
    return path.replace("\\", "/") if os.sep == "\\" else path


def _real(path: str) -> str | None:
    """Where `path` leads; None for a circle of links or a name that cannot be."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return None
