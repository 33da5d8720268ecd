"""A text that is edited in place, in time that depends on the edit and not on the size of the file.

The text is a list of chunks of about 500 characters, cut without regard to lines, so a file of 50,000 lines
and a file of one line of 1 MB cost the same. Running sums over the chunks (characters, line endings, units of
the editor's position encoding) find a line, a column or an offset by bisection. An edit makes one new chunk
and splices it in. The line being typed on is kept at hand as well: keystrokes change only it, and the chunk it
lies in is made anew when the text is next read.

Lines end where LSP says, at \\n, \\r\\n and \\r, and nowhere else (`str.splitlines` would also break at
\\f, \\v, \\x1c, \\x85 and U+2028). A chunk never ends between \\r and \\n, so each counts its own line endings.

Offsets are code points from the start of the text; positions are LSP's (see positions.py).

>>> store = TextStore("def f():\\n    pass\\n")
>>> store.replace(Range(Position(1, 4), Position(1, 8)), "return 1")
Edit(offset=13, removed='pass', inserted='return 1')
>>> store.line(1), store.line_count, store.offset_at(Position(2, 0))
('    return 1', 3, 22)
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from lsp_server.positions import Position, PositionEncoding, Range, column_at, units_before, width
from lsp_server.text_chunks import (
    CHUNK_CHARACTERS,
    FINGERPRINT_PRIME,
    GROWN_RATIO,
    SHRUNK_RATIO,
    Chunk,
    Fingerprint,
    PrefixSums,
    ending_length,
    pieces,
)


class InvalidRangeError(ValueError):
    """An edit's range ends before it starts, or has a negative number: the editor and the server disagree."""


class Edit(NamedTuple):
    """What one replacement did: at `offset` code points, the text `removed` became `inserted`."""

    offset: int
    removed: str
    inserted: str


_edit = tuple.__new__
"""Makes an Edit in half the time of calling it."""


class _Line(NamedTuple):
    """A line that lies within one chunk, found already: typing stays on it, so it is looked up first."""

    number: int
    chunk: int
    start: int
    """Code points into the chunk; `end` as well, and before the line's ending."""
    end: int


_NO_LINE = _Line(-1, -1, 0, 0)


