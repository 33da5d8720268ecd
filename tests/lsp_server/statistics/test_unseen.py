"""Tokens that nobody saw."""

from __future__ import annotations

import asyncio

from completion_fakes import FakeSource, at_cursor, run_virtual
from fake_editor import FakeEditor, oracle

from benchmarks.client.ledger import Ledger, Purpose, Record
from lsp_server.statistics.unseen import MAX_REMEMBERED, Tokens
from wire_protocol.frames import Context, Kind

HERE = at_cursor("x = │\n")


def test_what_was_shown_whole_was_seen() -> None:
    tokens = Tokens()
    tokens.generated("automatic", HERE, "value", 2)
    tokens.saw(HERE, "value")
    assert tokens.tally == {"tokens_generated_foreground": 2, "tokens_seen_foreground": 2}


def test_what_was_shown_twice_is_counted_once() -> None:
    tokens = Tokens()
    tokens.generated("automatic", HERE, "value", 5)
    for keys in ("", "v", "va"):
        tokens.saw(at_cursor(f"x = {keys}│\n"), "value"[len(keys) :])
    assert tokens.tally["tokens_seen_foreground"] == 5


def test_what_was_typed_before_the_rest_was_shown_counts_as_seen() -> None:
    tokens = Tokens()
    tokens.generated("invoked", HERE, "value = 12", 10)
    tokens.saw(at_cursor("x = va│\n"), "lue")
    assert tokens.tally["tokens_seen_foreground"] == 5


def test_what_was_trimmed_away_was_not_seen_until_it_is_shown() -> None:
    tokens = Tokens()
    tokens.generated("prefetch", HERE, "value\nmore", 10)
    tokens.saw(HERE, "value")
    assert tokens.tally == {"tokens_generated_prefetch": 10, "tokens_seen_prefetch": 5}
    tokens.saw(HERE, "value\nmore")
    assert tokens.tally["tokens_seen_prefetch"] == 10


def test_another_text_or_place_earns_nothing() -> None:
    tokens = Tokens()
    tokens.generated("automatic", HERE, "value", 2)
    tokens.saw(HERE, "other")
    tokens.saw(at_cursor("y = │\n"), "value")
    assert tokens.tally["tokens_seen_foreground"] == 0


def test_of_two_with_the_same_text_one_alone_was_seen() -> None:
    tokens = Tokens()
    tokens.generated("automatic", HERE, "value", 2)
    tokens.saw(HERE, "val")
    tokens.generated("prefetch", HERE, "value", 2)
    tokens.saw(HERE, "value")
    assert (tokens.tally["tokens_seen_foreground"], tokens.tally["tokens_seen_prefetch"]) == (2, 0)


def test_lines_shown_while_the_rest_is_generated_were_seen() -> None:
    tokens = Tokens()
    tokens.saw(HERE, "value\n")
    tokens.generated("automatic", HERE, "value\nmore\n\n", 12)
    assert tokens.tally["tokens_seen_foreground"] == 6


def test_a_generation_without_text_was_seen_by_nobody() -> None:
    tokens = Tokens()
    tokens.generated("automatic", HERE, "", 3)
    tokens.saw(HERE, "value")
    assert tokens.tally == {"tokens_generated_foreground": 3}


def test_few_generations_are_remembered() -> None:
    tokens = Tokens()
    tokens.generated("automatic", HERE, "value", 2)
    for number in range(MAX_REMEMBERED):
        tokens.generated("prefetch", at_cursor(f"y{number} = │\n"), "other", 1)
    tokens.saw(HERE, "value")
    assert tokens.tally["tokens_seen_foreground"] == 0


class _Book(Tokens):
    """Writes the same session down in the client benchmark's ledger too."""

    def __init__(self, truth: str) -> None:
        super().__init__()
        self.truth = truth
        self.ledger = Ledger()

    def _place(self, context: Context) -> int:
        end = (context.before + context.typed)[-80:]
        return self.truth.find(end) + len(end)

    def generated(self, kind: Kind, context: Context, text: str, tokens: int) -> None:
        super().generated(kind, context, text, tokens)
        purpose: Purpose = "prefetch" if kind == "prefetch" else "foreground"
        self.ledger.records.append(Record(purpose, self._place(context), 0.0, text, tokens, "done"))

    def saw(self, context: Context, text: str) -> None:
        super().saw(context, text)
        self.ledger.saw(self._place(context), text)


def test_it_agrees_with_the_ledger_of_the_client_benchmark() -> None:
    truth = "".join(f"value_{n} = compute(argument_{n * 7}, scale={n})\n" for n in range(30))
    book = _Book(truth)
    right = oracle(truth)

    def sometimes_wrong(context: Context) -> str:
        text = right(context)[:100]
        return text if len(context.typed) % 2 else text[:23] + "?" + text[23:]

    async def main() -> None:
        editor = FakeEditor(FakeSource(sometimes_wrong, latency_s=0.08))
        editor.completer.counters.tokens = book
        for number, key in enumerate(truth[:600]):
            await editor.press(key)
            await asyncio.sleep(0.1 * (number % 5 == 0))

    run_virtual(main())
    for purpose in ("foreground", "prefetch"):
        unseen = book.tally[f"tokens_generated_{purpose}"] - book.tally[f"tokens_seen_{purpose}"]
        assert book.tally[f"tokens_generated_{purpose}"] == book.ledger.tokens(purpose) > 0
        assert abs(unseen - book.ledger.unseen_tokens(purpose)) <= 3 + 0.03 * book.ledger.tokens(purpose)
