"""The text store against a plain string with LSP's rules written out character by character."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.positions import Position, PositionEncoding, Range
from lsp_server.text_store import Edit, InvalidRangeError, TextStore

TINY_CHUNK = 4
"""Characters in a chunk here, so that a text of a few characters already spans several."""

CHUNK_SIZES = [1, TINY_CHUNK, 16, 1024]
"""From chunks that hold no line to one that holds the whole text."""


class NaiveText:
    """LSP's text model (3.17, "Text Documents") with no regard to speed: the oracle."""

    def __init__(self, text: str, encoding: PositionEncoding) -> None:
        self.text = text
        self.encoding = encoding

    def units(self, character: str) -> int:
        code = ord(character)
        if self.encoding is PositionEncoding.UTF16:
            return 2 if code > 0xFFFF else 1
        if self.encoding is PositionEncoding.UTF8:
            return 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)
        return 1

    def lines(self) -> list[str]:
        """The lines without their endings."""
        return re.split("\r\n|\n|\r", self.text)

    def line_bounds(self, number: int) -> tuple[int, int]:
        starts = [0] + [match.end() for match in re.finditer("\r\n|\n|\r", self.text)]
        return starts[number], starts[number] + len(self.lines()[number])

    def offset_at(self, position: Position) -> int:
        if position.line >= len(self.lines()):
            return len(self.text)
        offset, end = self.line_bounds(position.line)
        units = 0
        while offset < end and units + self.units(self.text[offset]) <= position.character:
            units += self.units(self.text[offset])
            offset += 1
        return offset

    def position_at(self, offset: int) -> Position:
        for number in range(len(self.lines())):
            start, end = self.line_bounds(number)
            last = number == len(self.lines()) - 1
            if last or offset < self.line_bounds(number + 1)[0]:
                inside = self.text[start : min(offset, end)]
                return Position(number, sum(self.units(character) for character in inside))
        raise AssertionError("every offset lies on some line")

    def replace(self, span: Range, text: str) -> None:
        start, end = self.offset_at(span.start), self.offset_at(span.end)
        self.text = self.text[:start] + text + self.text[end:]


# Line endings, what only looks like one, and a character of each width; a lone half of a pair as well.
CHARACTERS = st.sampled_from("ab \n\r\t\f\v\x1c\x85\u2028é\u0301€😋𐐀\ud83d\ude0b")
TEXTS = st.lists(st.one_of(CHARACTERS, st.sampled_from(["\r\n", "\n", "\r", "\r\r\n", "word "])), max_size=40).map(
    "".join
)
POSITIONS = st.builds(Position, st.integers(0, 12), st.one_of(st.integers(0, 16), st.just(2**31 - 1)))
ANYWHERE = st.tuples(POSITIONS, POSITIONS).map(lambda pair: Range(min(pair), max(pair)))
ON_ONE_LINE = st.builds(
    lambda line, start, length: Range(Position(line, start), Position(line, start + length)),
    st.integers(0, 4),
    st.integers(0, 8),
    st.integers(0, 3),
)
RANGES = st.one_of(ON_ONE_LINE, ANYWHERE)
EDITS = st.lists(st.tuples(RANGES, TEXTS), min_size=1, max_size=12)
ENCODINGS = st.sampled_from(list(PositionEncoding))


@given(TEXTS, EDITS, ENCODINGS, st.sampled_from(CHUNK_SIZES))
@settings(max_examples=80, deadline=None)
def test_any_sequence_of_edits_gives_the_text_of_the_naive_store(
    text: str, edits: list[tuple[Range, str]], encoding: PositionEncoding, chunk: int
) -> None:
    store, naive = TextStore(text, encoding, chunk), NaiveText(text, encoding)
    for span, inserted in edits:
        before = naive.text
        edit = store.replace(span, inserted)
        naive.replace(span, inserted)

        assert str(store) == naive.text
        assert len(store) == len(naive.text)
        assert store.line_count == len(naive.lines())
        assert before[: edit.offset] + inserted + before[edit.offset + len(edit.removed) :] == naive.text


@given(TEXTS, EDITS, ENCODINGS, st.sampled_from(CHUNK_SIZES))
@settings(max_examples=80, deadline=None)
def test_lines_offsets_and_positions_agree_with_the_naive_store_after_edits(
    text: str, edits: list[tuple[Range, str]], encoding: PositionEncoding, chunk: int
) -> None:
    store, naive = TextStore(text, encoding, chunk), NaiveText(text, encoding)
    for span, inserted in edits:
        store.replace(span, inserted)
        naive.replace(span, inserted)

    lines = naive.lines()
    assert [store.line(number) for number in range(len(lines))] == lines
    assert [store.line_offset(number) for number in range(len(lines))] == [
        naive.line_bounds(number)[0] for number in range(len(lines))
    ]
    offsets = range(len(naive.text) + 1)
    assert [store.position_at(offset) for offset in offsets] == [naive.position_at(o) for o in offsets]
    for number in range(len(lines) + 1):
        for character in range(10):
            place = Position(number, character)
            assert store.offset_at(place) == naive.offset_at(place)


