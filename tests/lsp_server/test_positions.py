"""Columns in each encoding against the encoded bytes themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.positions import PositionEncoding, column_at, units_before, well_formed, width

UNIT_BYTES = {PositionEncoding.UTF8: 1, PositionEncoding.UTF16: 2, PositionEncoding.UTF32: 4}
CODECS = {
    PositionEncoding.UTF8: "utf-8",
    PositionEncoding.UTF16: "utf-16-le",
    PositionEncoding.UTF32: "utf-32-le",
}
ANY_CHARACTER = st.one_of(st.sampled_from("ab é\u0301€😋𐐀\u2028\ud83d\ude0b"), st.characters(exclude_categories=()))
LINES = st.text(ANY_CHARACTER, max_size=30)
ENCODINGS = st.sampled_from(list(PositionEncoding))


def oracle_width(text: str, encoding: PositionEncoding) -> int:
    """Each code point is encoded by itself, so that two halves never make a pair."""
    return sum(len(c.encode(CODECS[encoding], "surrogatepass")) // UNIT_BYTES[encoding] for c in text)


@given(LINES, ENCODINGS)
def test_the_width_is_the_number_of_units_of_the_encoded_text(line: str, encoding: PositionEncoding) -> None:
    assert width(line, encoding) == oracle_width(line, encoding)


@given(LINES, ENCODINGS)
def test_a_column_goes_to_units_and_back_unchanged(line: str, encoding: PositionEncoding) -> None:
    for column in range(len(line) + 1):
        units = units_before(line, column, encoding)
        assert units == oracle_width(line[:column], encoding)
        assert column_at(line, units, encoding) == column


@given(LINES, st.integers(0, 150), ENCODINGS)
def test_a_column_is_the_last_one_that_the_units_reach(line: str, units: int, encoding: PositionEncoding) -> None:
    reached = [column for column in range(len(line) + 1) if oracle_width(line[:column], encoding) <= units]
    assert column_at(line, units, encoding) == reached[-1]


@pytest.mark.parametrize(
    ("encoding", "units", "column"),
    [
        (PositionEncoding.UTF16, 2, 1),  # between the halves of the pair
        (PositionEncoding.UTF16, 3, 2),
        (PositionEncoding.UTF8, 2, 1),
        (PositionEncoding.UTF8, 4, 1),  # before the last of its four bytes
        (PositionEncoding.UTF8, 5, 2),
        (PositionEncoding.UTF32, 2, 2),
    ],
)
def test_the_middle_of_a_code_point_means_its_start(encoding: PositionEncoding, units: int, column: int) -> None:
    assert column_at("a😋b", units, encoding) == column


@given(LINES)
def test_well_formed_text_can_be_encoded_and_keeps_what_was_well_formed(line: str) -> None:
    result = well_formed(line)
    assert result.encode().decode() == result
    assert well_formed(result) == result
    if not any("\ud800" <= character <= "\udfff" for character in line):
        assert result == line


def test_halves_next_to_each_other_become_one_character_and_lone_ones_a_replacement() -> None:
    assert well_formed("a\ud83d\ude0bb\ud83dc") == "a😋b\ufffdc"
