"""Fetches a file from the hub into the store: resumed, checked against its SHA-256, and put in place at once.

`hf_hub_download` of huggingface_hub 2 throws an interrupted download away, so its `http_get` is used, which takes up a
file where it ends; a model is several gigabytes.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Final, cast

from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented, but not re-exported

from lsp_server.models.errors import ModelError
from lsp_server.models.gguf_header import BadGgufError, Header, read_header
from lsp_server.models.hub import Remote, endpoint, sentences
from lsp_server.models.names import safe_file
from lsp_server.models.progress import PlainProgress
from lsp_server.models.store import Record, Store

SPARE_BYTES: Final = 32 * 1_048_576
"""Left free on the disk beside the model."""
READ_BYTES: Final = 4 * 1_048_576
MIB: Final = 1_048_576

NO_FIM: Final = (
    "{name} has no fill-in-the-middle tokens that Foretype knows: it will go on from what is before the cursor and "
    "not see what is after it. A base model for code is what you want."
)


def fetch(
    remote: Remote,
    store: Store,
    name: str,
    *,
    accepted: str,
    now: str,
    parameters: float,
    plain: bool,
    say: Callable[[str], None],
) -> Record:
    """Download `remote` as `name`, whose lock is held; `plain`: progress as lines. Raises ModelError.

    What has arrived is kept when it breaks off, and removed when it is not what the hub described.
    """
    part = store.part(name, remote.sha256)
    have = part.stat().st_size if part.exists() else 0
    if have > remote.bytes:
        part.unlink()
        have = 0
    _require_space(part.parent, remote.bytes - have)
    if have < remote.bytes:
        _transfer(remote, part, have, plain=plain)
    say("Checking the SHA-256…")
    _require_checksum(part, remote)
    header = _header(part, remote)
    if not header.fim:
        say(f"Warning: {NO_FIM.format(name=name)}")
    record = Record(
        name=name,
        file=safe_file(remote.path),
        repo=remote.repo,
        revision=remote.revision,
        path_in_repo=remote.path,
        sha256=remote.sha256,
        bytes=remote.bytes,
        licence=remote.licence.name,
        licence_url=remote.licence.url,
        accepted=accepted,
        pulled=now,
        fim=header.fim,
        parameters=parameters,
        layers=header.layers,
        kv_width=header.kv_width,
        context_tokens=header.context_tokens,
    )
    with sentences(remote.repo, endpoint()):
        store.keep(part, record)
    return record


def _transfer(remote: Remote, part: Path, have: int, *, plain: bool) -> None:
    # The library's warnings show signed addresses; what matters is said by `sentences`.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    with sentences(remote.repo, endpoint()), part.open("ab") as file:
        http_get(
            remote.url,
            file,
            resume_size=have,
            headers=build_hf_headers(library_name="foretype"),
            expected_size=remote.bytes,
            displayed_filename=PurePosixPath(remote.path).name,
            tqdm_class=cast(Any, PlainProgress) if plain else None,
        )
        file.flush()
        os.fsync(file.fileno())


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed + SPARE_BYTES > free:
        raise ModelError(
            f"The disk of {folder} has {free / MIB:.0f} MiB free and the download needs {needed / MIB:.0f} MiB more: "
            "free some space, or set FORETYPE_DATA_DIR to a folder on another disk."
        )


def _require_checksum(part: Path, remote: Remote) -> None:
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    if (found := digest.hexdigest()) != remote.sha256:
        part.unlink()
        raise ModelError(
            f"What arrived of {remote.path} is not what the hub describes: its SHA-256 is {found[:16]}… instead of "
            f"{remote.sha256[:16]}…, so it was removed. Run the command again; if it recurs, the hub is at fault."
        )


def _header(part: Path, remote: Remote) -> Header:
    try:
        return read_header(part)
    except BadGgufError as error:
        part.unlink()
        raise ModelError(f"{remote.path} in {remote.repo} is not a GGUF model: {error}. It was removed.") from None