KEYS = st.sampled_from(["", "", "a", "(", "word", "\t", "\n", "\r", "é", "😋"])
TYPING = st.lists(st.tuples(ON_ONE_LINE, KEYS, st.booleans()), min_size=4, max_size=40)


@given(st.lists(st.sampled_from(["word", " = f(x)", "\n", "\r\n", "é"]), max_size=30).map("".join), TYPING, ENCODINGS)
@settings(max_examples=120, deadline=None)
def test_typing_gives_the_same_text_whether_or_not_it_is_read_between_the_keys(
    text: str, keys: list[tuple[Range, str, bool]], encoding: PositionEncoding
) -> None:
    naive = NaiveText(text, encoding)
    unread, read = (TextStore(text, encoding, chunk_characters=32) for _ in range(2))
    for span, key, looks in keys:
        naive.replace(span, key)
        assert unread.replace(span, key) == read.replace(span, key)
        if looks:
            frozen = read.freeze()
            assert read.offset_at(span.end) == naive.offset_at(span.end)
            assert str(frozen) == naive.text
    assert str(unread) == str(read) == naive.text
    assert unread.fingerprint() == read.fingerprint() == TextStore(naive.text).fingerprint()
    assert unread.line_count == len(naive.lines())


@given(TEXTS, st.integers(-3, 60), st.integers(-3, 60), st.sampled_from(CHUNK_SIZES))
def test_a_slice_is_the_text_between_two_offsets(text: str, start: int, end: int, chunk: int) -> None:
    store = TextStore(text, chunk_characters=chunk)
    low, high = max(start, 0), max(end, 0)
    assert store.slice(start, end) == text[low:high]


@given(TEXTS, EDITS)
@settings(max_examples=80, deadline=None)
def test_a_frozen_view_keeps_its_text_while_the_store_is_edited(text: str, edits: list[tuple[Range, str]]) -> None:
    store = TextStore(text, chunk_characters=16)
    for span, inserted in edits:
        frozen, then = store.freeze(), str(store)
        store.replace(span, inserted)
        naive = NaiveText(then, PositionEncoding.UTF16)
        assert str(frozen) == then
        assert frozen.line_count == len(naive.lines())
        assert frozen.position_at(len(then)) == naive.position_at(len(then))


@given(TEXTS, EDITS)
@settings(max_examples=80, deadline=None)
def test_equal_texts_have_equal_fingerprints_however_they_came_about(text: str, edits: list[tuple[Range, str]]) -> None:
    store = TextStore(text, chunk_characters=TINY_CHUNK)
    for span, inserted in edits:
        store.replace(span, inserted)
        assert store.fingerprint() == TextStore(str(store)).fingerprint()


@given(TEXTS, EDITS)
@settings(max_examples=80, deadline=None)
def test_undoing_edits_brings_each_earlier_fingerprint_back(text: str, edits: list[tuple[Range, str]]) -> None:
    store = TextStore(text, chunk_characters=TINY_CHUNK)
    done = []
    for span, inserted in edits:
        done.append((store.fingerprint(), str(store), store.replace(span, inserted)))
    for fingerprint, then, edit in reversed(done):
        whole = Range(Position(0, 0), Position(2**31 - 1, 0))
        now = str(store)
        store.replace(whole, now[: edit.offset] + edit.removed + now[edit.offset + len(edit.inserted) :])
        assert str(store) == then
        assert store.fingerprint() == fingerprint


@given(TEXTS, TEXTS)
def test_different_texts_have_different_fingerprints(one: str, other: str) -> None:
    assert (TextStore(one).fingerprint() == TextStore(other).fingerprint()) is (one == other)


def test_moving_a_line_between_blank_lines_changes_the_fingerprint() -> None:
    one, other = TextStore("\n\na\n\nb\n\n"), TextStore("\n\nb\n\na\n\n")
    assert one.fingerprint() != other.fingerprint()


@pytest.mark.parametrize("separator", ["\f", "\v", "\x1c", "\x85", "\u2028"])
def test_only_lsp_line_endings_end_a_line(separator: str) -> None:
    store = TextStore(f"a{separator}b\nc")
    assert (store.line_count, store.line(0)) == (2, f"a{separator}b")


def test_removing_what_stood_between_two_line_endings_joins_them() -> None:
    store = TextStore("first line\rx\nlast line", chunk_characters=16)
    store.replace(Range(Position(1, 0), Position(1, 1)), "")
    assert (str(store), store.line_count, store.line(1)) == ("first line\r\nlast line", 2, "last line")


def test_a_carriage_return_before_a_line_feed_joins_it_across_chunks() -> None:
    store = TextStore("abcd\nxyz", chunk_characters=4)
    store.replace(Range(Position(0, 4), Position(0, 4)), "\r")
    assert (str(store), store.line_count, store.line(1)) == ("abcd\r\nxyz", 2, "xyz")


