"""How a context is cut to fit the model: pure arithmetic over lengths, in tokens or in characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TYPING_RESERVE = 512
"""Room kept for what is typed after the anchor: clients re-anchor after 512 typed characters."""
GENERATION_STEP = 64
"""`max_tokens` is rounded up to this before it is reserved, so that small differences do not move the window."""
SHARE_OF_SMALL = 4
"""No reserve, nor `after`, nor the snippets, may take more than a quarter of the context: small contexts scale down."""
WINDOW_STEPS = 16
"""The start of a cut `before` moves in steps of a sixteenth of the body, so that most requests find it unmoved."""
TYPED_STEP = 64


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of the parts; `fixed` counts markers and the file's path, a snippet its own separator and path."""

    before: int
    after: int
    typed: int
    snippets: Sequence[int] = ()
    fixed: int = 0


@dataclass(frozen=True, slots=True)
class Cuts:
    """What is kept: the first `snippets` snippets, `before[before_start:]`, `after[:after_end]`, `typed[typed_start:]`.

    `max_new` is how much may be generated.
    """

    snippets: int
    before_start: int
    after_end: int
    typed_start: int
    max_new: int


def plan(size: int, max_new: int, lengths: Lengths) -> Cuts:
    """Cut a context to a model's `size`.

    What is kept of snippets, `before` and `after` does not depend on the length of `typed`: a keystroke must not move
    the window, or nothing of the KV cache could be reused. The end of `before` and the start of `after` stay.
    Everything kept, with `fixed` and `max_new`, fits in `size` when `fixed` is at most a quarter of it.
    """
    typing = min(TYPING_RESERVE, size // SHARE_OF_SMALL)
    generation = min(_round_up(max_new, GENERATION_STEP), size // SHARE_OF_SMALL)
    body = max(0, size - typing - generation - lengths.fixed)

    snippets, left = 0, body // SHARE_OF_SMALL
    for length in lengths.snippets:
        if length > left:
            break
        snippets += 1
        left -= length
    room = body - sum(lengths.snippets[:snippets])

    after = min(lengths.after, body // SHARE_OF_SMALL)
    before = min(lengths.before, room - after)
    before_start = lengths.before - before
    if before_start > 0:
        step = max(1, body // WINDOW_STEPS)
        before_start = min(lengths.before, _round_up(before_start, step))
    else:
        after = min(lengths.after, room - before)

    typed_start = max(0, lengths.typed - typing)
    if typed_start > 0:
        typed_start = min(lengths.typed, _round_up(typed_start, min(TYPED_STEP, typing)))
    used = (body - room) + (lengths.before - before_start) + after + (lengths.typed - typed_start) + lengths.fixed
    return Cuts(
        snippets=snippets,
        before_start=before_start,
        after_end=after,
        typed_start=typed_start,
        max_new=max(1, min(max_new, size - used)),
    )


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step
