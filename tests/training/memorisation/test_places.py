"""Places are drawn by a seed, and prompts are laid out as in training and in use."""

from __future__ import annotations

import numpy as np
import pytest

from training import samples, settings
from training import tokenizer as vocabulary
from training.memorisation import places

CONFIG = settings.load()
LAYOUT = samples.Layout(vocabulary.load(CONFIG.path(CONFIG.tokenizer["file"])))
SPECIAL = list(LAYOUT.special.values())
LINES = [f"    total_{number} = values[{number}] + offset  # größer\n" for number in range(60)]
TEXT = "def f(values, offset):\n" + "".join(LINES)
RECORDS = [
    {"package": "one", "path": "one/a.py", "text": TEXT},
    {"package": "two", "path": "two/short.py", "text": "x = 1\n"},
    {"package": "three", "path": "three/b.py", "text": TEXT.replace("total", "sum")},
]
CORPUS = places.tokenised(RECORDS, LAYOUT)


def drawn(count: int = 20, seed: int = 1) -> list[places.Place]:
    return list(places.draw(RECORDS, CORPUS, LAYOUT, count, context=40, length=10, seed=seed))


def decoded(ids: list[int]) -> str:
    return str(LAYOUT.tokenizer.decode(ids, skip_special_tokens=False))


def test_the_corpus_holds_every_files_tokens() -> None:
    for index, record in enumerate(RECORDS):
        assert CORPUS.file(index).tolist() == LAYOUT.ids(record["text"])


def test_the_places_are_the_same_every_time() -> None:
    assert drawn() == drawn()
    assert drawn() != drawn(seed=2)


def test_no_place_is_drawn_twice() -> None:
    found = [(place.path, place.before, place.truth) for place in drawn(60)]
    assert len(found) == 60
    assert len(set(found)) == len(found)


def test_a_file_that_is_too_short_is_never_asked_about() -> None:
    assert {place.path for place in drawn(40)} == {"one/a.py", "three/b.py"}


def test_files_that_are_all_too_short_give_no_places() -> None:
    short = RECORDS[1:2]
    corpus = places.tokenised(short, LAYOUT)
    assert list(places.draw(short, corpus, LAYOUT, 5, context=40, length=10, seed=1)) == []


@pytest.mark.parametrize("place", drawn(30))
def test_a_place_is_a_piece_of_its_file(place: places.Place) -> None:
    text = next(record["text"] for record in RECORDS if record["path"] == place.path)
    before, truth = "".join(place.texts_before), decoded(list(place.truth))
    assert before + truth + place.after in text
    assert decoded(list(place.before)).lstrip("\N{REPLACEMENT CHARACTER}") in before


@pytest.mark.parametrize("place", drawn(5))
def test_a_plain_prompt_is_the_path_and_the_tokens_before(place: places.Place) -> None:
    prompt = places.plain_prompt(LAYOUT, place, 25)
    assert prompt[-25:] == list(place.before[-25:])
    assert decoded(prompt[:-25]) == f"<|file_sep|>{place.path}\n"


@pytest.mark.parametrize("place", drawn(5))
def test_a_fill_prompt_is_the_workers_with_the_run_left_out(place: places.Place) -> None:
    prompt = decoded(places.fill_prompt(LAYOUT, place, 30))
    head, rest = prompt.split("<|fim_prefix|>")
    before, rest = rest.split("<|fim_suffix|>")
    after, typed = rest.split("<|fim_middle|>")
    assert head == f"<|file_sep|>{place.path}\n"
    assert before + typed == "".join(place.texts_before[-30:])
    assert before == "" or before.endswith("\n")
    assert "\n" not in typed
    assert after == place.after


def test_every_place_is_asked_in_every_setting() -> None:
    asked = list(places.questions(drawn(3), LAYOUT, "training files", (10, 40)))
    assert len(asked) == 3 * 2 * 2
    assert {(question.layout, question.context) for question in asked} == {
        (layout, context) for layout in ("plain", "fill in the middle") for context in (10, 40)
    }


def row(marks: tuple[int, ...] = (), length: int = 120) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    ids = np.arange(100, 100 + length, dtype=np.uint16)
    ids[list(marks)] = SPECIAL[0]
    roles = np.full(length, samples.MIDDLE << samples.ROLE_SHIFT, dtype=np.uint16)
    return ids | roles


def test_a_place_in_a_row_is_asked_with_what_stood_before_it() -> None:
    questions = list(places.row_questions(row()[None, :], SPECIAL, "rows", 1, (10, 40), 20, seed=1))
    ids = list(range(100, 220))
    for question, context in zip(questions, (10, 40), strict=True):
        at = ids.index(question.truth[0])
        assert question.prompt == ids[at - context : at]
        assert list(question.truth) == ids[at : at + 20]


def test_a_run_in_a_row_never_holds_a_marker() -> None:
    table = np.stack([row((45, 70, 95))] * 40)
    questions = list(places.row_questions(table, SPECIAL, "rows", 40, (10,), 20, seed=1))
    assert questions
    assert all(SPECIAL[0] not in question.truth for question in questions)


def test_rows_without_a_place_are_passed_over() -> None:
    assert list(places.row_questions(row((50, 65, 80, 95, 110))[None, :], SPECIAL, "rows", 1, (40,), 20, 1)) == []
    assert list(places.row_questions(row()[None, :50], SPECIAL, "rows", 1, (40,), 20, 1)) == []
