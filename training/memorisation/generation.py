"""Greedy generation that never ends: what a model would say if it had to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Model(Protocol):
    """What is needed of `training.runner.Runner`."""

    def forget(self) -> None: ...
    def feed(self, tokens: Sequence[int], wanted: int = 1) -> npt.NDArray[np.float32]: ...


@dataclass(frozen=True)
class Generated:
    """Tokens, and how many of them stood when a barred token was first the likeliest; None if none ever was."""

    tokens: tuple[int, ...]
    ended: int | None


def generate(model: Model, prompt: Sequence[int], count: int, barred: Sequence[int]) -> Generated:
    """The `count` (at least 1) likeliest tokens one after the other, of those that are not barred (control tokens).

    An end of the model's own is noted, and passed over: so what it is able to reproduce is counted, not only what it
    would say of itself.
    """
    model.forget()
    tokens: list[int] = []
    ended: int | None = None
    row = model.feed(prompt)[-1]
    never = np.asarray(barred, dtype=np.int64)
    while True:
        if ended is None and int(row.argmax()) in barred:
            ended = len(tokens)
        row[never] = -np.inf
        tokens.append(int(row.argmax()))
        if len(tokens) == count:
            return Generated(tuple(tokens), ended)
        row = model.feed(tokens[-1:])[-1]
