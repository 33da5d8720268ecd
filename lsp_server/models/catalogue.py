"""The catalogue of models that can fill in the middle: `catalogue.toml`, loaded and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from lsp_server.models.licences import Licence
from lsp_server.models.memory import INT4_BYTES, Shape

FILE: Final = "catalogue.toml"
BILLION: Final = 1e9


@dataclass(frozen=True, slots=True)
class Entry:
    """A model. Optional fields are left out where they could not be checked; the hub's own then hold.

    `parameters` in billions; `bytes` of the INT4 file, as precise as the hub's page shows it; `kv_width` is heads of
    keys times their width; `in_range`: one of the 0.5B to 7B that a developer's machine can host.
    """

    name: str
    repo: str
    parameters: float
    licence: str
    languages: str
    file: str | None = None
    revision: str | None = None
    sha256: str | None = None
    bytes: int = 0
    layers: int = 0
    kv_width: int = 0
    context_tokens: int = 0
    in_range: bool = True
    note: str = ""

    @property
    def shape(self) -> Shape:
        """What its memory and time depend on; the file's size is estimated where it is not known."""
        size = self.bytes or int(self.parameters * BILLION * INT4_BYTES)
        return Shape(size, self.parameters * BILLION, self.layers, self.kv_width, self.context_tokens)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries, smallest first, and their licences by id."""

    models: tuple[Entry, ...]
    licences: Mapping[str, Licence]

    def find(self, name: str) -> Entry | None:
        """The entry called `name`, in any case of letters."""
        return next((entry for entry in self.models if entry.name == name.lower()), None)

    def by_repo(self, repo: str) -> Entry | None:
        """The entry that comes from `repo`: its licence holds for the other files there too."""
        return next((entry for entry in self.models if entry.repo.lower() == repo.lower()), None)

    def licence_of(self, entry: Entry) -> Licence:
        """The licence of `entry`."""
        return self.licences[entry.licence]


@cache
def load() -> Catalogue:
    """The catalogue of this version. Raises msgspec.ValidationError if the file is wrong, which a test excludes."""
    text = (resources.files("lsp_server.models") / FILE).read_text("utf-8")
    tables = tomllib.loads(text)
    models = msgspec.convert(tables["model"], tuple[Entry, ...])
    licences = msgspec.convert(tables["licence"], dict[str, Licence])
    return Catalogue(tuple(sorted(models, key=lambda entry: entry.parameters)), licences)
