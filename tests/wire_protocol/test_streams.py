"""Frames in the body of a POST."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire_protocol.streams import TooLongError, join, split


@given(st.lists(st.binary(max_size=40)))
def test_what_was_joined_is_split_again(frames: list[bytes]) -> None:
    assert split(join(frames)) == frames


@given(st.lists(st.binary(max_size=9), min_size=1), st.integers(1, 3))
def test_a_body_that_was_cut_inside_a_frame_is_refused(frames: list[bytes], cut: int) -> None:
    with pytest.raises(TooLongError):
        split(join(frames)[:-cut] if frames[-1] or cut < 4 else b"x")
