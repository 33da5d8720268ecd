"""The context bench: what is open, what is measured without a model, and that the large folder is measured at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.context import monorepo, packages
from benchmarks.context.packages import companions, opened, written
from benchmarks.context.reach import reach
from benchmarks.context.report import quantile
from benchmarks.context.variants import ALL, NO_PATH, NONE, make
from benchmarks.quality.cursors import Cursor
from benchmarks.quality.held_out import Record
from lsp_server.workspace.budgets import Limits
from lsp_server.workspace.file_index import FileIndex
from wire_protocol.frames import Context, Snippet

MAIN = (
    "from pkg.store import Store\n\n\ndef save(entries, limit):\n    store = Store()\n    store.put(entries, limit)\n"
)
STORE = "class Store:\n    def put(self, entries, limit):\n        return limit\n"
RECORDS = [
    Record("p", "app/main.py", "python", MAIN),
    Record("p", "app/near.py", "python", "def flush(store, entries, limit):\n    store.put(entries, limit)\n" * 4),
    Record("p", "pkg/store.py", "python", STORE),
    Record("q", "x.go", "go", "package x\n"),
]
AT = MAIN.index("put(")
CURSOR = Cursor("single", "after trigger", RECORDS[0], MAIN.index("    store.put"), AT, MAIN.index("\n", AT), 2)


def test_packages_with_too_few_files_of_a_language_are_left_out() -> None:
    assert list(companions(RECORDS)) == [("p", "python")]


def test_the_nearest_file_was_visited_last(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [record.path for record in opened(CURSOR, RECORDS[:3])] == ["pkg/store.py", "app/near.py"]
    monkeypatch.setattr(packages, "OPEN_FILES", 1)
    assert [record.path for record in opened(CURSOR, RECORDS[:3])] == ["app/near.py"]


def test_a_path_that_leads_out_of_the_folder_is_not_written(tmp_path: Path) -> None:
    written([*RECORDS, Record("p", "../../evil.py", "python", "x")], tmp_path / "a" / "b")
    assert sorted(path.name for path in tmp_path.rglob("*.py")) == ["main.py", "near.py", "store.py"]


def test_each_variant_differs_by_its_snippets_alone(tmp_path: Path) -> None:
    root = written(RECORDS, tmp_path)["p"]
    indexes: dict[Path, FileIndex] = {}
    made = {name: make(name, root, CURSOR, RECORDS[:3], Limits(), indexes) for name in (NONE, NO_PATH, "similar", ALL)}
    assert made[NONE].context.snippets == []
    assert made[NO_PATH].context.path == ""
    assert [each.path for each in made["similar"].context.snippets] == ["app/near.py", "pkg/store.py"]
    assert len(made[ALL].context.snippets) >= 2
    assert len({each.context.before + each.context.typed + each.context.after for each in made.values()}) == 1
    assert "put(entries" not in made[ALL].context.before + made[ALL].context.after


def test_reach_counts_names_that_only_the_snippets_have() -> None:
    context = Context(
        before="store = Store()\n", typed="    store.", snippets=[Snippet(path="a", text="x.put(limit)\n")]
    )
    found = reach(CURSOR, context)
    assert (found.new_names, found.found_names) == (3, 2)
    assert 0.2 < found.best_line < 0.9


def test_a_quantile_is_one_of_the_values() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([1.0], 0.99) == 1.0


def test_a_small_large_folder_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monorepo, "KEYS", 10)
    monkeypatch.setattr(monorepo, "KEY_S", 0.001)
    figures = monorepo.measure(60)
    assert figures["indexed"] == 60
    assert figures["while_indexing"]["gather_p99_ms"] > 0
    assert figures["read_bytes"] > 60 * 400
