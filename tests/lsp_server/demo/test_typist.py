"""The typist types the truth and accepts nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.demo.typist import Typist


@given(st.text("ab \n\t(", max_size=80))
def test_the_keys_give_the_truth(truth: str) -> None:
    typist = Typist(truth, 0.1, 1)
    keys = []
    while not typist.done:
        assert typist.next_pause() > 0
        keys.append(typist.next_key())
    assert "".join(keys) == truth


def test_enter_brings_the_indentation() -> None:
    typist = Typist("\n    return", 0.1, 1)
    assert typist.next_key() == "\n    "


def test_only_what_was_about_to_be_written_is_wanted() -> None:
    typist = Typist("return x", 0.1, 1)
    assert typist.wants("return")
    assert not typist.wants("return y")
    assert not typist.wants("re")


def test_what_was_accepted_is_not_typed_again() -> None:
    typist = Typist("return x", 0.1, 1)
    typist.accepted("return")
    assert typist.rest == " x"
