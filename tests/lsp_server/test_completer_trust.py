"""The completer shows as much of a text as its like has proved right; virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from completion_fakes import FakeSource, run_virtual
from fake_editor import URI, FakeEditor, asked, oracle, text_of

from lsp_server.completer import Nothing, Outcome, Selected, Suggested, Superseded
from lsp_server.producer import MAX_TOKENS
from lsp_server.techniques import Techniques
from lsp_server.trust.trust import PAUSE_S

ALONE = Techniques(prefetch=False)
TRUTH = "total = value + other_value(some, more)\n"


async def wrong_for_a_while(editor: FakeEditor, source: FakeSource, times: int = 12) -> None:
    """Lines of which the source gets the second word wrong."""
    script = source.script
    source.script = lambda context: "total = wrong + wronger(all, of, it)"
    for _ in range(times):
        for key in "total = v":
            editor.press(key)
            await asyncio.sleep(0.15)
        editor.type("alue\n")
        await asyncio.sleep(1.0)
    source.script = script


def test_what_most_likely_is_wrong_is_not_shown_while_the_person_types() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "alue + other")
        editor = FakeEditor(source, techniques=ALONE)
        await wrong_for_a_while(editor, source)
        first = editor.press("v")
        await asyncio.sleep(0.2)
        second = editor.press("a")
        assert isinstance(await first, Superseded)
        second.cancel()
        assert editor.completer.counters.suggestions_shortened + editor.completer.counters.suggestions_hidden > 0

    run_virtual(main())


def test_what_the_menu_has_selected_was_not_typed() -> None:
    async def main() -> None:
        editor = FakeEditor(FakeSource(oracle(TRUTH)), techniques=ALONE)
        await editor.press("t")
        (trial,) = editor.completer._documents[URI].trials._open
        menu = Selected("t", 0, "table_of_something")
        await editor.completer.complete(replace(editor.ask_at(editor.cursor), selected=menu))
        assert trial.wrong_at is None
        assert list(editor.completer._documents[URI].trials._open) == [trial]

    run_virtual(main())


def test_what_is_hidden_from_who_types_is_shown_once_they_stop() -> None:
    async def main() -> None:
        editor = FakeEditor(FakeSource(lambda context: "alue + other"), techniques=ALONE)
        editor.completer.trust.limit = lambda text, match, *, pauses, standing="": text if pauses else ""  # type: ignore[method-assign]
        began = editor.completer.now()
        first = editor.press("v")
        await asyncio.sleep(PAUSE_S / 2)
        second = editor.press("a")
        assert text_of(await second) == "lue + other"
        assert isinstance(await first, Superseded)
        assert editor.completer.now() - began == pytest.approx(1.5 * PAUSE_S, abs=0.01)

    run_virtual(main())


def test_an_answer_that_keeps_what_stands_is_not_counted_as_hidden() -> None:
    async def main() -> None:
        editor = FakeEditor(FakeSource(oracle(TRUTH)), techniques=ALONE)
        await editor.press("t")
        editor.completer.trust.limit = lambda text, match, **_: ""  # type: ignore[method-assign]
        assert text_of(await editor.press("o")) == TRUTH[2:].rstrip()
        assert editor.completer.counters.suggestions_hidden == 0

    run_virtual(main())


def test_whoever_asks_is_shown_all_of_it_at_once() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "alue + other")
        editor = FakeEditor(source, techniques=ALONE)
        await wrong_for_a_while(editor, source)
        editor.type("v")
        assert text_of(await editor.ask(invoked=True)) == "alue + other"

    run_virtual(main())


def test_a_part_that_is_accepted_is_followed_by_the_next_at_once() -> None:
    async def main() -> None:
        source = FakeSource(oracle(TRUTH))
        editor = FakeEditor(source, techniques=ALONE)
        trust = editor.completer.trust
        whole = trust.limit
        trust.limit = lambda text, match, **more: whole(text, match, **more)[:8]  # type: ignore[method-assign]
        first = await editor.press("t")
        assert text_of(first) == TRUTH[1:9]
        requests = len(asked(source))
        began = editor.completer.now()
        second: Outcome = await editor.accept(first)
        assert text_of(second) == TRUTH[9:17]
        assert isinstance(second, Suggested)
        assert (second.source, editor.completer.now(), len(asked(source))) == ("cache", began, requests)

    run_virtual(main())


def test_a_source_that_is_wrong_is_asked_for_fewer_tokens() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "alue + other")
        editor = FakeEditor(source, techniques=ALONE)
        await wrong_for_a_while(editor, source)
        await editor.press("v")
        assert asked(source)[0].max_tokens in MAX_TOKENS.values()
        assert asked(source)[-1].max_tokens < MAX_TOKENS["single"] / 2

    run_virtual(main())


def test_without_the_technique_all_is_shown() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "alue + other")
        editor = FakeEditor(source, techniques=Techniques(prefetch=False, survival=False))
        await wrong_for_a_while(editor, source)
        assert text_of(await editor.press("v")) == "alue + other"

    run_virtual(main())


def test_without_showing_in_pauses_a_hidden_text_stays_hidden() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "wrong at once")
        editor = FakeEditor(source, techniques=Techniques(prefetch=False, pause_showing=False))
        for key in "abcdefghijkl":
            await editor.press(key)
            await asyncio.sleep(0.5)
        assert isinstance(await editor.press("m"), Nothing)

    run_virtual(main())


def test_in_a_menu_a_doubtful_text_is_shown_too() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "alue + other")
        editor = FakeEditor(source, techniques=ALONE)
        await wrong_for_a_while(editor, source)
        editor.type("v")
        began = editor.completer.now()
        assert text_of(await editor.ask(channel="menu")) == "alue + other"
        assert editor.completer.now() - began < PAUSE_S + 0.1

    run_virtual(main())
