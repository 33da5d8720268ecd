"""Where answers end: stop strings and single lines, however the text is cut into pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.stops import StopFilter
from gpu_worker.utf8 import Utf8Stream

TEXT = st.text(alphabet="ab \n)", max_size=40)
STOPS = st.lists(st.text(alphabet="ab)\n", min_size=1, max_size=4), max_size=3)


def run(pieces: list[str], stops: list[str], lines: str) -> tuple[str, bool]:
    stop_filter = StopFilter(stops, lines)  # type: ignore[arg-type]  # hypothesis draws it from the literals
    text = "".join(stop_filter.feed(piece) for piece in pieces)
    return text + stop_filter.flush(), stop_filter.stopped


def cut(text: str, sizes: list[int]) -> list[str]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    return [*pieces, text[at:]]


@given(TEXT, STOPS, st.sampled_from(["single", "multi"]), st.lists(st.integers(0, 5), max_size=20))
def test_pieces_do_not_change_what_is_emitted(text: str, stops: list[str], lines: str, sizes: list[int]) -> None:
    assert run(cut(text, sizes), stops, lines) == run([text], stops, lines)


@given(TEXT, STOPS)
def test_what_is_emitted_ends_before_the_stop_that_is_complete_first(text: str, stops: list[str]) -> None:
    ends = [(text.index(stop) + len(stop), text.index(stop)) for stop in stops if stop in text]
    assert run([text], stops, "multi") == (text[: min(ends)[1]] if ends else text, bool(ends))


def test_a_possible_beginning_of_a_stop_is_withheld_until_it_is_none() -> None:
    stop_filter = StopFilter(["END"])
    assert [stop_filter.feed(piece) for piece in ("a E", "N", "x")] == ["a ", "", "ENx"]


def test_single_ends_at_the_first_newline_after_visible_text() -> None:
    assert run(["\n    return", " 1\n    x = 2"], [], "single") == ("\n    return 1", True)


def test_single_goes_on_over_blank_lines_before_the_text() -> None:
    assert run(["\n", "  \n", "x\n"], [], "single") == ("\n  \nx", True)


@given(st.text(), st.lists(st.integers(1, 3), max_size=60))
def test_code_points_leave_whole_however_bytes_arrive(text: str, sizes: list[int]) -> None:
    data = text.encode("utf-8")
    stream = Utf8Stream()
    out, at = "", 0
    for size in [*sizes, len(data)]:
        piece = stream.feed(data[at : at + size])
        assert "\ufffd" not in piece or "\ufffd" in text
        out += piece
        at += size
    assert out == text.replace("\r", "")


@given(st.binary(max_size=40))
def test_any_bytes_give_text_that_can_be_encoded_again(data: bytes) -> None:
    stream = Utf8Stream()
    out = "".join(stream.feed(data[at : at + 1]) for at in range(len(data)))
    assert out.encode("utf-8").decode("utf-8") == out
    assert "\r" not in out
