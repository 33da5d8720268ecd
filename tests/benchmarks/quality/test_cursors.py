"""The fixed distribution of cursors."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.quality import cursors
from benchmarks.quality.code_lines import Lines
from benchmarks.quality.cursors import LANGUAGE_MIX, SINGLE_MIX, TRIGGERS, draw
from benchmarks.quality.held_out import Record
from wire_protocol import frames

OURS = Path(cursors.__file__).parents[2]


def own_sources() -> list[Record]:
    """Some files of this repository's own packages, as if they were held out."""
    return [
        Record(folder, path.relative_to(OURS).as_posix(), "python", path.read_text("utf-8"))
        for folder in ("wire_protocol", "edge_proxy", "gpu_worker")
        for path in sorted((OURS / folder).glob("*.py"))[:6]
    ]


PYTHON = own_sources()
GO = [
    Record(
        "g", "g/a.go", "go", "package g\n\n" + "".join(f"func f{n}() {{\n\treturn g(n, {n})\n}}\n" for n in range(60))
    )
]
TASKS: list[frames.Lines] = ["single", "multi"]


@pytest.mark.parametrize("task", TASKS)
def test_the_cursors_are_the_same_every_time(task: frames.Lines) -> None:
    assert draw(PYTHON, task, 40, seed=7) == draw(list(reversed(PYTHON)), task, 40, seed=7)


@pytest.mark.parametrize("task", TASKS)
def test_the_first_cursors_do_not_depend_on_how_many_are_drawn(task: frames.Lines) -> None:
    assert draw(PYTHON + GO, task, 60, seed=7)[:25] == draw(PYTHON + GO, task, 25, seed=7)


def test_another_seed_gives_other_cursors() -> None:
    assert draw(PYTHON, "single", 20, seed=7) != draw(PYTHON, "single", 20, seed=8)


def test_a_languages_cursors_do_not_change_when_another_is_left_out() -> None:
    both = [cursor for cursor in draw(PYTHON + GO, "single", 60, seed=7) if cursor.record.language == "python"]
    assert both == draw(PYTHON, "single", len(both), seed=7)


@pytest.mark.parametrize("task", TASKS)
def test_a_cursor_takes_one_hole_out_of_a_whole_file(task: frames.Lines) -> None:
    for cursor in draw(PYTHON + GO, task, 100, seed=7):
        assert cursor.before + cursor.typed + cursor.truth + cursor.after == cursor.record.text
        assert cursor.truth.rstrip() == cursor.truth
        assert cursor.truth
        assert "\n" not in cursor.typed
        assert cursor.before == "" or cursor.before.endswith("\n")


def test_a_single_line_hole_ends_with_its_line() -> None:
    for cursor in draw(PYTHON, "single", 100, seed=7):
        assert "\n" not in cursor.truth
        assert cursor.after.partition("\n")[0].strip() == ""


def test_a_multi_line_hole_has_two_to_eight_lines_that_say_something() -> None:
    for cursor in draw(PYTHON, "multi", 100, seed=7):
        said = [line for line in cursor.truth.split("\n") if line.strip()]
        assert "\n" in cursor.truth
        assert 1 <= len(said) <= 8


def test_each_kind_stands_where_its_name_says() -> None:
    for cursor in draw(PYTHON, "single", 150, seed=7):
        text, at = cursor.record.text, cursor.at
        if cursor.kind == "after trigger":
            assert text[at - 1] in TRIGGERS
            assert cursor.typed.strip()
        elif cursor.kind == "in word":
            assert (text[at - 1] + text[at]).replace("_", "a").isalnum()
        else:
            assert cursor.typed.strip() == ""
            assert not text[at].isspace()


def test_kinds_come_in_their_shares() -> None:
    drawn = draw(PYTHON, "single", 400, seed=7)
    kinds = Counter(cursor.kind for cursor in drawn)
    for kind, share in SINGLE_MIX.items():
        assert abs(kinds[kind] / len(drawn) - share) < 0.08


def test_packages_are_equally_likely_whatever_their_size() -> None:
    packages = Counter(cursor.record.package for cursor in draw(PYTHON, "single", 300, seed=7))
    assert len(packages) == 3
    assert all(70 <= count <= 130 for count in packages.values())


def test_no_cursor_is_drawn_twice() -> None:
    drawn = draw(GO, "single", 200, seed=7)
    assert len({(cursor.record.path, cursor.at) for cursor in drawn}) == 200


def test_a_file_with_few_places_gives_what_it_has() -> None:
    drawn = draw([Record("p", "p/a.py", "python", "abc\n")], "single", 50, seed=7)
    assert sorted(cursor.typed for cursor in drawn) == ["", "a", "ab"]


def test_a_language_that_runs_dry_leaves_its_turns_to_the_others() -> None:
    few = Record("r", "r/a.rs", "rust", "x\nyy\n")
    drawn = draw([few, *PYTHON], "single", 60, seed=7)
    assert len(drawn) == 60
    assert Counter(cursor.record.language for cursor in drawn)["rust"] == 2


def test_files_without_a_line_of_code_give_no_cursor() -> None:
    assert draw([Record("p", "p/a.py", "python", "# only this\n")], "multi", 5, seed=7) == []


def test_languages_take_turns_by_their_shares() -> None:
    taken = dict.fromkeys(LANGUAGE_MIX, 0)
    for number in range(1, 301):
        taken[cursors.next_language(taken)] += 1
        assert all(abs(taken[name] - share * number / 100) < 2 for name, share in LANGUAGE_MIX.items())
    assert taken == {name: 3 * share for name, share in LANGUAGE_MIX.items()}


def hole(kind: str, text: str, index: int) -> str | None:
    """What `kind` takes out of line `index`, marked in the text."""
    found = cursors.PLACES[kind](Lines.of(text), index, random.Random(1))
    return None if found is None else f"{text[: found[0]]}[{text[found[0] : found[1]]}]{text[found[1] :]}"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("body", "if a:\n    b\n\n    c\nd\n", "if a:[\n    b\n\n    c]\nd\n"),
        ("body", "f() {\n  b;\n}\n", "f() {[\n  b;]\n}\n"),
        ("body", "a\nb\n", None),
        ("body", "if a:\n\n    b\n", None),
        ("body", "if a:\n" + "    b\n" * 9, None),
        ("statements", "  a\n  b\n    c\n\n  d\n", "  [a\n  b\n    c]\n\n  d\n"),
        ("statements", "  a,\n  b,\n)\n", "  [a,\n  b,]\n)\n"),
        ("statements", "if a:\n    b\nelse:\n", "[if a:\n    b\nelse:]\n"),
        ("statements", "{\n  a\n}\n", "[{\n  a]\n}\n"),
        ("statements", "a\n\nb\n", None),
        ("statements", "a\n" * 9, None),
        ("line start", "    return x\n", "    [return x]\n"),
        ("in word", "ab = 1\n", "a[b = 1]\n"),
        ("in word", "a = 1\n", None),
        ("after trigger", "f(a)\n", "f([a)]\n"),
        ("after trigger", "abc\n", None),
    ],
)
def test_what_a_kind_takes_away(kind: str, text: str, expected: str | None) -> None:
    assert hole(kind, text, 0) == expected


def test_a_place_is_told_as_people_count() -> None:
    cursor = draw([Record("p", "src/a.py", "python", "\nab\n")], "single", 1, seed=7)[0]
    assert cursor.place == f"p/src/a.py:2:{cursor.at}"
