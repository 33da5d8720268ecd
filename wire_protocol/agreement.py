"""Whether a text still agrees with what was typed: the one rule that client and proxy must share; pure.

A generation is kept alive, joined or attached to by this rule, and a cached suggestion is typed through by it.
"""

from __future__ import annotations

from wire_protocol.frames import Context


def continuation(old: Context, new: Context) -> str | None:
    """The text by which typing alone turned `old` into `new`; None if something else changed.

    Typing appends to `typed`. The editor may close a bracket meanwhile (`tail` grows at its front), and typing over a
    closed bracket moves it from the front of `tail` to the end of `typed`. Snippets may differ: they help, but do not
    decide what fits at the cursor.
    """
    if (old.before, old.after, old.path, old.language) != (new.before, new.after, new.path, new.language):
        return None
    if not new.typed.startswith(old.typed):
        return None
    appended = new.typed[len(old.typed) :]
    if new.tail.endswith(old.tail):
        return appended
    # Overtyped: what is gone from the front of the tail must be among what was typed, in its order.
    if old.tail.endswith(new.tail):
        overtyped = old.tail[: len(old.tail) - len(new.tail)]
        return appended if _is_subsequence(overtyped, appended) else None
    return None


def _is_subsequence(wanted: str, text: str) -> bool:
    characters = iter(text)
    return all(character in characters for character in wanted)


def remaining(produced: str, appended: str) -> str | None:
    """What is left of `produced` once `appended` was typed after the generation began.

    "" when the person typed up to its end or, still agreeing, beyond what has been produced so far; None when the
    two contradict.
    """
    if produced.startswith(appended):
        return produced[len(appended) :]
    if appended.startswith(produced):
        return ""
    return None
