"""The completer: what is on screen is not replaced by what does not extend it; virtual time."""

from __future__ import annotations

import asyncio

from completion_fakes import FakeSource, run_virtual
from fake_editor import FakeEditor, asked, text_of

from lsp_server.completer import Nothing, Suggested
from lsp_server.techniques import Techniques
from wire_protocol.frames import Context

ALONE = Techniques(prefetch=False)


def cut_then(second: str) -> FakeSource:
    """A source whose first answer is cut by the limit, so that the next key asks again."""

    def script(context: Context) -> str:
        return "some_long_na" if context.typed == "x = " else second

    source = FakeSource(script)
    source.reason = "length"
    return source


def test_a_new_answer_that_extends_what_is_shown_takes_its_place() -> None:
    async def main() -> None:
        editor = FakeEditor(cut_then("ome_long_name()"), techniques=ALONE)
        assert text_of(await editor.press("x = ")) == "some_long_na"
        assert text_of(await editor.press("s")) == "ome_long_name()"
        assert editor.completer.counters.suggestions_withheld == 0

    run_virtual(main())


def test_a_new_answer_that_contradicts_what_is_shown_is_withheld() -> None:
    async def main() -> None:
        editor = FakeEditor(cut_then("um(values)"), techniques=ALONE)
        await editor.press("x = ")
        outcome = await editor.press("s")
        assert text_of(outcome) == "ome_long_na"
        assert isinstance(outcome, Suggested)
        assert outcome.source == "cache"
        assert editor.completer.counters.suggestions_withheld == 1

    run_virtual(main())


def test_a_withheld_answer_is_kept_and_shown_once_the_person_diverges() -> None:
    async def main() -> None:
        source = cut_then("um(values)")
        editor = FakeEditor(source, techniques=Techniques(prefetch=False, survival=False))
        await editor.press("x = ")
        source.reason = "stop"
        await editor.press("s")
        assert text_of(await editor.press("u")) == "m(values)"
        assert len(asked(source)) == 2

    run_virtual(main())


def test_an_explicit_request_may_replace_what_is_shown() -> None:
    async def main() -> None:
        editor = FakeEditor(cut_then("um(values)"), techniques=ALONE)
        await editor.press("x = ")
        await editor.press("s")
        assert text_of(await editor.ask(invoked=True)) == "um(values)"

    run_virtual(main())


def test_what_is_shown_stands_when_nothing_new_comes() -> None:
    async def main() -> None:
        editor = FakeEditor(cut_then(""), techniques=ALONE)
        await editor.press("x = ")
        assert text_of(await editor.press("s")) == "ome_long_na"
        assert isinstance(await editor.press("!"), Nothing)

    run_virtual(main())


def test_without_the_technique_the_newest_answer_is_shown() -> None:
    async def main() -> None:
        editor = FakeEditor(cut_then("um(values)"), techniques=Techniques(prefetch=False, no_flicker=False))
        await editor.press("x = ")
        assert text_of(await editor.press("s")) == "um(values)"

    run_virtual(main())


def test_the_menu_is_no_screen() -> None:
    async def main() -> None:
        editor = FakeEditor(cut_then("um(values)"), techniques=ALONE)
        editor.type("x = ")
        await editor.ask(channel="menu")
        editor.type("s")
        assert text_of(await editor.ask(channel="menu")) == "um(values)"

    run_virtual(main())


def test_text_that_is_typed_to_its_end_is_learnt_as_taken_and_other_text_as_refused() -> None:
    async def main() -> None:
        editor = FakeEditor(FakeSource(lambda context: "value" if context.typed.endswith("= ") else ""))
        pacing = editor.completer.pacing
        prior = pacing.taken.value
        await editor.accept(await editor.press("x = "))
        taken = pacing.taken.value
        assert taken > prior
        await editor.press("\ny = ")
        await editor.press("?")
        assert pacing.taken.value < taken

    run_virtual(main())


def test_a_generation_whose_first_words_contradict_what_was_typed_is_cancelled_by_them() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "alpha_beta_gamma", latency_s=0.2)
        source.gap_s = 10.0
        editor = FakeEditor(source)
        first = editor.press("x = ")
        await asyncio.sleep(0.1)
        second = editor.press("b")
        await asyncio.sleep(0.2)
        assert source.cancelled == [1]
        assert editor.completer.counters.generations_cancelled == 1
        assert editor.completer.counters.tokens_cancelled == 2
        assert editor.completer.pacing.survives.value < 0.5
        editor.completer.closed("file:///w/a.py")
        await asyncio.gather(first, second)

    run_virtual(main())
