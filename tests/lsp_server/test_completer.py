"""The completer over a fake source, in virtual time: who is asked, joined and cancelled, and what is answered."""

from __future__ import annotations

import asyncio

import pytest
from completion_fakes import FakeSource, run_virtual
from fake_editor import URI, FakeEditor, asked, oracle, text_of

from lsp_server.completer import Nothing, Suggested, Superseded
from lsp_server.settings import Settings
from wire_protocol.frames import Context


def test_a_suggestion_is_one_line_and_its_stream_is_stopped_there() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "value + 1\nmore\nand more\n")
        editor = FakeEditor(source)
        assert text_of(await editor.press("x = ")) == "value + 1"
        assert source.cancelled == [source.requests[0].id]
        assert (source.requests[0].lines, source.requests[0].doc) == ("single", "key")

    run_virtual(main())


def test_a_model_is_asked_after_the_quiet_time_that_counts_from_the_edit() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "value", latency_s=0.1)
        editor = FakeEditor(source)
        began = editor.completer.now()
        outcome = await editor.press("x = ")
        assert text_of(outcome) == "value"
        assert editor.completer.now() - began == pytest.approx(0.150)

    run_virtual(main())


def test_typing_into_a_circle_does_not_bring_more_of_it() -> None:
    async def main() -> None:
        editor = FakeEditor(FakeSource(lambda context: "(item, _cache" * 12))
        shown = text_of(await editor.press("_cache"))
        assert shown == "(item, _cache"
        for key in "(item":
            assert text_of(await editor.press(key)) == (shown := shown.removeprefix(key))

    run_virtual(main())


def test_typing_through_a_suggestion_is_answered_from_the_cache_at_once() -> None:
    async def main() -> None:
        source = FakeSource(oracle("x = value + 1\n"))
        editor = FakeEditor(source)
        await editor.press("x")
        began = editor.completer.now()
        for number, key in enumerate(" = value + "):
            outcome = await editor.press(key)
            assert text_of(outcome) == "x = value + 1"[number + 2 :]
            assert isinstance(outcome, Suggested)
            assert outcome.source == "cache"
        assert editor.completer.now() == began
        assert (len(asked(source)), editor.completer.counters.cache_hits) == (1, 11)

    run_virtual(main())


def test_a_fast_typist_joins_the_generation_in_flight() -> None:
    async def main() -> None:
        source = FakeSource(oracle("x = value\n"), latency_s=0.3)
        editor = FakeEditor(source)
        tasks = [editor.press("x")]
        for key in " =":
            await asyncio.sleep(0.12)
            tasks.append(editor.press(key))
        outcomes = await asyncio.gather(*tasks)
        assert [type(outcome) for outcome in outcomes[:-1]] == [Superseded, Superseded]
        assert text_of(outcomes[-1]) == " value"
        assert len(asked(source)) == 1

    run_virtual(main())


def test_a_generation_that_is_contradicted_is_cancelled_at_once() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "alpha" if not context.typed.endswith("b") else "eta", latency_s=0.2)
        source.gap_s = 1.0
        editor = FakeEditor(source)
        first = editor.press("x = ")
        await asyncio.sleep(0.3)
        second = editor.press("b")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert source.cancelled == [1]
        assert isinstance(await first, Superseded)
        assert text_of(await second) == "eta"

    run_virtual(main())


def test_at_most_two_generations_of_a_document_are_in_flight() -> None:
    async def main() -> None:
        source = FakeSource(oracle("abcdefghijklmnopqrst"), latency_s=1.5)
        editor = FakeEditor(source)
        most = 0
        tasks = []
        for key in "abcdefghijklm":
            tasks.append(editor.press(key))
            await asyncio.sleep(0.1)
            most = max(most, len(source.requests) - len(source.cancelled))
        outcomes = await asyncio.gather(*tasks)
        assert text_of(outcomes[-1]) == "nopqrst"
        assert most == 2
        assert source.requests[-1].supersedes

    run_virtual(main())


def test_a_cancelled_request_leaves_its_generation_to_the_next_key() -> None:
    async def main() -> None:
        source = FakeSource(oracle("x = value\n"), latency_s=0.3)
        editor = FakeEditor(source)
        first = editor.press("x")
        await asyncio.sleep(0.2)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert first.cancelled()
        assert text_of(await editor.press(" ")) == "= value"
        assert (len(asked(source)), source.cancelled) == (1, [1])  # stopped by its first newline, not before
        assert editor.completer.counters.cancelled == 1

    run_virtual(main())