def test_a_line_feed_typed_in_a_line_makes_two() -> None:
    store = TextStore("abcdefgh\nxyz", chunk_characters=16)
    store.replace(Range(Position(0, 4), Position(0, 4)), "\n")
    assert [store.line(number) for number in range(store.line_count)] == ["abcd", "efgh", "xyz"]


def test_a_frozen_view_keeps_its_text_while_a_word_is_typed() -> None:
    store = TextStore("abcdefgh\nxyz", chunk_characters=16)
    frozen = store.freeze()
    store.replace(Range(Position(0, 4), Position(0, 4)), "x")
    assert (str(frozen), str(store)) == ("abcdefgh\nxyz", "abcdxefgh\nxyz")


@pytest.mark.parametrize(("encoding", "column"), [(PositionEncoding.UTF16, 4), (PositionEncoding.UTF8, 8)])
def test_wide_characters_typed_in_a_line_are_counted_in_all_that_follows(
    encoding: PositionEncoding, column: int
) -> None:
    store = TextStore("abcdefgh\n" + "x" * 40, encoding, chunk_characters=16)
    for number in range(2):
        at = Position(0, number * column // 2)
        store.replace(Range(at, at), "😋")
    assert store.position_at(2) == Position(0, column)
    assert store.offset_at(Position(1, 35)) == 2 + 9 + 35


def test_leading_nul_characters_change_the_fingerprint() -> None:
    assert TextStore("\0a").fingerprint() != TextStore("a").fingerprint()


def test_typing_between_the_halves_of_a_line_ending_splits_it_in_two() -> None:
    store = TextStore("a\r\nb")
    store.replace(Range(Position(0, 1), Position(1, 0)), "\r")
    assert (str(store), store.line_count) == ("a\rb", 2)
    store.replace(Range(Position(1, 0), Position(1, 0)), "\n")  # lands behind the \r and joins it
    assert (str(store), store.line_count) == ("a\r\nb", 2)


def test_an_insert_past_the_end_of_a_line_lands_at_its_end() -> None:
    store = TextStore("ab\r\ncd")
    store.replace(Range(Position(0, 99), Position(0, 99)), "!")
    store.replace(Range(Position(1, 99), Position(1, 99)), "?")
    assert str(store) == "ab!\r\ncd?"


def test_an_insert_past_the_last_line_lands_at_the_end_of_the_text() -> None:
    store = TextStore("ab\n")
    edit = store.replace(Range(Position(7, 3), Position(7, 3)), "c")
    assert (str(store), edit) == ("ab\nc", Edit(3, "", "c"))


def test_a_position_inside_a_surrogate_pair_means_its_start() -> None:
    store = TextStore("a😋b", PositionEncoding.UTF16)
    store.replace(Range(Position(0, 2), Position(0, 2)), "|")
    assert str(store) == "a|😋b"


@pytest.mark.parametrize(
    "span",
    [
        Range(Position(1, 0), Position(0, 5)),
        Range(Position(0, 2), Position(0, 1)),
        Range(Position(0, -1), Position(0, 0)),
        Range(Position(-1, 0), Position(0, 0)),
        Range(Position(-1, 0), Position(-1, 0)),
    ],
)
@pytest.mark.parametrize("typed_on", [False, True])
def test_a_bad_range_is_refused_and_changes_nothing(span: Range, typed_on: bool) -> None:
    store = TextStore("one\ntwo")
    if typed_on:
        for key in ("", "ne"):
            store.replace(Range(Position(0, 1), Position(0, 3 if not key else 1)), key)
    with pytest.raises(InvalidRangeError, match=r"^The (range|position) .*\.$"):
        store.replace(span, "x")
    assert str(store) == "one\ntwo"


def test_halves_of_a_surrogate_pair_in_two_edits_are_kept_and_counted() -> None:
    store = TextStore("ab", PositionEncoding.UTF16)
    store.replace(Range(Position(0, 1), Position(0, 1)), "\ud83d")
    store.replace(Range(Position(0, 2), Position(0, 2)), "\ude0b")
    assert store.offset_at(Position(0, 3)) == 3
    assert store.line(0) == "a\ud83d\ude0bb"


@pytest.mark.parametrize("text", ["x" * 300_000, "word 😋\n" * 20_000, "\r\n" * 100_000])
def test_a_keystroke_reads_a_bounded_part_of_a_large_text(text: str) -> None:
    store = TextStore(text)
    store.fingerprint()
    middle = store.position_at(len(text) // 2)
    store.replace(Range(middle, middle), "y")
    store.fingerprint()
    before = {id(chunk) for chunk in store._chunks}
    store.replace(Range(middle, middle), "z")
    store.fingerprint()
    fresh = [chunk for chunk in store._chunks if id(chunk) not in before]
    assert sum(len(chunk.text) for chunk in fresh) <= 4_096
    assert store.line_count == len(NaiveText(str(store), PositionEncoding.UTF16).lines())
