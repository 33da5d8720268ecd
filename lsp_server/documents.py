"""The open documents as the editor sees them: what they say, what changed last, and what can't be completed in.

Pure: the clock is given, nothing is read from disk. A document whose text is not kept (too large) or not
trusted (binary, out of sync) stays open and has a `problem`, one sentence; it is None for a usable one.

>>> documents = Documents(clock=lambda: 12.5)
>>> document = documents.open("file:///a.py", "python", 1, "def f():\\n    pa\\n")
>>> end = Position(1, 6)
>>> documents.change("file:///a.py", 2, [ContentChange("s", Range(end, end))]).end == Position(1, 7)
True
>>> snapshot = document.snapshot(Position(1, 7))
>>> snapshot.before(lines=10, characters=4_000), snapshot.after(lines=10, characters=4_000), snapshot.version
('def f():\\n    pas', '\\n', 2)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple
from urllib.parse import unquote

from lsp_server.positions import Position, PositionEncoding, Range, well_formed
from lsp_server.text_store import Edit, InvalidRangeError, TextStore, TextView

MAX_DOCUMENT_CHARACTERS = 5_000_000
"""Characters beyond which a document's text is not kept: nobody writes such a file by hand."""

MAX_TOTAL_CHARACTERS = 100_000_000
"""Characters kept over all open documents, at one to four bytes each; later ones are tracked without text."""

REMEMBERED_VERSIONS = 256
"""Earlier fingerprints kept for a document, so that an undo is known as such: 30 KB at most."""

REMEMBERED_CHARACTERS = 10_000
"""Characters kept of each text an edit removed or inserted; an edit by hand is far shorter."""

NUL = "\0"
"""The character that text files do not have and binary ones do (git looks for it as well)."""


class State(Enum):
    """Whether completions can be offered in a document."""

    READY = "ready"
    TOO_LARGE = "too large"
    BINARY = "binary"
    OUT_OF_SYNC = "out of sync"


class UnknownDocumentError(KeyError):
    """A change for a document that the editor never opened."""

    def __str__(self) -> str:
        return str(self.args[0])


class ContentChange(NamedTuple):
    """One entry of a `didChange`: the new text of a range, or of the whole document where `span` is None."""

    text: str
    span: Range | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One `didChange`, applied."""

    version: int
    at: float
    """When it arrived: the clock's seconds."""
    edits: tuple[Edit, ...]
    """What was replaced, in order; texts are cut at REMEMBERED_CHARACTERS. Empty where the text is not kept."""
    whole: bool
    """Whether the editor sent the whole text instead of a range."""
    end: Position
    """Where the text that the last edit inserted ends: the cursor, if a person typed it."""
    same_text_as: int | None
    """The latest earlier version that had this very text: an undo, a redo, or typing taken back. None where
    nothing changed."""

    @property
    def single(self) -> bool:
        """Whether it is one edit at one place, as typing makes it (not several cursors, an auto-import, a reload)."""
        return len(self.edits) == 1 and not self.whole

    @property
    def inserted(self) -> str:
        """What the only edit inserted; "" unless single."""
        return self.edits[0].inserted if self.single else ""

    @property
    def removed(self) -> str:
        """What the only edit removed; "" unless single."""
        return self.edits[0].removed if self.single else ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document at one version with a cursor; later edits do not touch it. Texts have only \\n as line ending,
    and no lone surrogates, so that they can be encoded and sent."""

    uri: str
    language_id: str
    version: int
    cursor: Position
    """Brought within the text, in the editor's units."""
    offset: int
    """The cursor in code points from the start of the document's own text."""
    fingerprint: int
    text: TextView
    """The document's own text, with its own line endings."""

    def before(self, *, lines: int, characters: int) -> str:
        """The text up to the cursor: at most so many lines above its own, and at most so many characters."""
        start = self.text.line_offset(max(self.cursor.line - lines, 0))
        return self.between(max(start, self.offset - characters), self.offset)

    def after(self, *, lines: int, characters: int) -> str:
        """The text from the cursor on: at most so many lines below its own, and at most so many characters."""
        end = self.text.line_offset(self.cursor.line + lines + 1)
        return self.between(self.offset, min(end, self.offset + characters))

    def between(self, start: int, end: int) -> str:
        """The text between two offsets, each brought within the text."""
        text = self.text.slice(start, end)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return well_formed(text)

    def line(self, number: int) -> str:
        """A line without its ending; "" for one that is not there."""
        return well_formed(self.text.line(number))


