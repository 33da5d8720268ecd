"""The completer with a technique at work and without it: what a benchmark's ablation compares; virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from completion_fakes import FakeSource, run_virtual
from fake_editor import FakeEditor, asked, oracle, text_of

from lsp_server.completer import Nothing, Superseded
from lsp_server.keys import Boundary
from lsp_server.pacing_gaps import MIN_KEYS
from lsp_server.settings import Settings
from lsp_server.sources.base import Ended, Piece, SourceRequest
from lsp_server.techniques import Techniques


class UnsureSource(FakeSource):
    """A source that says at its end how unsure it was."""

    async def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        yield Piece(self.script(request.context), "local")
        yield Ended("stop", "local", model="tuned", mean_logprob=-3.0)


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
        editor = FakeEditor(source, settings=settings, techniques=replace(techniques, prefetch=False, survival=False))
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


def test_without_putting_back_what_was_deleted_the_model_is_asked_again() -> None:
    async def requests(techniques: Techniques) -> int:
        source = FakeSource(oracle(TRUTH))
        editor = FakeEditor(source, techniques=techniques)
        for key in "to":
            editor.type(key)
        await editor.ask()
        editor.backspace()
        await editor.ask()
        return len(source.requests)

    assert run_virtual(requests(Techniques(prefetch=False))) == 1
    assert run_virtual(requests(Techniques(prefetch=False, backspacing=False, quiet_edits=False))) == 2


def test_without_several_lines_by_syntax_one_is_asked_for() -> None:
    async def lines(techniques: Techniques) -> str:
        source = FakeSource(lambda context: "\n    return 1\n")
        editor = FakeEditor(source, "def f():", techniques=techniques)
        await editor.press("\n")
        return source.requests[0].lines

    assert run_virtual(lines(Techniques())) == "multi"
    assert run_virtual(lines(Techniques(blocks=False))) == "single"


def test_without_overtyping_a_text_is_not_known_again_behind_a_closed_bracket() -> None:
    async def requests(techniques: Techniques) -> int:
        source = FakeSource(oracle("x = call(one, two)\n"))
        editor = FakeEditor(source, techniques=techniques)
        for key in "x = call":
            editor.type(key)
        await editor.ask()
        editor.edit(editor.cursor, editor.cursor, "()")
        editor.cursor += 1
        await editor.ask()
        return len(source.requests)

    assert run_virtual(requests(Techniques(prefetch=False))) == 1
    assert run_virtual(requests(Techniques(prefetch=False, overtyping=False))) == 2


def test_without_a_group_of_filters_its_work_is_not_done() -> None:
    async def shown(techniques: Techniques) -> str:
        source = FakeSource(lambda context: "one)")
        editor = FakeEditor(source, "x = call()", techniques=techniques)
        editor.cursor -= 1
        return text_of(await editor.ask(invoked=True))

    assert run_virtual(shown(Techniques())) == "one"
    assert run_virtual(shown(Techniques(trim_brackets=False, trim_repeated_text=False))) == "one)"


def test_without_hiding_by_confidence_the_doubtful_is_shown() -> None:
    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lsp_server.trim.confidence.THRESHOLDS", {"tuned": -2.0})
            source = UnsureSource(lambda context: "value")
            editor = FakeEditor(source, techniques=Techniques(prefetch=False, confidence=False, survival=False))
            assert text_of(await editor.press("x")) == "value"

    run_virtual(main())


def test_without_superseding_a_request_names_nobody() -> None:
    async def named(techniques: Techniques) -> list[tuple[int, ...]]:
        source = FakeSource(lambda context: "", latency_s=1.0)
        editor = FakeEditor(source, techniques=techniques)
        tasks = [editor.press(key) for key in "a"]
        for key in "bcdefghijk":
            await asyncio.sleep(0.12)
            tasks.append(editor.press(key))
        await asyncio.gather(*tasks)
        return [request.supersedes for request in source.requests]

    assert any(run_virtual(named(Techniques(prefetch=False))))
    assert not any(run_virtual(named(Techniques(prefetch=False, superseding=False))))
