"""What a text store is made of: chunks of text, running sums over them, and a fingerprint of them all."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate

CHUNK_CHARACTERS = 512
"""Characters in a fresh chunk. Measured against 1,024 and 2,048: a keystroke is fastest."""

GROWN_RATIO = 2
"""A chunk that grew to more than this many times a fresh one is cut: at most once in 512 typed characters."""

SHRUNK_RATIO = 4
"""A chunk below this part of a fresh one is joined to a neighbour, so that deleting leaves no trail of scraps."""

FINGERPRINT_PRIME = 2305843009213691579
"""The largest safe prime below 2^61. Safe, so that powers of 256 take 2^60 steps to repeat; 61 bits, so that
two texts agree by chance once in 10^18."""

FINGERPRINT_BASE = 256
"""A byte's place value, so that `int.from_bytes` evaluates the polynomial at C speed."""


class Chunk:
    """An immutable piece of the text, and what can be said of it alone; costly answers are kept once asked."""

    __slots__ = ("_fingerprint", "_line_starts", "breaks", "text")

    def __init__(self, text: str, breaks: int | None = None) -> None:
        self.text = text
        if breaks is None:
            breaks = text.count("\n")
            if "\r" in text:
                breaks += text.count("\r") - text.count("\r\n")
        self.breaks = breaks
        """Line endings in the chunk; given where they are known."""
        self._line_starts: list[int] | None = None
        self._fingerprint: tuple[int, int] | None = None

    @property
    def line_starts(self) -> list[int]:
        """The offset in the chunk after each of its line endings."""
        if self._line_starts is None:
            text = self.text
            if "\r" in text:  # same length, same places, one kind of ending
                text = text.replace("\r\n", " \n").replace("\r", "\n")
            lengths = map(len, text.split("\n")[:-1])
            self._line_starts = [end + number for number, end in enumerate(accumulate(lengths), 1)]
        return self._line_starts

    @property
    def fingerprint(self) -> tuple[int, int]:
        """The chunk's utf-8 bytes as a number modulo the prime; the place value of what stands before it."""
        if self._fingerprint is None:
            data = self.text.encode("utf-8", "surrogatepass")
            self._fingerprint = (
                int.from_bytes(data, "big") % FINGERPRINT_PRIME,
                pow(FINGERPRINT_BASE, len(data), FINGERPRINT_PRIME),
            )
        return self._fingerprint


class PrefixSums:
    """Running sums of a list of sizes, cheap to change at one place and near it.

    Sums after the place of the last change all owe the same difference; it is kept as one number and settled
    only for what lies between two places of change.
    """

    __slots__ = ("_debt", "_settled", "_sums")

    def __init__(self, sizes: Iterable[int]) -> None:
        self._sums = list(accumulate(sizes, initial=0))
        self._settled = len(self._sums) - 1  # sums up to this index are true
        self._debt = 0  # what those after it still lack

    def copy(self) -> PrefixSums:
        """An independent copy."""
        twin = PrefixSums(())
        twin._sums, twin._settled, twin._debt = self._sums.copy(), self._settled, self._debt
        return twin

    def before(self, index: int) -> int:
        """The sum of the sizes before the index."""
        return self._sums[index] if index <= self._settled else self._sums[index] + self._debt

    @property
    def total(self) -> int:
        """The sum of all sizes."""
        return self.before(len(self._sums) - 1)

    def find(self, value: int) -> int:
        """The first index by whose end the sum reaches the value; the last index if none does."""
        sums, settled = self._sums, self._settled
        if value <= sums[settled]:
            return bisect_left(sums, value, 1, settled + 1) - 1
        return min(bisect_left(sums, value - self._debt, settled + 1), len(sums) - 1) - 1

    def resize(self, index: int, growth: int) -> None:
        """Add to the size at the index."""
        if growth:
            self._settle(index)
            self._debt += growth

    def splice(self, start: int, stop: int, sizes: list[int]) -> None:
        """Replace the sizes from `start` up to `stop`, which is after it."""
        self._settle(start)
        sums = self._sums
        fresh = list(accumulate(sizes, initial=sums[start]))
        self._settled = start + len(sizes)
        self._debt = fresh[-1] - sums[stop]  # those after it stand on the old sum at `stop`
        sums[start : stop + 1] = fresh

    def _settle(self, index: int) -> None:
        """Make the sums true up to the index, and let those after it owe the debt."""
        sums, settled, debt = self._sums, self._settled, self._debt
        if settled < index:
            sums[settled + 1 : index + 1] = [total + debt for total in sums[settled + 1 : index + 1]]
        elif settled > index:
            sums[index + 1 : settled + 1] = [total - debt for total in sums[index + 1 : settled + 1]]
        self._settled = index


class Fingerprint:
    """Fingerprints of the text before and after the place of the last edit, extended when asked.

    Typing at one place leaves both as they are, so only the chunk between them is new.
    """

    __slots__ = ("_ahead", "_behind", "_split")

    def __init__(self, chunk_count: int) -> None:
        self._behind = [(0, 1)]  # [n]: of the first n chunks, and its place value
        self._ahead = [(0, 1)]  # [n]: of the last n chunks, and its place value
        self._split = chunk_count  # how many chunks the left side should cover

    def spliced(self, start: int, stop: int, chunk_count: int) -> None:
        """Chunks from `start` up to `stop` are new; all others are as before."""
        del self._behind[start + 1 :]
        del self._ahead[chunk_count - stop + 1 :]
        self._split = stop

    def value(self, chunks: list[Chunk]) -> int:
        """The fingerprint of all chunks."""
        behind, ahead = self._behind, self._ahead
        for chunk in chunks[len(behind) - 1 : self._split]:
            behind.append(_join(behind[-1], chunk.fingerprint))
        for index in range(len(chunks) - len(ahead), self._split - 1, -1):
            ahead.append(_join(chunks[index].fingerprint, ahead[-1]))
        return _join(behind[self._split], ahead[len(chunks) - self._split])[0]


def _join(left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    """The fingerprint and place value of two texts in a row."""
    return (left[0] * right[1] + right[0]) % FINGERPRINT_PRIME, left[1] * right[1] % FINGERPRINT_PRIME


def ending_length(text: str, end: int) -> int:
    """Characters of the line ending that ends at `end`."""
    return 2 if end > 1 and text[end - 1] == "\n" and text[end - 2] == "\r" else 1


def pieces(text: str, size: int) -> Iterator[str]:
    """The text in pieces of `size` characters, at least one, none ending between \\r and \\n."""
    start = 0
    while len(text) - start > size:
        end = start + size
        if text[end - 1] == "\r" and text[end] == "\n":
            end += 1
        yield text[start:end]
        start = end
    if start < len(text) or not text:
        yield text[start:]
