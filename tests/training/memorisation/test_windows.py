"""The search for runs finds what a naive one finds, and nothing else."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.memorisation import windows
from training.memorisation.windows import Corpus, Found, Run

TOKENS = st.integers(0, 2)
FILES = st.lists(st.lists(TOKENS, max_size=40), min_size=1, max_size=6)


def corpus_of(files: list[list[int]]) -> Corpus:
    tokens = np.array([token for file in files for token in file], dtype=np.uint16)
    return Corpus(tokens, np.cumsum([0, *map(len, files)], dtype=np.int64))


def naive(files: list[list[int]], runs: list[Run]) -> dict[Run, Found]:
    found = {run: Found() for run in runs}
    for run in found:
        for index, file in enumerate(files):
            for at in range(len(file) - len(run) + 1):
                if tuple(file[at : at + len(run)]) == run:
                    found[run].count += 1
                    found[run].files.add(index)
    return found


@settings(max_examples=60)
@given(FILES, st.integers(1, 5), st.data())
def test_it_finds_what_a_naive_search_finds(files: list[list[int]], length: int, data: st.DataObject) -> None:
    runs = data.draw(st.lists(st.tuples(*[TOKENS] * length), max_size=8))
    with mock.patch.object(windows, "PIECE_TOKENS", 16):  # so that pieces have borders even here
        assert windows.find(corpus_of(files), runs, length) == naive(files, runs)


def test_a_run_over_the_border_of_two_files_is_in_neither() -> None:
    found = windows.find(corpus_of([[1, 2, 3], [4, 5, 6]]), [(3, 4), (4, 5)], 2)
    assert found == {(3, 4): Found(), (4, 5): Found(1, {1})}


def test_an_empty_file_between_two_is_passed_over() -> None:
    assert windows.find(corpus_of([[1, 2], [], [1, 2]]), [(1, 2)], 2) == {(1, 2): Found(2, {0, 2})}


def test_two_runs_with_the_same_hash_are_told_apart() -> None:
    class SameForAll(windows._Hash):
        def of(self, tokens: windows.Tokens) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
            return np.zeros_like(super().of(tokens))

    with mock.patch.object(windows, "_Hash", SameForAll):
        found = windows.find(corpus_of([[1, 2, 1, 3]]), [(1, 2), (1, 3), (3, 1)], 2)
    assert [found[run].count for run in ((1, 2), (1, 3), (3, 1))] == [1, 1, 0]


def test_a_token_that_the_corpus_lacks_is_not_found() -> None:
    assert windows.find(corpus_of([[1, 2]]), [(9, 9)], 2) == {(9, 9): Found()}


def test_a_run_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="not 3 tokens long"):
        windows.find(corpus_of([[1, 2, 3]]), [(1, 2)], 3)


def test_progress_ends_at_the_end() -> None:
    told: list[int] = []
    windows.find(corpus_of([[1] * 100]), [(1, 1)], 2, told.append)
    assert told[-1] == 100
