"""The workspace as a whole, worked through without its thread: what goes beside a context, and what never does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from workspace_fakes import HELPER, MAIN, STORE, FakeEditor, kinds, put

from lsp_server.anchor import Move, Place
from lsp_server.ask import Ask
from lsp_server.positions import Position
from lsp_server.workspace import recent
from lsp_server.workspace.parts import NOTHING
from lsp_server.workspace.service import MAX_PENDING, Workspace


def test_declarations_of_imported_names_and_similar_code_go_in(tmp_path: Path) -> None:
    put(tmp_path, "pkg/store.py", STORE)
    editor = FakeEditor(tmp_path)
    editor.open("helper.py", HELPER)
    parts = editor.parts(editor.open("main.py", MAIN))
    assert kinds(parts) == [("declarations", "pkg/store.py"), ("similar", "helper.py")]
    assert parts[0].snippet.text == "class Store:\n    def put(self, key: str, entry: bytes) -> None:\n"


def test_an_edit_elsewhere_goes_in_as_a_diff(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    helper = editor.open("helper.py", "def unlike():\n    return 1\n")
    editor.type(helper, "LIMIT = 12\n")
    parts = editor.parts(editor.open("main.py", MAIN))
    assert [(part.kind, part.snippet.text) for part in parts] == [("edits", "+LIMIT = 12\n")]


def test_while_a_burst_of_typing_lasts_nothing_changes(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    main = editor.open("main.py", MAIN)
    first = editor.workspace.surroundings(*editor.ask(main))
    editor.open("helper.py", HELPER)
    for letter in "store.put(key":
        editor.type(main, letter)
        assert editor.workspace.surroundings(*editor.ask(main)) is first


def test_the_next_burst_near_by_has_the_same_parts_and_one_far_away_others(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    editor.open("helper.py", HELPER)
    editor.open("other.py", "def parse_header(stream, encoding, errors):\n    return stream.decode(encoding, errors)\n")
    main = editor.open("main.py", MAIN + "pass\n" + "\n" * 40 + "def read(stream, encoding, errors):\n    x\n")
    snapshot = main.snapshot(Position(6, 0))

    def at(line: int) -> list[tuple[str, str]]:
        offset = main.text.line_offset(line)
        place = Place(offset, offset, offset, Move.TYPED)
        return kinds(editor.workspace.surroundings(Ask(snapshot, "main.py"), place).parts)

    assert at(6) == at(20) == [("similar", "helper.py")]
    assert at(48) == [("similar", "other.py")]


def test_who_was_in_another_document_gets_other_parts(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    editor.open("helper.py", HELPER)
    main = editor.open("main.py", MAIN)
    assert kinds(editor.parts(main)) == [("similar", "helper.py")]
    other = editor.open("other.py", MAIN)
    editor.parts(other)
    editor.type(main, "\n\n\n")
    editor.anchors.clear()
    assert ("similar", "other.py") in kinds(editor.parts(main))


def test_far_parts_of_the_document_itself_are_snippets(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    filler = "".join(f"value_{number} = {number} * 2 + 1\n" for number in range(600))
    main = editor.open("main.py", HELPER + filler + MAIN)
    (part,) = editor.parts(main)
    assert (part.snippet.path, part.first_line) == ("main.py", 1)
    assert "def flush_entries" in part.snippet.text


def test_what_the_model_sees_of_the_document_anyway_is_no_snippet(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    assert editor.parts(editor.open("main.py", MAIN)) == ()


def test_an_edited_file_gives_its_new_text_after_a_pause(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    helper = editor.open("helper.py", "unlike = 1\n")
    editor.type(helper, HELPER)
    editor.now += 1.0
    editor.workspace.work(10.0)
    parts = editor.parts(editor.open("main.py", MAIN))
    assert ("similar", "helper.py") in kinds(parts)


def test_a_file_that_may_not_leave_gives_nothing(tmp_path: Path) -> None:
    put(tmp_path, "pkg/store.py", STORE)
    asked: list[str] = []

    def may_leave(path: str, text: str) -> bool:
        asked.append(Path(path).relative_to(tmp_path).as_posix())
        return path.endswith("main.py")

    editor = FakeEditor(tmp_path, may_leave)
    editor.open("helper.py", HELPER)
    assert editor.parts(editor.open("main.py", MAIN)) == ()
    assert {"helper.py", "pkg/store.py"} <= set(asked)


def test_an_edit_in_a_file_that_may_not_leave_does_not_either(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path, lambda path, text: path.endswith("main.py"))
    helper = editor.open("secret.py", "def unlike():\n    return 1\n")
    editor.type(helper, 'TOKEN = "abc"\n')
    assert editor.parts(editor.open("main.py", MAIN)) == ()


def test_a_file_that_comes_to_be_ignored_is_given_no_more(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    editor.open("helper.py", HELPER)
    main = editor.open("main.py", MAIN)
    assert kinds(editor.parts(main)) == [("similar", "helper.py")]
    put(tmp_path, ".gitignore", "helper.py\n")
    editor.workspace.file_changed((tmp_path / ".gitignore").as_uri())
    editor.workspace.work(10.0)
    assert editor.parts(main) == ()


def test_what_a_burst_of_typing_was_given_before_the_rules_were_known_is_not_given_on(tmp_path: Path) -> None:
    allowed = {"helper.py", "main.py"}
    editor = FakeEditor(tmp_path, lambda path, text: Path(path).name in allowed)
    editor.open("helper.py", HELPER)
    main = editor.open("main.py", MAIN)
    editor.workspace.rules_changed()
    assert editor.parts(main) != (), "asked for before the index has judged its files again"
    allowed.discard("helper.py")
    editor.workspace.work(10.0)
    assert editor.parts(main) == ()


def test_rules_that_are_known_late_hold_in_the_end(tmp_path: Path) -> None:
    allowed = {"helper.py", "main.py"}
    editor = FakeEditor(tmp_path, lambda path, text: Path(path).name in allowed)
    editor.open("helper.py", HELPER)
    main = editor.open("main.py", MAIN)
    editor.workspace.rules_changed()
    editor.workspace.work(10.0)
    allowed.discard("helper.py")
    editor.now += 5.0
    editor.workspace.work(10.0)
    assert editor.parts(main) == ()


@pytest.mark.parametrize("text", ["# @generated\n" + HELPER, HELPER + "\0", HELPER + "x" * 5_000])
def test_generated_binary_and_minified_files_give_nothing(tmp_path: Path, text: str) -> None:
    editor = FakeEditor(tmp_path)
    editor.open("helper.py", text)
    assert editor.parts(editor.open("main.py", MAIN)) == ()


def test_an_ignored_file_gives_nothing(tmp_path: Path) -> None:
    put(tmp_path, ".gitignore", "helper.py\npkg/\n")
    put(tmp_path, "pkg/store.py", STORE)
    editor = FakeEditor(tmp_path)
    editor.open("helper.py", HELPER)
    assert editor.parts(editor.open("main.py", MAIN)) == ()


@pytest.mark.parametrize(
    "uri",
    ["untitled:Untitled-1", "vscode-remote://ssh-remote+host/w/a.py", "git:/w/a.py", "nonsense", "file:///x/a.py"],
)
def test_unsaved_remote_and_outside_documents_neither_give_nor_get(tmp_path: Path, uri: str) -> None:
    editor = FakeEditor(tmp_path)
    editor.open("helper.py", HELPER)
    other = editor.open_uri(uri, MAIN)
    assert editor.workspace.surroundings(*editor.ask(other)) is NOTHING
    editor.type(other, "store")
    assert ("similar", "helper.py") in kinds(editor.parts(editor.open("main.py", MAIN)))


def test_each_folder_of_a_workspace_has_its_own_modules(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    put(one, "pkg/store.py", STORE)
    put(two, "pkg/store.py", STORE.replace("put", "write"))
    editor = FakeEditor(one)
    editor.roots.append(two.as_uri())
    editor.workspace.set_roots(editor.roots)
    editor.workspace.work(10.0)
    put(two, "main.py", MAIN)
    (part,) = editor.parts(editor.open_uri((two / "main.py").as_uri(), MAIN))
    assert "def write" in part.snippet.text


def test_a_folder_that_left_the_workspace_gives_nothing(tmp_path: Path) -> None:
    put(tmp_path, "pkg/store.py", STORE)
    editor = FakeEditor(tmp_path)
    main = editor.open("main.py", MAIN)
    editor.workspace.set_roots([])
    assert editor.parts(main) == ()


def test_a_file_changed_on_disk_is_read_again(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    editor.open("main.py", MAIN)
    put(tmp_path, "pkg/store.py", STORE)
    editor.workspace.file_changed((tmp_path / "pkg/store.py").as_uri())
    editor.workspace.work(10.0)
    assert kinds(editor.parts(editor.open("main.py"))) == [("declarations", "pkg/store.py")]


def test_only_so_many_files_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MAX_RECENT", 3)
    editor = FakeEditor(tmp_path)
    for number in range(6):
        editor.open(f"file_{number}.py", HELPER)
    assert [source.path for source in editor.workspace.indexer.library.sources] == [
        "file_5.py",
        "file_4.py",
        "file_3.py",
    ]


def test_other_languages_are_not_compared(tmp_path: Path) -> None:
    editor = FakeEditor(tmp_path)
    editor.open("helper.js", HELPER, "javascript")
    assert editor.parts(editor.open("main.py", MAIN)) == ()


def test_the_thread_works_and_ends(tmp_path: Path) -> None:
    put(tmp_path, "pkg/store.py", STORE)
    workspace = Workspace(lambda path, text: True)
    workspace.set_roots([tmp_path.as_uri()])
    workspace.start()
    give_up = time.monotonic() + 10.0
    while not any(map(len, workspace.indexer.indexes.values())) and time.monotonic() < give_up:
        time.sleep(0.005)
    workspace.close()
    assert [len(index) for index in workspace.indexer.indexes.values()] == [1]
    assert workspace._thread is not None
    assert not workspace._thread.is_alive()


def test_more_files_changed_at_once_than_are_kept_do_not_lose_the_folder(tmp_path: Path) -> None:
    put(tmp_path, "pkg/store.py", STORE)
    editor = FakeEditor(tmp_path)
    for number in range(MAX_PENDING + 1):
        editor.workspace.file_changed((tmp_path / f"gone_{number}.py").as_uri())
    editor.workspace.work(10.0)
    main = editor.open("main.py", MAIN)
    assert ("declarations", "pkg/store.py") in kinds(editor.parts(main))
