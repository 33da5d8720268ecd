"""The completer: what follows a suggestion is asked for while it is shown; at pause points, before the editor asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from completion_fakes import FakeSource, run_virtual
from fake_editor import FakeEditor, asked, oracle, text_of

from lsp_server.completer import Outcome, Suggested
from lsp_server.keys import Boundary
from lsp_server.open_document import ANSWER_FIRST_S
from lsp_server.pacing_gaps import MIN_KEYS
from lsp_server.sources.base import Ended, Piece, SourceRequest
from lsp_server.techniques import Techniques

TRUTH = "a = first()\nb = second()\nc = third()\n"


def prefetches(source: FakeSource) -> list[SourceRequest]:
    return [request for request in source.requests if request.kind == "prefetch"]


def in_flight_of(source: FakeSource) -> set[int]:
    return {request.id for request in source.requests if request.id not in source.cancelled + source.ended}


async def first_answer(editor: FakeEditor, key: str, *, then_latency_s: float) -> Outcome:
    """The answer to a key; what is asked from then on, the prefetch first, takes longer."""
    task = editor.press(key)
    await asyncio.sleep(0.1)
    editor.source.latency_s = then_latency_s
    outcome = await task
    await asyncio.sleep(2 * ANSWER_FIRST_S)
    return outcome


class SheddingSource(FakeSource):
    """A source that is too busy for prefetches."""

    async def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        if request.kind == "prefetch":
            self.requests.append(request)
            yield Ended("shed", "local", message="busy")
            return
        async for event in super().generate(request):
            yield event


def test_after_an_accept_the_next_suggestion_is_there_at_once() -> None:
    async def main() -> None:
        source = FakeSource(oracle(TRUTH), latency_s=0.3)
        editor = FakeEditor(source)
        first = await editor.press("a")
        assert text_of(first) == " = first()"
        await asyncio.sleep(0.5)
        began = editor.completer.now()
        second = await editor.accept(first)
        assert text_of(second) == "\nb = second()"
        assert isinstance(second, Suggested)
        assert (second.source, editor.completer.now()) == ("cache", began)
        counters = editor.completer.counters
        assert (len(asked(source)), counters.prefetches_used, counters.generations_automatic) == (1, 1, 1)
        assert 0 < counters.tokens_prefetch_used <= counters.tokens_prefetch

    run_virtual(main())


def test_each_suggestion_taken_brings_the_next_one() -> None:
    async def main() -> None:
        source = FakeSource(oracle(TRUTH), latency_s=0.3)
        editor = FakeEditor(source)
        outcome = await editor.press("a")
        for _ in range(2):
            await asyncio.sleep(0.5)
            outcome = await editor.accept(outcome)
        assert text_of(outcome) == "\nc = third()"
        assert (len(asked(source)), editor.completer.counters.prefetches_used) == (1, 2)

    run_virtual(main())


def test_typing_through_a_suggestion_asks_once_for_what_follows_it() -> None:
    async def main() -> None:
        source = FakeSource(oracle(TRUTH), latency_s=0.05)
        editor = FakeEditor(source)
        await editor.press("a")
        for key in " = fir":
            await editor.press(key)
            await asyncio.sleep(0.1)
        assert [request.context.typed for request in prefetches(source)] == ["a = first()"]

    run_virtual(main())


def test_an_accept_that_comes_before_the_prefetch_waits_for_it_and_asks_nothing_new() -> None:
    async def main() -> None:
        source = FakeSource(oracle(TRUTH), latency_s=0.3)
        editor = FakeEditor(source)
        first = await editor.press("a")
        began = editor.completer.now()
        await asyncio.sleep(0.1)
        assert text_of(await editor.accept(first)) == "\nb = second()"
        assert editor.completer.now() - began == pytest.approx(ANSWER_FIRST_S + 0.3)
        assert len(asked(source)) == 1
        assert editor.completer.counters.prefetches_used == 1

    run_virtual(main())


def test_a_prefetch_that_waits_behind_others_is_asked_for_anew_by_who_waits_for_it() -> None:
    async def main() -> None:
        source = FakeSource(oracle(TRUTH), latency_s=0.1)
        editor = FakeEditor(source)
        first = await first_answer(editor, "a", then_latency_s=5.0)
        task = editor.accept(first)
        await asyncio.sleep(0.01)
        source.latency_s = 0.1
        assert text_of(await task) == "\nb = second()"
        behind = prefetches(source)[0]
        assert asked(source)[-1].supersedes == (behind.id,)
        assert behind.id in source.cancelled

    run_virtual(main())


def test_a_prefetch_is_cancelled_when_the_person_types_something_else() -> None:
    async def main() -> None:
        source = FakeSource(oracle(TRUTH), latency_s=0.3)
        editor = FakeEditor(source)
        await editor.press("a")
        await asyncio.sleep(0.1)
        (prefetch,) = prefetches(source)
        task = editor.press("?")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert prefetch.id in source.cancelled
        await task

    run_virtual(main())


def test_a_prefetch_that_is_shed_is_no_failure_and_is_not_repeated() -> None:
    async def main() -> None:
        source = SheddingSource(oracle(TRUTH))
        editor = FakeEditor(source)
        await editor.press("a")
        await editor.press(" ")
        first = await editor.press("=")
        await asyncio.sleep(0.1)
        assert len(prefetches(source)) == 1
        assert (editor.completer.counters.generations_failed, editor.completer.last_failure) == (0, "")
        assert text_of(await editor.accept(first)) == "\nb = second()"

    run_virtual(main())


def test_nothing_is_prefetched_once_too_much_was_in_vain() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "word " * 60 + str(len(context.typed)), latency_s=0.01)
        editor = FakeEditor(source)
        for number in range(40):
            await editor.press(f"\nx{number} = ")
            await asyncio.sleep(0.1)
        assert 1 <= len(prefetches(source)) < 20
        assert len(asked(source)) == 40

    run_virtual(main())


def test_without_the_technique_nothing_is_prefetched() -> None:
    async def main() -> None:
        source = FakeSource(oracle(TRUTH))
        editor = FakeEditor(source, techniques=Techniques(prefetch=False))
        await editor.press("a")
        await asyncio.sleep(0.5)
        assert prefetches(source) == []

    run_virtual(main())


def test_a_foreground_request_that_needs_the_place_of_a_prefetch_gets_it() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "some_long_na" if context.typed == "x = " else "")
        source.reason = "length"  # so that typing on asks anew
        editor = FakeEditor(source)
        await first_answer(editor, "x = ", then_latency_s=1.5)
        tasks = []
        in_flight = []
        for key in "some_l":
            tasks.append(editor.press(key))
            await asyncio.sleep(0.1)
            in_flight.append(in_flight_of(source))
        (prefetch,) = prefetches(source)
        kinds = [request.kind for request in source.requests]
        assert kinds == ["automatic", "prefetch", "automatic", "automatic"]
        assert max(map(len, in_flight)) == 2
        assert prefetch.id in in_flight[0]
        assert prefetch.id in source.cancelled
        await asyncio.gather(*tasks)

    run_virtual(main())


def pauses_after_dots(editor: FakeEditor) -> None:
    """Someone who types words quickly and thinks after each dot."""
    for _ in range(MIN_KEYS):
        editor.completer.pacing.gaps.add(Boundary.WORD, 0.1)
        editor.completer.pacing.gaps.add(Boundary.DOT, 2.0)


def test_at_a_pause_point_the_model_is_asked_before_the_editor_which_joins_after_its_own_delay() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "second()" if context.typed.endswith(".") else "x", latency_s=0.3)
        editor = FakeEditor(source, techniques=Techniques(prefetch=False), looks=True)
        pauses_after_dots(editor)
        await editor.press("f")
        editor.type(".")
        await asyncio.sleep(0.2)  # as Neovim waits
        began = editor.completer.now()
        assert text_of(await editor.ask()) == "second()"
        assert editor.completer.now() - began == pytest.approx(0.1)
        counters = editor.completer.counters
        assert (counters.generations_ahead, counters.joined, len(source.requests)) == (1, 1, 2)

    run_virtual(main())


def test_an_editor_that_does_not_ask_by_itself_is_not_asked_ahead_for() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "x", latency_s=0.1)
        editor = FakeEditor(source, techniques=Techniques(prefetch=False), looks=True)
        pauses_after_dots(editor)
        editor.type("f")
        await editor.ask(invoked=True)
        editor.type(".")
        await asyncio.sleep(1.0)
        assert len(source.requests) == 1

    run_virtual(main())


def test_deleting_and_composing_ask_nobody() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "value", latency_s=0.1)
        editor = FakeEditor(source, "text = 1234", techniques=Techniques(prefetch=False))
        editor.backspace()
        await editor.ask()
        assert len(source.requests) == 1  # one deletion mends a slip
        editor.backspace()
        await editor.ask()
        editor.edit(editor.cursor, editor.cursor, "k")
        editor.edit(editor.cursor, editor.cursor + 1, "か")
        editor.cursor += 1
        await editor.ask()
        assert len(source.requests) == 1

    run_virtual(main())


def test_what_was_backspaced_is_offered_again() -> None:
    async def main() -> None:
        source = FakeSource(oracle("x = value\n"))
        editor = FakeEditor(source)
        await editor.press("x = va")
        editor.backspace()
        assert text_of(await editor.ask()) == "alue"
        assert len(asked(source)) == 1

    run_virtual(main())


def test_what_is_stale_is_shown_and_asked_for_anew_once() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "value\n", latency_s=0.1)
        editor = FakeEditor(source, "abc = 1\n" * 250, techniques=Techniques(prefetch=False))
        await editor.press("x = ")
        editor.edit(800, 801, "d")
        assert text_of(await editor.ask()) == "value"
        await asyncio.sleep(0.5)
        assert len(source.requests) == 1  # the edit elsewhere asks nobody
        for key, rest in (("v", "alue"), ("a", "lue")):
            assert text_of(await editor.press(key)) == rest
        await asyncio.sleep(0.5)
        assert [request.kind for request in source.requests] == ["automatic", "prefetch"]

    run_virtual(main())
