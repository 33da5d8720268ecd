"""The index of files and names, against a dictionary."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.workspace import file_index
from lsp_server.workspace.file_index import FileIndex

PATHS = st.sampled_from(["a.py", "pkg/a.py", "pkg/b.py", "pkg/sub/b.go", "lib/__init__.py"])
STEPS = st.lists(st.tuples(PATHS, st.none() | st.sets(st.sampled_from(["f", "g", "Klass"]))), max_size=40)


@given(STEPS)
def test_it_finds_what_a_dictionary_finds(steps: list[tuple[str, set[str] | None]]) -> None:
    index, known = FileIndex(), dict[str, set[str]]()
    for path, names in steps:
        known.pop(path, None)
        if names is None:
            index.remove(path)
        else:
            index.add(path, names)
            known[path] = names
    assert len(index) == len(known)
    for name in ("f", "g", "Klass"):
        assert set(index.files_defining(name)) == {path for path, names in known.items() if name in names}
    assert set(index.files_named("b")) == known.keys() & {"pkg/b.py", "pkg/sub/b.go"}
    assert set(index.files_in("pkg")) == known.keys() & {"pkg/a.py", "pkg/b.py"}


def test_a_hundred_thousand_files_take_less_than_twenty_megabytes() -> None:
    index = FileIndex()
    for number in range(2_000):
        index.add(f"services/team_{number % 50}/module_{number}.py", (f"function_{number}_{each}" for each in range(5)))
    assert index.bytes_used * 50 < 20_000_000


def test_more_files_than_the_cap_are_left_out(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(file_index, "MAX_FILES", 3)
    index = FileIndex()
    for number in range(5):
        index.add(f"{number}.py")
    assert len(index) == 3
    assert index.is_full


def test_a_file_that_is_surely_new_is_added_without_looking_for_it() -> None:
    index = FileIndex()
    for number in range(300):
        index.add(f"pkg/a{number}.py", {"f"}, known=False)
    index.add("pkg/a7.py", {"g"})
    assert len(index) == 300
    assert index.files_defining("g") == ["pkg/a7.py"]
