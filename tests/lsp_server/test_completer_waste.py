"""The completer: what nobody would see is not generated, what the model doubts is not shown; virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from completion_fakes import FakeSource, run_virtual
from fake_editor import FakeEditor, asked, oracle, text_of

from lsp_server.completer import Nothing
from lsp_server.sources.base import Ended, Piece, SourceRequest
from lsp_server.techniques import Techniques
from lsp_server.trim import confidence
from wire_protocol.frames import Context

ALONE = Techniques(prefetch=False)


class UnsureSource(FakeSource):
    """A source that says at its end how sure it was."""

    async def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        self.requests.append(request)
        yield Piece(self.script(request.context), "local")
        yield Ended("stop", "local", model="tuned", mean_logprob=-3.0)


def test_what_was_asked_because_another_was_late_ends_when_that_speaks() -> None:
    async def main() -> None:
        source = FakeSource(oracle("x = value + 1"), latency_s=0.6)
        source.gap_s = 0.02
        editor = FakeEditor(source, techniques=ALONE)
        tasks = []
        for key in "x = v":
            tasks.append(editor.press(key))
            await asyncio.sleep(0.1)
        assert len(asked(source)) == 2
        outcomes = await asyncio.gather(*tasks)
        assert text_of(outcomes[-1]) == "alue + 1"
        await asyncio.sleep(1.0)
        assert source.cancelled == [asked(source)[1].id]

    run_virtual(main())


def test_a_late_text_that_goes_no_further_than_what_was_typed_ends_nothing() -> None:
    async def main() -> None:
        source = FakeSource(oracle("\nx = 1 + 1"), latency_s=0.6)
        whole = source.script
        source.script = lambda context: "x = " if context.typed == "\n" else whole(context)
        editor = FakeEditor(source, techniques=ALONE)
        tasks = [editor.press("\n")]
        for key in "x = ":
            await asyncio.sleep(0.1)
            tasks.append(editor.press(key))
        outcomes = await asyncio.gather(*tasks)
        assert text_of(outcomes[-1]) == "1 + 1"
        assert source.cancelled == []

    run_virtual(main())


@pytest.mark.parametrize(("key", "cancelled"), [("b", [1]), ("a", []), ("(", [1])])
def test_a_key_that_contradicts_a_generation_ends_it_before_the_editor_asks(key: str, cancelled: list[int]) -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "alpha_beta", latency_s=0.1)
        source.gap_s = 1.0
        editor = FakeEditor(source, techniques=ALONE)
        task = editor.press("x = ")
        await asyncio.sleep(0.3)
        editor.type(key)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert source.cancelled == cancelled
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run_virtual(main())


def test_a_text_that_is_not_worth_showing_is_not_asked_for_again_while_it_agrees() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "f(a b c) + 1"[len(context.typed) - len("x = ") :])
        editor = FakeEditor(source, techniques=ALONE)
        for key in ("x = ", "f", "("):
            assert isinstance(await editor.press(key), Nothing)
        assert len(asked(source)) == 1
        await editor.press("?")
        assert len(asked(source)) == 2

    run_virtual(main())


def test_a_text_that_the_model_doubts_is_shown_to_who_asks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(threshold: float, shown: bool) -> None:
        monkeypatch.setattr(confidence, "THRESHOLDS", {"tuned": threshold})
        alone = Techniques(prefetch=False, survival=False)
        editor = FakeEditor(UnsureSource(lambda context: "value"), techniques=alone)
        outcome = await editor.press("x = ")
        assert isinstance(outcome, Nothing) != shown
        assert text_of(await editor.ask(invoked=True)) == "value"

    run_virtual(main(-2.0, False))
    run_virtual(main(-4.0, True))


def test_a_source_that_does_not_say_how_sure_it_is_is_believed() -> None:
    async def main() -> None:
        def script(context: Context) -> str:
            return "value"

        assert text_of(await FakeEditor(FakeSource(script), techniques=ALONE).press("x = ")) == "value"

    run_virtual(main())


def test_a_stream_that_goes_round_in_circles_is_stopped() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: 'f("-m"' + ', "-m"' * 200)
        source.gap_s = 0.001
        editor = FakeEditor(source, techniques=ALONE)
        await editor.press("x = ")
        assert source.cancelled == [1]
        assert 0 < editor.completer.statistics.counters.tokens_automatic < 40

    run_virtual(main())


def test_nothing_is_prefetched_for_who_takes_hardly_anything() -> None:
    async def main() -> None:
        source = FakeSource(lambda context: "value" if context.typed.endswith("= ") else "")
        editor = FakeEditor(source)
        for _ in range(12):
            editor.completer.pacing.taken.add(False)
        await editor.press("x = ")
        await asyncio.sleep(0.5)
        assert [request.kind for request in source.requests] == ["automatic"]

    run_virtual(main())
