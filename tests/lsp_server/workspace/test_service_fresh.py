"""What is given stays true: declarations as soon as the folder is known, the editor's text before the disk's."""

from __future__ import annotations

from pathlib import Path

import pytest
from workspace_fakes import HELPER, MAIN, STORE, FakeEditor, kinds, put

from lsp_server.anchor import Move, Place
from lsp_server.ask import Ask
from lsp_server.context import build_context
from lsp_server.positions import Position
from lsp_server.workspace import indexer
from lsp_server.workspace.budgets import Limits


class FakeSlowFolder(FakeEditor):
    """A folder that is looked through only when `look_through` is called."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._walk = indexer.walk
        self.known = False

        def walk(*arguments):  # type: ignore[no-untyped-def]
            while not self.known:
                yield None
            yield from self._walk(*arguments)

        monkeypatch.setattr(indexer, "walk", walk)
        super().__init__(root)

    def look_through(self) -> None:
        self.known = True
        self.workspace.work(10.0)


def steps(editor: FakeEditor, count: int) -> None:
    for _ in range(count):
        editor.workspace.indexer.step()


def test_a_document_opened_before_the_folder_is_known_gets_its_declarations_without_an_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "pkg/store.py", STORE)
    editor = FakeSlowFolder(tmp_path, monkeypatch)
    monkeypatch.setattr(editor.workspace, "work", lambda seconds: steps(editor, 100))
    editor.workspace._work_for(0.0)
    main = editor.open("main.py", MAIN)
    editor.workspace._work_for(0.0)
    steps(editor, 100)
    assert editor.parts(main) == ()
    monkeypatch.undo()
    editor.look_through()
    assert editor.parts(main) == (), "the burst of typing goes on with what it began with"
    editor.type(main, "\n")
    editor.anchors.clear()
    assert kinds(editor.parts(main)) == [("declarations", "pkg/store.py")]


def test_parts_that_were_frozen_before_the_folder_was_known_are_looked_for_anew_in_the_next_burst(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = FakeEditor(tmp_path)
    editor.open("helper.py", HELPER)
    main = editor.open("main.py", MAIN)
    assert kinds(editor.parts(main)) == [("similar", "helper.py")]
    put(tmp_path, "pkg/store.py", STORE)
    editor.workspace.indexer.close_root(tmp_path)
    editor.workspace.indexer.open_root(tmp_path)
    editor.workspace.work(10.0)
    editor.type(main, "\n")
    editor.anchors.clear()
    assert kinds(editor.parts(main)) == [("declarations", "pkg/store.py"), ("similar", "helper.py")]


def test_after_new_rules_imports_are_resolved_again_without_an_edit(tmp_path: Path) -> None:
    put(tmp_path, "pkg/store.py", STORE)
    editor = FakeEditor(tmp_path)
    main = editor.open("main.py", MAIN)
    editor.workspace.rules_changed()
    editor.workspace.work(10.0)
    assert kinds(editor.parts(main)) == [("declarations", "pkg/store.py")]


def test_an_open_module_declares_what_the_editor_shows_not_what_was_saved(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    store = editor.open("pkg/store.py", STORE)
    editor.type(store, "\n    def take(self, key: str) -> bytes:\n        return b''\n")
    editor.now += 1.0
    editor.workspace.work(10.0)
    parts = editor.parts(editor.open("main.py", MAIN))
    assert "def take" in parts[0].snippet.text


def test_a_closed_file_that_changes_on_disk_gives_its_new_text(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    helper = editor.open("helper.py", "unlike = 1\n")
    editor.workspace.closed(helper.uri)
    put(tmp_path, "helper.py", HELPER)
    editor.workspace.file_changed(helper.uri)
    editor.workspace.work(10.0)
    assert kinds(editor.parts(editor.open("main.py", MAIN))) == [("similar", "helper.py")]


def test_a_closed_file_that_was_removed_gives_nothing(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    helper = editor.open("helper.py", HELPER)
    editor.workspace.closed(helper.uri)
    (tmp_path / "helper.py").unlink()
    editor.workspace.file_changed(helper.uri)
    editor.workspace.work(10.0)
    assert editor.parts(editor.open("main.py", MAIN)) == ()


def test_a_file_that_is_open_keeps_the_editors_text_whatever_is_written(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    helper = editor.open("helper.py", HELPER)
    put(tmp_path, "helper.py", "unlike = 1\n")
    editor.workspace.file_changed(helper.uri)
    editor.workspace.work(10.0)
    assert kinds(editor.parts(editor.open("main.py", MAIN))) == [("similar", "helper.py")]


@pytest.mark.parametrize("limits", [Limits(), Limits("edge", 32_768)])
def test_key_after_key_the_block_of_snippets_is_the_same_to_the_byte(tmp_path: Path, limits: Limits) -> None:
    put(tmp_path, "pkg/store.py", STORE)
    editor = FakeEditor(tmp_path)
    editor.workspace._limits = lambda: limits
    helper = editor.open("helper.py", HELPER)
    editor.open("other.py", HELPER.replace("limit", "bound"))
    main = editor.open("main.py", MAIN)
    editor.type(helper, "LIMIT = 12\n")
    editor.workspace.work(10.0)
    blocks = set()
    for number, letter in enumerate("store.put(key, entries[key])\n    store.flush(limit)\n    return store\n" * 3):
        editor.type(main, letter)
        editor.now += 0.2 if number % 7 else 1.0
        editor.workspace.work(10.0)
        ask, place = editor.ask(main)
        context = build_context(ask.snapshot, place, ask.path, editor.workspace.surroundings(ask, place))
        blocks.add(tuple((snippet.path, snippet.text) for snippet in context.snippets))
    assert len(blocks) == 1
    assert len(blocks.pop()) >= 2


def test_a_document_that_was_visited_again_is_the_most_recent(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    first = editor.open("first.py", HELPER)
    editor.open("second.py", HELPER)
    editor.type(first, "x")
    editor.now += 1.0
    editor.workspace.work(10.0)
    assert [source.path for source in editor.workspace.indexer.library.sources] == ["first.py", "second.py"]


def test_the_same_place_asked_again_after_moving_away_has_the_same_order(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    for name in ("c", "a", "b"):
        editor.open(f"{name}.py", HELPER)
    main = editor.open("main.py", MAIN + "pass\n" * 60)
    snapshot = main.snapshot(Position(6, 0))

    def at(line: int) -> list[tuple[str, str]]:
        offset = main.text.line_offset(line)
        place = Place(offset, offset, offset, Move.TYPED)
        return kinds(editor.workspace.surroundings(Ask(snapshot, "main.py"), place).parts)

    there = at(6)
    at(60)
    assert at(6) == there == sorted(there)


def test_a_folder_that_takes_too_long_is_known_in_part_and_its_work_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        put(tmp_path, f"pkg/module_{number}.py", HELPER)
    now = iter(range(1_000))
    slow = indexer.Indexer(lambda path, text: True, clock=lambda: float(next(now)))
    monkeypatch.setattr(indexer, "MAX_WORK_S", 20.0)
    slow.open_root(tmp_path)
    while slow.step():
        pass
    assert 0 < len(slow.indexes[tmp_path]) < 40


def test_a_file_that_nobody_thought_of_does_not_keep_the_others_from_being_known(tmp_path: Path) -> None:
    put(tmp_path, "pkg/store.py", STORE)

    def may_leave(path: str, text: str) -> bool:
        if path.endswith("odd.py"):
            raise ValueError("nobody thought of this")
        return True

    editor = FakeEditor(tmp_path, may_leave)
    editor.open("odd.py", HELPER)
    assert kinds(editor.parts(editor.open("main.py", MAIN))) == [("declarations", "pkg/store.py")]
