"""Records of tokens in a JSON file: of hashes, replaced whole, read and written by its owner only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from edge_proxy import atomic_file
from edge_proxy.tenancy.token_store import StoreError
from edge_proxy.tenancy.tokens import TokenRecord


class _Content(msgspec.Struct, kw_only=True):
    version: int = 1
    tokens: list[TokenRecord] = []


class TokenFile:
    """Made by the first `tokens create`; until then it has no tokens, and lets nobody in."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path
        self.where: Final = str(path)

    def version(self) -> object:
        """Of the file's state on the disk. Raises StoreError."""
        try:
            return atomic_file.version(self._path)
        except OSError as error:
            raise self._problem("read", error) from None

    def read(self) -> dict[str, TokenRecord]:
        """All records by id. Raises StoreError."""
        try:
            return self._decoded(atomic_file.read(self._path))
        except OSError as error:
            raise self._problem("read", error) from None

    def change(self, edit: Callable[[dict[str, TokenRecord]], None]) -> None:
        """Apply `edit`, holding the file's lock. Raises StoreError."""

        def edited(content: bytes | None) -> bytes:
            records = self._decoded(content)
            edit(records)
            return msgspec.json.format(msgspec.json.encode(_Content(tokens=list(records.values())))) + b"\n"

        try:
            atomic_file.change(self._path, edited)
        except OSError as error:
            raise self._problem("written", error) from None

    def _decoded(self, content: bytes | None) -> dict[str, TokenRecord]:
        if content is None:
            return {}
        try:
            return {record.id: record for record in msgspec.json.decode(content, type=_Content).tokens}
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(
                f"{self.where} is not a file of `foretype-proxy tokens` ({error}): give another path, or restore it "
                "from a copy. Lists of NAME:TOKEN lines are for `token_file`."
            ) from None

    def _problem(self, what: str, error: OSError) -> StoreError:
        return StoreError(f"The tokens in {self.where} cannot be {what}: {error.strerror or error}.")
