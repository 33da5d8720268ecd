"""`pull`: from what a person typed to a model in the store; the order of its steps, none of their work."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace

from filelock import Timeout

from lsp_server.models import catalogue, download, hub
from lsp_server.models.catalogue import Catalogue, Entry
from lsp_server.models.errors import ModelError
from lsp_server.models.licences import require_acceptance
from lsp_server.models.names import STARTER, is_name, name_of_file
from lsp_server.models.store import Record, Store


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to pull: `repo` of the hub, `entry` if it is of the catalogue; `file` and `name` where they were given."""

    repo: str
    entry: Entry | None = None
    file: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Manner:
    """How to deal with the person: `ask` is None where nobody can be asked; `now` ISO 8601; `plain`: lines, no bar."""

    say: Callable[[str], None]
    ask: Callable[[str], str] | None
    accepted: bool
    now: str
    plain: bool


def understand(text: str, known: Catalogue, *, file: str | None = None, name: str | None = None) -> Wanted:
    """What `text` means: a name of the catalogue, or OWNER/REPO[:FILE]. Raises ModelError."""
    if name is not None and (not is_name(name) or name == STARTER):
        raise ModelError(f"--name {name}: use small letters, digits, '.', '-' and '_', and not `{STARTER}`.")
    if text == STARTER:
        raise ModelError("The starter model comes with Foretype: there is nothing to pull.")
    if (entry := known.find(text)) is not None:
        return Wanted(entry.repo, entry, file, name)
    repo, colon, path = text.partition(":")
    if repo.count("/") == 1 and all(repo.split("/")) and (path or not colon):
        if file is not None and path and file != path:
            raise ModelError(f"{text} and --file {file} name two files: give one.")
        return Wanted(repo, None, file or path or None, name)
    near = difflib.get_close_matches(text.lower(), [entry.name for entry in known.models], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ModelError(
        f"{text!r} is neither in the catalogue nor OWNER/REPO: {hint}`foretype-lsp models list` shows the catalogue."
    )


def pull(wanted: Wanted, store: Store, manner: Manner) -> Record:
    """Fetch what is wanted, unless it is there; asks for a restricting licence first. Raises ModelError."""
    known, entry = catalogue.load(), wanted.entry
    pinned = entry is not None and wanted.file is None
    remote = hub.look_up(
        wanted.repo,
        revision=entry.revision if entry is not None and pinned else None,
        file=entry.file if entry is not None and pinned else wanted.file,
    )
    if entry is not None and pinned and entry.sha256 is not None and entry.sha256 != remote.sha256:
        raise ModelError(
            f"{remote.path} in {remote.repo} is not the file that Foretype's catalogue was made with (its SHA-256 "
            f"differs): update Foretype, or pull {remote.repo} by its name if you trust it."
        )
    if (source := entry or known.by_repo(wanted.repo)) is not None:
        remote = replace(remote, licence=known.licence_of(source))
    name = wanted.name or (entry.name if entry is not None and pinned else name_of_file(remote.path))
    _require_free(name, remote, store, given=wanted.name is not None)
    manner.say(f"{name}: {remote.path} from {remote.repo}, {remote.bytes / download.MIB:.1f} MiB")
    if entry is not None and not entry.in_range:
        manner.say(f"Note: {entry.note}")
    had_to = require_acceptance(remote.licence, accepted=manner.accepted, ask=manner.ask, say=manner.say)
    store.prepare()
    lock = store.lock(name)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        manner.say(f"Another pull of {name} is running: waiting for it.")
        lock.acquire()
    try:
        there = store.find(name)
        if there is not None and there.sha256 == remote.sha256 and store.file(there).stat().st_size == there.bytes:
            manner.say("It is there already.")
            return there
        return download.fetch(
            remote,
            store,
            name,
            accepted=manner.now if had_to else "",
            now=manner.now,
            parameters=source.parameters * catalogue.BILLION if source is not None else 0.0,
            plain=manner.plain,
            say=manner.say,
        )
    except KeyboardInterrupt:
        manner.say("Interrupted. The same command goes on where it stopped.")
        raise
    finally:
        lock.release()


def _require_free(name: str, remote: hub.Remote, store: Store, *, given: bool) -> None:
    """A name means one file of one repository, unless the person gave it."""
    if not is_name(name) or name == STARTER:
        raise ModelError(f"No name can be made from {remote.path}: give one with --name.")
    there = store.find(name)
    if there is not None and not given and (there.repo, there.path_in_repo) != (remote.repo, remote.path):
        raise ModelError(
            f"The name {name} is taken by {there.path_in_repo} from {there.repo}: give another with --name, or "
            f"`foretype-lsp models remove {name}` first."
        )
