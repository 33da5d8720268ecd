"""The context bench: what is open, what is measured with and without a model, and that large folders are measured."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.context import gathering, likelihood, monorepo, packages, report
from benchmarks.context.layouts import Layout
from benchmarks.context.measure import Judges, compare
from benchmarks.context.packages import companions, opened, written
from benchmarks.context.reach import reach, reach_of
from benchmarks.context.run_queue import queued_s
from benchmarks.context.variants import ALL, COPY, NO_PATH, NONE, VARIANTS, make
from benchmarks.quality.cursors import Cursor
from benchmarks.quality.held_out import Record
from gpu_worker.models import resolve
from lsp_server.workspace.budgets import Limits
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
    made = make(root, CURSOR, RECORDS[:3], Limits(), {})
    assert list(made) == [*VARIANTS, COPY]
    assert made[NONE].context.snippets == []
    assert made[NO_PATH].context.path == ""
    assert [each.path for each in made["similar"].context.snippets] == ["app/near.py", "pkg/store.py"]
    assert len(made[ALL].context.snippets) >= 2
    assert len({each.context.before + each.context.typed + each.context.after for each in made.values()}) == 1
    assert "put(entries" not in made[ALL].context.before + made[ALL].context.after


def test_the_control_holds_the_very_line_and_nothing_else(tmp_path: Path) -> None:
    made = make(written(RECORDS, tmp_path)["p"], CURSOR, RECORDS[:3], Limits(), {})
    (snippet,) = made[COPY].context.snippets
    assert "    store.put(entries, limit)\n" in snippet.text
    assert snippet.path != CURSOR.record.path


def test_reach_counts_names_that_only_the_snippets_have() -> None:
    context = Context(
        before="store = Store()\n", typed="    store.", snippets=[Snippet(path="a", text="x.put(limit)\n")]
    )
    found = reach(CURSOR, context)
    assert (found.names, found.new, found.found, found.covered) == (3, 3, 2, 2)
    assert 0.2 < found.best_line < 0.9


def test_whole_files_show_what_could_be_found_at_all() -> None:
    found = reach_of(CURSOR, Context(before="", typed="    store."), [STORE])
    assert (found.new, found.found) == (3, 3)


def test_the_small_model_finds_what_stands_before_it_likelier() -> None:
    line = "records.append(parse_header(stream, encoding, errors))\n"
    with likelihood.loaded("starter") as starter:
        seen = starter.nats(Context(before=line * 3, typed="records.", language="python"), line[8:].rstrip())
        unseen = starter.nats(Context(before="", typed="records.", language="python"), line[8:].rstrip())
    assert 0 < seen < unseen


def test_a_layout_counts_the_tokens_of_the_workers_own_prompt() -> None:
    layout = Layout(resolve("starter"))
    bare = layout.tokens(Context(before="x = 1\n", typed="y"))
    more = layout.tokens(Context(before="x = 1\n", typed="y", snippets=[Snippet(path="a.py", text="x = 1\n")]))
    assert 4 < bare < more


def test_a_table_compares_each_kind_with_none(tmp_path: Path) -> None:
    with likelihood.loaded("starter") as starter:
        judges = Judges(likelihood=starter, layouts={"own": Layout(resolve("starter"))})
        outcomes = asyncio.run(compare([CURSOR], RECORDS, Limits(), judges))
    figures = report.model_json(outcomes)
    assert figures["none"]["nats_less_than_none"]["value"] == 0.0
    assert figures["similar"]["nats"][0] > 0.0
    given = report.reach_json(outcomes)
    assert given["similar"]["tokens_mean"]["own"] > given["none"]["tokens_mean"]["own"]
    assert given["none"]["names_covered"]["value"] <= given["all"]["names_covered"]["value"]
    assert {"similar", "(all of the package)"} <= {*report.reach_table("x", outcomes).columns[0].cells}
    assert "similar" in {*report.likelihood_table("x", outcomes).columns[0].cells}


def test_gathering_is_timed_at_many_places() -> None:
    figures = gathering.measure([Record("p", f"{number}.py", "python", MAIN * 20) for number in range(3)], 20, 1)
    assert figures["files"] == 3
    assert figures["edge"]["gathers"] == 20
    assert 0 < figures["local"]["clock_p50_ms"] <= figures["local"]["clock_p99_ms"]


def test_a_small_large_folder_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monorepo, "KEYS", 5)
    monkeypatch.setattr(monorepo, "KEY_S", (0.001, 0.002))
    figures = monorepo.measure(60, 2)
    assert figures["indexed"] == 60
    assert figures["complete"]
    assert figures["index_at_work"]["keys"] == figures["without"]["keys"] == 10
    assert figures["index_at_work"]["gather_p99_ms"] > 0
    assert figures["read_bytes"] > 60 * 400


def test_what_a_thread_waits_for_a_processor_only_grows() -> None:
    first = queued_s()
    assert 0.0 <= first <= queued_s()
