"""Oracles with a model's bad manners, for the ablation: one that changes its mind, one that is careless; pure."""

from __future__ import annotations

import random
from typing import Final

from benchmarks.client.oracle import Oracle, wrong
from benchmarks.client.traces import Trace
from wire_protocol.frames import Lines

FICKLE_SHARE: Final = 0.35
"""Of the places where it is asked, those at which a fickle oracle has something else in mind."""
CARELESS_SHARE: Final = 0.5
"""Of the places where it is asked, those at which a careless oracle shows one of its habits."""


class Fickle(Oracle):
    """Says another thing at one place than at the one before, from a word's beginning on, and is mostly right."""

    def __init__(self, trace: Trace) -> None:
        super().__init__(trace, wrong=False)
        self._seed = trace.seed

    def answer(self, before: str, lines: Lines) -> str:
        """As an oracle's, with its end changed at some places."""
        said = super().answer(before, lines)
        draw = random.Random(f"fickle {self._seed} {before[-40:]}")
        if draw.random() >= FICKLE_SHARE:
            return said
        at = said.find(" ", draw.randrange(max(1, len(said))))
        return said if at < 0 else said[: at + 1] + wrong(said[at + 1 :])


class Careless(Oracle):
    """Right, and then more than that: goes on into what stands below, says things twice, closes what is closed."""

    def __init__(self, trace: Trace) -> None:
        super().__init__(trace, wrong=False)
        self._seed = trace.seed

    def answer(self, before: str, lines: Lines) -> str:
        """As an oracle's, with a habit at some places."""
        said = super().answer(before, lines)
        draw = random.Random(f"careless {self._seed} {before[-40:]}")
        if not said.strip() or draw.random() >= CARELESS_SHARE:
            return said
        habit = draw.choice(("below", "closers", "circles", "fence", "echo", "tabs", "half"))
        last = said.rpartition("\n")[2]
        match habit:
            case "below":
                return said + self._below(before, said)
            case "closers":
                return said + ")}"
            case "circles":
                return said + ("\n" + last) * 6
            case "fence":
                return "```\n" + said if lines == "multi" else said + " ```"
            case "echo":
                return before.rpartition("\n")[2] + said
            case "tabs":
                return said.replace("    ", "\t") if "    " in said else said.replace("\t", "  ")
            case _:
                return said + "\n" + " " * (len(last) - len(last.lstrip())) + "if "

    def _below(self, before: str, said: str) -> str:
        place = self.place_of(before)
        return "" if place is None else self.finished[place + len(said) :][:80].rpartition("\n")[0]