class TextView:
    """Reading a text: what `TextStore` and the frozen views of it share."""

    __slots__ = ("_breaks", "_chars", "_chunks", "_found", "_units", "encoding")

    def __init__(self, text: str, encoding: PositionEncoding, chunk_characters: int) -> None:
        self.encoding = encoding
        """The unit of `Position.character`."""
        self._chunks = [Chunk(piece) for piece in pieces(text, chunk_characters)]
        self._found = _NO_LINE
        self._index()

    def _index(self) -> None:
        self._chars = PrefixSums(len(chunk.text) for chunk in self._chunks)
        self._breaks = PrefixSums(chunk.breaks for chunk in self._chunks)
        self._units = self._chars
        if self.encoding is not PositionEncoding.UTF32:
            self._units = PrefixSums(width(chunk.text, self.encoding) for chunk in self._chunks)

    def _settle(self) -> None:
        """Have the chunks say what the text is; every way of reading it begins with this."""

    def __len__(self) -> int:
        """Code points in the text."""
        self._settle()
        return self._chars.total

    def __str__(self) -> str:
        """The whole text, joined: takes time in proportion to its size."""
        self._settle()
        return "".join([chunk.text for chunk in self._chunks])

    def __contains__(self, part: str) -> bool:
        """Whether a single character occurs in the text."""
        self._settle()
        return any(part in chunk.text for chunk in self._chunks)

    @property
    def line_count(self) -> int:
        """Lines in the text: one more than its line endings."""
        self._settle()
        return self._breaks.total + 1

    def line(self, number: int) -> str:
        """The line without its ending; "" for a line that is not there."""
        if not 0 <= number < self.line_count:
            return ""
        return self._between(self._line_start(number), self._line_end(number))

    def slice(self, start: int, end: int) -> str:
        """The text between two offsets, each brought within the text."""
        start = min(max(start, 0), len(self))
        end = min(max(end, start), len(self))
        return self._between(self._place_at(start), self._place_at(end))

    def line_offset(self, number: int) -> int:
        """The offset at which a line starts; the end of the text for a line past the last."""
        self._settle()
        return self._offset(self._line_start(number) if number <= self._breaks.total else self._end())

    def offset_at(self, position: Position) -> int:
        """The offset of a position, brought within its line and within the text.

        Raises InvalidRangeError when a number is negative.
        """
        self._settle()
        return self._offset(self._place(position))

    def position_at(self, offset: int) -> Position:
        """The position of an offset, brought within the text. Inside a \\r\\n it is the end of the line."""
        index, local = self._place_at(min(max(offset, 0), len(self)))
        chunk = self._chunks[index]
        found = self._found
        if index == found.chunk and found.start <= local <= found.end:
            return Position(found.number, width(chunk.text[found.start : local], self.encoding))
        line = self._breaks.before(index) + bisect_left(chunk.line_starts, local + 1)
        place = min((index, local), self._line_end(line))
        return Position(line, self._units_at(place) - self._units_at(self._line_start(line)))

    # A place is (index of a chunk, code points into that chunk).

    def _end(self) -> tuple[int, int]:
        return len(self._chunks) - 1, len(self._chunks[-1].text)

    def _offset(self, place: tuple[int, int]) -> int:
        return self._chars.before(place[0]) + place[1]

    def _units_at(self, place: tuple[int, int]) -> int:
        index, local = place
        return self._units.before(index) + units_before(self._chunks[index].text, local, self.encoding)

    def _place_at(self, offset: int) -> tuple[int, int]:
        index = self._chars.find(offset)
        return index, offset - self._chars.before(index)

    def _line_start(self, number: int) -> tuple[int, int]:
        """Just after the ending of the line before: perhaps at the very end of that ending's chunk."""
        if number == 0:
            return 0, 0
        index = self._breaks.find(number)
        return index, self._chunks[index].line_starts[number - self._breaks.before(index) - 1]

    def _line_end(self, number: int) -> tuple[int, int]:
        """Just before the line's ending."""
        if number >= self._breaks.total:
            return self._end()
        index, local = self._line_start(number + 1)
        return index, local - ending_length(self._chunks[index].text, local)

    def _place(self, position: Position) -> tuple[int, int]:
        line, character = position
        if line < 0 or character < 0:
            raise InvalidRangeError(f"The position {line}:{character} has a negative number.")
        if line == self._found.number:
            return self._place_on(self._found, character)
        if line > self._breaks.total:
            return self._end()
        index, start = self._line_start(line)
        chunk = self._chunks[index]
        following = line - self._breaks.before(index)
        if following < chunk.breaks:  # the usual case: the line ends in the chunk it starts in
            end = chunk.line_starts[following]
            self._found = _Line(line, index, start, end - ending_length(chunk.text, end))
            return self._place_on(self._found, character)
        units = self._units_at((index, start)) + character
        found = self._units.find(units)
        column = column_at(self._chunks[found].text, units - self._units.before(found), self.encoding)
        return min((found, column), self._line_end(line))

    def _place_on(self, line: _Line, character: int) -> tuple[int, int]:
        _, index, start, end = line
        text = self._chunks[index].text
        if text.isascii():
            return index, min(start + character, end)
        return index, start + column_at(text[start:end], character, self.encoding)

    def _between(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        (first, a), (last, b) = start, end
        if first == last:
            return self._chunks[first].text[a:b]
        middle = [chunk.text for chunk in self._chunks[first + 1 : last]]
        return "".join([self._chunks[first].text[a:], *middle, self._chunks[last].text[:b]])


class TextStore(TextView):
    """A text that can be edited; not safe to share between threads.

    `encoding` is the unit of `Position.character`; `chunk_characters` is smaller only in tests.
    """

    __slots__ = (
        "_ahead",
        "_chunk_characters",
        "_fingerprint",
        "_frozen",
        "_hand",
        "_hand_line",
        "_hand_offset",
        "_hand_row",
    )

    def __init__(
        self,
        text: str = "",
        encoding: PositionEncoding = PositionEncoding.UTF16,
        chunk_characters: int = CHUNK_CHARACTERS,
    ) -> None:
        super().__init__(text, encoding, chunk_characters)
        self._chunk_characters = chunk_characters
        self._frozen: TextView | None = None
        self._fingerprint = Fingerprint(len(self._chunks))
        # The line being typed on, if it lies in one chunk and is ASCII, so that columns are code points.
        self._hand_row: int | None = None  # its number; None if no line is at hand
        self._hand = ""  # what it says now, never nothing
        self._hand_line = _NO_LINE  # where the chunks have it
        self._hand_offset = 0  # where it starts in the text
        self._ahead = False  # whether it says more than the chunks do

    def _settle(self) -> None:
        if not self._ahead:
            return
        self._ahead = False
        line = self._hand_line
        _, index, start, end = line
        hand, old = self._hand, self._chunks[index].text
        growth = len(hand) - (end - start)
        self._put_line(line, old[:start] + hand + old[end:], growth, growth)
        self._hand_line = self._found
        if self._found is _NO_LINE:
            self._hand_row = None

    def freeze(self) -> TextView:
        """The text as it is now, unaffected by later edits. Free now; the next edit copies the list of chunks
        (not the text): 30 microseconds for 3.4 MB."""
        self._settle()
        if self._frozen is None:
            view = TextView.__new__(TextView)
            view.encoding = self.encoding
            view._chunks, view._chars, view._breaks = self._chunks, self._chars, self._breaks
            view._units, view._found = self._units, self._found
            self._frozen = view
        return self._frozen

    def fingerprint(self) -> int:
        """A number that is equal for equal texts, whatever edits led to them, and by chance for others.

        The polynomial sum(byte[i] * 256^(n-1-i)) modulo a 61-bit prime, over the utf-8 bytes (Karp
        and Rabin, 1987), with the length in characters in front. The fingerprint of two joined texts follows
        from theirs, so after an edit only the edited chunk is read again.
        """
        return len(self) * FINGERPRINT_PRIME + self._fingerprint.value(self._chunks)

    def replace(self, span: Range, text: str) -> Edit:
        """Replace what lies in the range. A position past a line's end means its end, one past the last line
        means the end of the text.

        Raises InvalidRangeError, and changes nothing, when the range ends before it starts or has a negative
        number.
        """
        (row, a), (last, b) = span
        # A keystroke on the line at hand, spelt out here: this is all that most edits cost.
        if row == last == self._hand_row:
            hand = self._hand
            if 0 <= a <= b <= len(hand) and text.isprintable() and text.isascii():
                fresh = hand[:a] + text + hand[b:]
                if fresh:  # else a \r before it and a \n after it would join
                    self._hand, self._ahead = fresh, True
                    return _edit(Edit, (self._hand_offset + a, hand[a:b], text))
        self._settle()
        return self._replace(*span, text)

    def _replace(self, start: Position, end: Position, text: str) -> Edit:
        """`replace`, in general."""
        if end < start:
            raise InvalidRangeError(
                f"The range ends at {end.line}:{end.character}, before its start {start.line}:{start.character}."
            )
        first, a = self._place(start)
        last, b = (first, a) if end == start else self._place(end)
        edit = Edit(self._chars.before(first) + a, self._between((first, a), (last, b)), text)
        if edit.removed == text:
            return edit
        fresh = self._chunks[first].text[:a] + text + self._chunks[last].text[b:]
        line = self._found
        if (
            first == last == line.chunk
            and line.start <= a <= b <= line.end
            and line.end + len(text) - (b - a) > line.start  # with nothing between them, \r and \n would join
            and "\n" not in text
            and "\r" not in text
        ):
            wider = width(text, self.encoding) - width(edit.removed, self.encoding)
            self._put_line(line, fresh, len(text) - (b - a), wider)
        else:
            self._put(first, last + 1, fresh)
        self._take_in_hand()
        return edit

    def _take_in_hand(self) -> None:
        """Keep the line that was found at hand, if keystrokes on it can be taken as they come."""
        line = self._found
        if line is not _NO_LINE:
            hand = self._chunks[line.chunk].text[line.start : line.end]
            if hand and hand.isascii():
                self._hand, self._hand_line, self._hand_row = hand, line, line.number
                self._hand_offset = self._chars.before(line.chunk) + line.start
                return
        self._hand_row = None

    def _put_line(self, line: _Line, fresh: str, growth: int, wider: int) -> None:
        """Put the new text of a line's chunk in its place, where nothing but that line has changed and it has not
        become empty; it grew by so many characters, and so many units."""
        index = line.chunk
        size = self._chunk_characters
        if not size // SHRUNK_RATIO < len(fresh) <= size * GROWN_RATIO:
            self._put(index, index + 1, fresh)
            return
        if self._frozen is not None:
            self._unshare()
        chunks = self._chunks
        chunks[index] = Chunk(fresh, chunks[index].breaks)
        self._chars.resize(index, growth)
        if self._units is not self._chars:
            self._units.resize(index, wider)
        self._fingerprint.spliced(index, index + 1, len(chunks))
        self._found = _Line(line.number, index, line.start, line.end + growth)

    def _put(self, start: int, stop: int, text: str) -> None:
        """Put a text in the place of chunks, in general; join neighbours where it is short or would split a \\r\\n."""
        if self._frozen is not None:
            self._unshare()
        chunks = self._chunks
        size = self._chunk_characters
        short = size // SHRUNK_RATIO or 1  # a chunk is never empty beside others
        while stop < len(chunks) and (len(text) < short or (text[-1] == "\r" and chunks[stop].text[0] == "\n")):
            text += chunks[stop].text
            stop += 1
        while start > 0 and (len(text) < short or (text[0] == "\n" and chunks[start - 1].text[-1] == "\r")):
            start -= 1
            text = chunks[start].text + text
        parts = (text,) if len(text) <= size * GROWN_RATIO else pieces(text, size)
        fresh = [Chunk(part) for part in parts]
        chunks[start:stop] = fresh
        self._chars.splice(start, stop, [len(chunk.text) for chunk in fresh])
        self._breaks.splice(start, stop, [chunk.breaks for chunk in fresh])
        if self._units is not self._chars:
            self._units.splice(start, stop, [width(chunk.text, self.encoding) for chunk in fresh])
        self._fingerprint.spliced(start, start + len(fresh), len(chunks))
        self._found = _NO_LINE

    def _unshare(self) -> None:
        self._frozen = None
        self._chunks = self._chunks.copy()
        shared = self._units is self._chars
        self._chars, self._breaks = self._chars.copy(), self._breaks.copy()
        self._units = self._chars if shared else self._units.copy()