@pytest.mark.parametrize(("invoked", "seconds"), [(False, 2.0), (True, 8.0)])
def test_a_source_that_never_answers_is_given_up(invoked: bool, seconds: float) -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "late", latency_s=100.0)
        editor = FakeEditor(source)
        editor.type("x = ")
        began = editor.completer.now()
        assert isinstance(await editor.ask(invoked=invoked), Nothing)
        assert editor.completer.now() - began == pytest.approx(seconds)
        assert source.cancelled == [1]

    run_virtual(main())


def test_an_unavailable_source_is_a_sentence() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "")
        source.unavailable = "The edge cannot be reached."
        editor = FakeEditor(source)
        assert await editor.press("x") == Nothing("The edge cannot be reached.")

    run_virtual(main())


def test_a_fault_in_a_source_is_an_empty_answer() -> None:
    async def main() -> None:
        def broken(context: Context) -> str:
            raise ValueError("broken")

        editor = FakeEditor(FakeSource(broken))
        assert isinstance(await editor.press("x"), Nothing)

    run_virtual(main())


def test_a_block_is_shown_line_by_line_whole_when_it_takes_long() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "\n    a = 1\n    b = 2\n    c = 3\n", piece=11)
        source.gap_s = 0.3
        editor = FakeEditor(source, "")
        assert text_of(await editor.press("def f():")) == "\n    a = 1\n    b = 2"

    run_virtual(main())


def test_a_line_cut_by_the_limit_is_shown_once_and_not_replayed_as_whole() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "some_long_na")
        source.reason = "length"
        editor = FakeEditor(source)
        assert text_of(await editor.press("x = ")) == "some_long_na"
        await editor.press("s")
        assert len(asked(source)) == 2

    run_virtual(main())


def test_nothing_is_asked_after_an_undo() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "value")
        editor = FakeEditor(source, "x = 1\n")
        await editor.press("yz")
        editor.edit(6, 8, "")
        editor.cursor = 6
        assert isinstance(await editor.ask(), Nothing)
        assert len(asked(source)) == 1

    run_virtual(main())


def test_a_refused_document_asks_nobody() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "value")
        editor = FakeEditor(source, settings=Settings(enabled=False))
        assert isinstance(await editor.press("x"), Nothing)
        assert source.requests == []
        assert editor.completer.counters.refused == 1

    run_virtual(main())


def test_two_channels_of_a_document_do_not_supersede_each_other() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "value")
        editor = FakeEditor(source)
        editor.type("x = ")
        outcomes = await asyncio.gather(editor.ask(), editor.ask(channel="menu"))
        assert [text_of(outcome) for outcome in outcomes] == ["value", "value"]
        assert len(asked(source)) == 1

    run_virtual(main())


def test_closing_a_document_ends_what_is_under_way() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "value", latency_s=1.0)
        editor = FakeEditor(source)
        task = editor.press("x = ")
        await asyncio.sleep(0.2)
        editor.completer.closed(URI)
        assert isinstance(await task, Superseded)
        assert source.forgotten == ["key"]

    run_virtual(main())


def test_an_accepted_suggestion_is_counted_once() -> None:
    async def main() -> None:
        editor = FakeEditor(FakeSource(lambda context: "value"))
        outcome = await editor.press("x = ")
        assert isinstance(outcome, Suggested)
        statistics = editor.completer.statistics
        statistics.accepted_partly(outcome.id, 3)
        assert statistics.accepted(outcome.id)
        assert not statistics.accepted(outcome.id)
        counts = statistics.counts()
        assert (counts["accepted"], counts["accepted_partly"], counts["accepted_characters"]) == (1, 0, 5)

    run_virtual(main())


def test_every_key_has_one_answer_and_right_text_stands_at_nearly_every_key() -> None:
    async def main() -> None:
        truth = "total = sum(value for value in values if value > 0)"
        source = FakeSource(oracle(truth), latency_s=0.3)
        editor = FakeEditor(source)
        shown = 0
        tasks = []
        for number, key in enumerate(truth[:49]):
            tasks.append(editor.press(key))
            await asyncio.sleep(0.1)
            done = tasks[-1].done() and tasks[-1].result()
            shown += isinstance(done, Suggested) and done.text == truth[number + 1 :]
            await asyncio.sleep(0.02)
        outcomes = await asyncio.gather(*tasks)
        assert len(outcomes) == 49
        assert shown >= 44

    run_virtual(main())
