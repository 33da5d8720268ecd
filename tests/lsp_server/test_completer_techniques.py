"""The completer with a technique at work and without it: what a benchmark's ablation compares; virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from completion_fakes import FakeSource, run_virtual
from fake_editor import FakeEditor, asked, oracle, text_of

from lsp_server.completer import Nothing, Superseded
from lsp_server.keys import Boundary
from lsp_server.pacing_gaps import MIN_KEYS
from lsp_server.settings import Settings
from lsp_server.techniques import Techniques

TRUTH = "total = value + 1\n"


def test_without_joining_each_key_cancels_and_asks_anew() -> None:
    async def main() -> None:
        source = FakeSource(oracle(TRUTH), latency_s=0.3)
        editor = FakeEditor(source, techniques=Techniques(joining=False, prefetch=False))
        tasks = []
        for key in "tot":
            tasks.append(editor.press(key))
            await asyncio.sleep(0.12)
        outcomes = await asyncio.gather(*tasks)
        assert [type(outcome) for outcome in outcomes[:-1]] == [Superseded, Superseded]
        assert text_of(outcomes[-1]) == "al = value + 1"
        assert len(asked(source)) == 3
        assert source.cancelled[:2] == [1, 2]

    run_virtual(main())


def test_without_typing_through_each_key_asks_anew() -> None:
    async def main() -> None:
        source = FakeSource(oracle(TRUTH))
        editor = FakeEditor(source, techniques=Techniques(typing_through=False, prefetch=False))
        for number, key in enumerate("tot"):
            assert text_of(await editor.press(key)) == TRUTH[number + 1 : -1]
        assert len(asked(source)) == 3

    run_virtual(main())


def typed_by_someone_who_pauses(techniques: Techniques, settings: Settings | None = None) -> float:
    """Seconds from the second key to its answer, from a source of 100 ms, by someone who pauses in words."""

    async def main() -> float:
        source = FakeSource(lambda context: "" if context.typed == "a" else "value", latency_s=0.1)
        editor = FakeEditor(source, settings=settings, techniques=replace(techniques, prefetch=False))
        for _ in range(MIN_KEYS):
            editor.completer.pacing.gaps.add(Boundary.WORD, 1.0)
        editor.type("a")
        await editor.ask(invoked=True)
        source.script = lambda context: "value"
        await editor.press("b")  # the source's time is known from here on
        await asyncio.sleep(1.0)
        began = editor.completer.now()
        assert text_of(await editor.press("c")) == "value"
        return editor.completer.now() - began

    return run_virtual(main())


def test_who_pauses_after_each_key_does_not_wait_for_quiet() -> None:
    assert typed_by_someone_who_pauses(Techniques()) == pytest.approx(0.1)


def test_without_adaptive_pacing_everybody_waits_for_quiet() -> None:
    assert typed_by_someone_who_pauses(Techniques(adaptive_pacing=False)) == pytest.approx(0.15)


def test_a_quiet_time_of_the_settings_holds_for_everybody() -> None:
    assert typed_by_someone_who_pauses(Techniques(), Settings(debounce_ms=200)) == pytest.approx(0.3)


def test_a_generation_that_survives_typing_is_learnt() -> None:
    async def main() -> None:
        editor = FakeEditor(FakeSource(oracle(TRUTH), latency_s=0.3))
        tasks = []
        for key in "tot":
            tasks.append(editor.press(key))
            await asyncio.sleep(0.12)
        await asyncio.gather(*tasks)
        assert editor.completer.pacing.survives.value > 0.5

    run_virtual(main())


def test_where_a_plugin_says_that_a_snippet_is_filled_in_nothing_is_shown_unless_asked_for() -> None:
    async def main() -> None:
        source = FakeSource(oracle(TRUTH))
        editor = FakeEditor(source)
        editor.type("t")
        ask = replace(editor.ask_at(editor.cursor), editing="snippet")
        assert isinstance(await editor.completer.complete(ask), Nothing)
        assert source.requests == []
        assert text_of(await editor.completer.complete(replace(ask, invoked=True))) == "otal = value + 1"

    run_virtual(main())


def test_generations_and_tokens_are_counted_by_kind() -> None:
    async def main() -> None:
        editor = FakeEditor(FakeSource(oracle("a = first()\nb = 2\n")))
        await editor.press("a")
        await asyncio.sleep(0.5)
        editor.type("!")
        await editor.ask(invoked=True)
        counts = editor.completer.counters.counts()
        kinds = ("invoked", "automatic", "prefetch")
        assert [counts[f"generations_{kind}"] for kind in kinds] == [1, 1, 1]
        assert counts["generations"] == 3
        assert counts["tokens_generated"] == sum(counts[f"tokens_{kind}"] for kind in kinds) > 0

    run_virtual(main())
