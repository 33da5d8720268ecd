"""When the workspace's thread works beside a person who types."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.workspace.turns import IDLE, KEY_S, SWITCH_S, TYPING, TYPING_S, Turn, turn


def test_right_after_a_key_nothing_is_done() -> None:
    assert turn(0.0) == Turn(0.0, KEY_S)
    assert turn(KEY_S / 2).work == 0.0


def test_while_a_person_types_turns_are_short_and_rare() -> None:
    assert turn(KEY_S) is TYPING
    assert TYPING.work <= SWITCH_S
    assert TYPING.work <= TYPING.pause / 40


def test_a_second_after_the_last_key_the_thread_works_on() -> None:
    assert turn(TYPING_S) is IDLE


@given(st.floats(0, 10))
def test_no_turn_is_longer_than_two_milliseconds_and_each_sleeps(since_key: float) -> None:
    assert 0.0 <= turn(since_key).work <= 0.002
    assert turn(since_key).pause > 0.0