class Document:
    """An open document. Made and changed by `Documents`; others read."""

    __slots__ = ("_history", "_problem", "_store", "encoding", "language_id", "last_change", "state", "uri", "version")

    def __init__(self, uri: str, language_id: str, version: int, encoding: PositionEncoding) -> None:
        self.uri = uri
        self.language_id = language_id
        self.version = version
        self.encoding = encoding
        self.state = State.OUT_OF_SYNC
        self.last_change: Change | None = None
        self._problem = f"{uri} has no text yet."
        self._store: TextStore | None = None
        self._history: OrderedDict[int, int] = OrderedDict()  # fingerprint -> latest version, oldest first

    @property
    def problem(self) -> str | None:
        """Why nothing can be completed here, in one sentence; None where it can."""
        return None if self.state is State.READY else self._problem

    @property
    def text(self) -> TextView:
        """The text as it is now, for reading; empty where it is not kept."""
        return self._store or TextStore("", self.encoding)

    def snapshot(self, cursor: Position) -> Snapshot:
        """The document as it is now, with a cursor brought within the text. Costs microseconds at any size.

        Raises InvalidRangeError when a number of the cursor is negative.
        """
        store = self._store or TextStore("", self.encoding)
        offset = store.offset_at(cursor)
        return Snapshot(
            uri=self.uri,
            language_id=self.language_id,
            version=self.version,
            cursor=store.position_at(offset),
            offset=offset,
            fingerprint=store.fingerprint(),
            text=store.freeze(),
        )

    def _put(self, text: str) -> None:
        self._store = TextStore(text, self.encoding)
        self._judge_content(NUL in text)

    def _drop(self, state: State, problem: str) -> None:
        """Give the text up; changes are ignored until the whole text comes anew."""
        self.state, self._problem, self._store = state, problem, None
        self._history.clear()

    def _judge_content(self, binary: bool) -> None:
        self.state = State.BINARY if binary else State.READY
        self._problem = f"{self.uri} has NUL characters, so it is taken for a binary file: no suggestions in it."

    def _replace(self, span: Range, text: str) -> Edit:
        assert self._store is not None
        edit = self._store.replace(span, text)
        if NUL in edit.inserted or NUL in edit.removed:
            self._judge_content(NUL in self._store)
        return edit

    def _remember(self) -> int | None:
        """Note the fingerprint under the version; the version the text has gone back to, if any."""
        if self._store is None:
            return None
        fingerprint = self._store.fingerprint()
        unchanged = bool(self._history) and next(reversed(self._history)) == fingerprint
        earlier = self._history.pop(fingerprint, None)
        self._history[fingerprint] = self.version
        if len(self._history) > REMEMBERED_VERSIONS:
            self._history.popitem(last=False)
        return None if unchanged else earlier


