"""The models on this machine: one folder each in the user's data folder, with the GGUF file and a record of it.

    models/NAME/FILE.gguf       the model
    models/NAME/model.json      where it came from, its SHA-256, its licence and when that was accepted
    models/NAME/SHA256.part     a download that was interrupted
    models/.locks/NAME.lock     held by whoever changes NAME

A model is there once its record is: it is written last.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from filelock import FileLock

from lsp_server.models.errors import ModelError
from lsp_server.models.memory import Shape
from lsp_server.models.names import is_name
from lsp_server.paths import data_dir, private_folder

RECORD: Final = "model.json"
PART: Final = ".part"
LOCKS: Final = ".locks"


@dataclass(frozen=True, slots=True)
class Record:
    """A model in the store. `accepted`: when its licence was accepted, ISO 8601, empty if it needed no acceptance."""

    name: str
    file: str
    repo: str
    revision: str
    path_in_repo: str
    sha256: str
    bytes: int
    licence: str
    licence_url: str
    accepted: str
    pulled: str
    fim: bool
    parameters: float = 0.0
    layers: int = 0
    kv_width: int = 0
    context_tokens: int = 0

    @property
    def shape(self) -> Shape:
        """What its memory and time depend on."""
        return Shape(self.bytes, self.parameters, self.layers, self.kv_width, self.context_tokens)


class Store:
    """The folder of models. Nothing is made before something is pulled."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder

    @classmethod
    def of_user(cls, environ: Mapping[str, str] | None = None) -> Store:
        """The user's."""
        return cls(data_dir(environ) / "models")

    def prepare(self) -> None:
        """Make the folders. Raises UnsafeFolderError."""
        private_folder(self.folder.parent)
        private_folder(self.folder)
        private_folder(self.folder / LOCKS)

    def folder_of(self, name: str) -> Path:
        """The folder of the model `name`. Raises ModelError if that cannot be a name."""
        if not is_name(name):
            raise ModelError(f"{name!r} cannot be a model's name: use small letters, digits, '.', '-' and '_'.")
        return self.folder / name

    def lock(self, name: str) -> FileLock:
        """The lock of `name`, across processes; not yet held."""
        self.folder_of(name)
        return FileLock(self.folder / LOCKS / f"{name}.lock", thread_local=False)

    def find(self, name: str) -> Record | None:
        """The record of `name`, in any case of letters, if the model is there."""
        name = name.lower()
        if not is_name(name):
            return None
        folder = self.folder / name
        try:
            record = msgspec.json.decode((folder / RECORD).read_bytes(), type=Record)
        except (OSError, msgspec.MsgspecError):
            return None
        plain = record.file == Path(record.file).name and record.file not in {"", ".", ".."}
        return record if record.name == name and plain and (folder / record.file).is_file() else None

    def file(self, record: Record) -> Path:
        """The GGUF file."""
        return self.folder / record.name / record.file

    def all(self) -> list[Record]:
        """The models that are there, by name."""
        return [record for name in self._names() if (record := self.find(name)) is not None]

    def unfinished(self) -> Iterator[tuple[str, int]]:
        """Names of models whose download was interrupted, and the bytes that are there."""
        for name in self._names():
            parts = list((self.folder / name).glob(f"*{PART}"))
            if parts and self.find(name) is None:
                yield name, sum(part.stat().st_size for part in parts)

    def part(self, name: str, sha256: str) -> Path:
        """Where the download of the file with that checksum is collected; those of other files are removed."""
        folder = private_folder(self.folder_of(name))
        wanted = folder / f"{sha256}{PART}"
        for other in folder.glob(f"*{PART}"):
            if other != wanted:
                other.unlink()
        return wanted

    def keep(self, part: Path, record: Record) -> Path:
        """Turn a finished download into a model, whatever was there under its name before. Raises OSError."""
        folder = self.folder_of(record.name)
        before = self.find(record.name)
        file = folder / record.file
        os.replace(part, file)
        new = folder / f"{RECORD}.new"
        new.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
        os.replace(new, folder / RECORD)
        if before is not None and before.file != record.file:
            (folder / before.file).unlink(missing_ok=True)
        return file

    def remove(self, name: str) -> int:
        """Remove a model or what is there of it; the bytes freed. Raises ModelError if there is nothing."""
        folder = self.folder_of(name)
        if folder.is_symlink() or not folder.is_dir():
            raise ModelError(
                f"There is no model {name} in the store; `foretype-lsp models list` shows those there are."
            )
        size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise ModelError(
                f"The model {name} cannot be removed ({error.strerror or error}): close the editors that use it."
            ) from None
        return size

    def _names(self) -> list[str]:
        try:
            return sorted(path.name for path in self.folder.iterdir() if path.is_dir() and is_name(path.name))
        except OSError:
            return []
