"""Reads tokens again when they have changed, without a restart: the token file and the store of given-out ones."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

from edge_proxy import atomic_file
from edge_proxy.auth import Gatekeeper, TokenList, parse_tokens, read_text
from edge_proxy.errors import StartError
from edge_proxy.tenancy.token_store import StoreError, TokenStore
from edge_proxy.tenancy.tokens import KnownTokens

logger = logging.getLogger("foretype.edge.tokens")


class TokenWatch:
    """Keeps what `gatekeeper` knows the same as `file` and `store`.

    While one of them cannot be read, what was last known of it holds, and the log says so: an outage of Redis neither
    lets anybody in nor puts anybody out.
    """

    def __init__(self, gatekeeper: Gatekeeper, file: Path | None, store: TokenStore | None) -> None:
        """Reads both, blocking. Raises StartError."""
        self._gatekeeper: Final = gatekeeper
        self._file: Final = file
        self._store: Final = store
        self._complaint = ""
        self._file_version: object = None
        self._seen: object = None
        self._store_version: object = None
        try:
            listed = None if file is None else self._read_file(file, may_be_empty=False)
            given_out = None if store is None else self._read_store(store)
        except StoreError as error:
            raise StartError(str(error)) from None
        gatekeeper.listed, gatekeeper.given_out = listed, given_out

    async def look(self) -> bool:
        """Read what has changed; whether anything had."""
        changed = False
        complaints = []
        try:
            if self._file is not None and self._settled(self._file):
                self._gatekeeper.listed = self._read_file(self._file, may_be_empty=True)
                changed = True
        except (StartError, OSError) as error:
            complaints.append(str(error))  # and the store is looked at all the same
        try:
            if self._store is not None and self._store_version != await asyncio.to_thread(self._store.version):
                self._gatekeeper.given_out = await asyncio.to_thread(self._read_store, self._store)
                changed = True
        except StoreError as error:
            complaints.append(str(error))
        self._complain(" ".join(complaints))
        if changed:
            logger.info("the tokens were read again")
        return changed

    def _complain(self, complaint: str) -> None:
        if complaint and complaint != self._complaint:
            logger.warning("%s The tokens known so far hold.", complaint)
        self._complaint = complaint

    def _settled(self, file: Path) -> bool:
        """Whether the file has changed, and not since the last look: an editor may write it in several steps."""
        version = atomic_file.version(file)
        last, self._seen = self._seen, version
        return version not in (None, self._file_version) and version == last

    def _read_file(self, file: Path, *, may_be_empty: bool) -> TokenList:
        try:
            version = atomic_file.version(file)
        except OSError:
            version = None  # reading it says what is wrong
        before = self._gatekeeper.listed
        listed = parse_tokens(read_text(file, "token file"), file, may_be_empty=may_be_empty)
        tokens = TokenList(listed, None if before is None else before.key)
        self._file_version = version  # from before it was read: what is written meanwhile is read again
        return tokens

    def _read_store(self, store: TokenStore) -> KnownTokens:
        version = store.version()
        tokens = KnownTokens(store.read().values())
        self._store_version = version
        return tokens