class Documents:
    """All open documents, by URI (compared after percent-decoding, as editors do not agree on it).

    `clock` gives monotonic seconds; `encoding` is what client and server agreed on. Cells of a notebook come
    as documents of their own.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        encoding: PositionEncoding = PositionEncoding.UTF16,
        max_document_characters: int = MAX_DOCUMENT_CHARACTERS,
        max_total_characters: int = MAX_TOTAL_CHARACTERS,
    ) -> None:
        self.encoding = encoding
        """For documents opened from now on."""
        self._clock = clock
        self._max_document = max_document_characters
        self._max_total = max_total_characters
        self._total = 0
        self._documents: dict[str, Document] = {}

    def __iter__(self) -> Iterator[Document]:
        return iter(self._documents.values())

    def __len__(self) -> int:
        return len(self._documents)

    @property
    def kept_characters(self) -> int:
        """Characters kept over all documents."""
        return self._total

    def get(self, uri: str) -> Document | None:
        """The open document, or None."""
        return self._documents.get(unquote(uri))

    def open(self, uri: str, language_id: str, version: int, text: str) -> Document:
        """Open a document, or open it anew."""
        self.close(uri)
        document = Document(uri, language_id, version, self.encoding)
        self._documents[unquote(uri)] = document
        self._put(document, text)
        document._remember()
        return document

    def close(self, uri: str) -> None:
        """Close a document and forget its text; nothing happens if it is not open."""
        document = self._documents.pop(unquote(uri), None)
        if document is not None:
            self._total -= len(document.text)

    def change(self, uri: str, version: int, changes: Sequence[ContentChange]) -> Change:
        """Apply one `didChange`.

        Raises InvalidRangeError, with a sentence for the log, when the editor's changes don't fit the text: the
        document is then out of sync, and further changes to it are ignored, until the whole text comes.
        Raises UnknownDocumentError the first time an unopened document changes; it is out of sync from then on.
        """
        document = self.get(uri)
        if document is None:
            document = Document(uri, "", version, self.encoding)
            self._documents[unquote(uri)] = document
            sentence = f"{uri} changed but was never opened: no suggestions in it until it is reopened."
            document._drop(State.OUT_OF_SYNC, sentence)
            if all(change.span is not None for change in changes):
                raise UnknownDocumentError(sentence)
        document.version = version
        edits = []
        for change in changes:
            edit = self._apply(document, change)
            if edit is not None:
                edits.append(edit)
        result = Change(
            version=version,
            at=self._clock(),
            edits=tuple(_cut(edit) for edit in edits),
            whole=any(change.span is None for change in changes),
            end=self._end(document, edits),
            same_text_as=document._remember(),
        )
        document.last_change = result
        return result

    def _apply(self, document: Document, change: ContentChange) -> Edit | None:
        if change.span is None:
            self._put(document, change.text)
            return None
        if document._store is None:
            return None
        try:
            edit = document._replace(change.span, change.text)
        except InvalidRangeError as error:
            sentence = f"{document.uri}, version {document.version}: {error} No suggestions in it until it is reopened."
            self._drop(document, State.OUT_OF_SYNC, sentence)
            raise InvalidRangeError(sentence) from error
        self._total += len(edit.inserted) - len(edit.removed)
        self._check_size(document, len(document._store))
        return edit

    def _put(self, document: Document, text: str) -> None:
        self._total -= len(document.text)
        document._store = None
        if self._check_size(document, len(text), adding=len(text)):
            document._put(text)
            self._total += len(text)

    def _check_size(self, document: Document, characters: int, adding: int = 0) -> bool:
        """Whether the document's text may be kept; if not, it is dropped."""
        if characters > self._max_document:
            reason = f"has {characters:,} characters, more than {self._max_document:,}"
        elif self._total + adding > self._max_total:
            reason = f"would bring the open documents to more than {self._max_total:,} characters"
        else:
            return True
        self._drop(document, State.TOO_LARGE, f"{document.uri} {reason}: no suggestions in it.")
        return False

    def _drop(self, document: Document, state: State, problem: str) -> None:
        self._total -= len(document.text)
        document._drop(state, problem)

    def _end(self, document: Document, edits: list[Edit]) -> Position:
        if not edits or document._store is None:
            return Position(0, 0)
        return document._store.position_at(edits[-1].offset + len(edits[-1].inserted))


def _cut(edit: Edit) -> Edit:
    if max(len(edit.removed), len(edit.inserted)) <= REMEMBERED_CHARACTERS:
        return edit
    return Edit(edit.offset, edit.removed[:REMEMBERED_CHARACTERS], edit.inserted[:REMEMBERED_CHARACTERS])
