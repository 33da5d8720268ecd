r"""What is left of a suggestion when the editor indented other than the suggestion does; pure.

A person presses Enter within a suggestion and the editor indents the new line: with a tab where the suggestion has
spaces, with four columns where it has two. The suggestion goes on, its lines re-indented, if the line is as deep in
terms of blocks: deeper than the line above in both, or at the same enclosing level in both. Else the two mean
different things (in Python it would be another block), and nothing is left.

White space at line ends, and that of blank lines, says nothing and need not agree.
"""

from __future__ import annotations

from lsp_server.code_lines import indentation


class Levels:
    """The indentations that enclose a line, each in the suggestion and in the text; the outermost first."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._stack = [(base, base)]
        """Each is deeper than the one before, in the suggestion and in the text."""
        self._units: tuple[str, str] | None = None
        """By what the last line that was deeper than the one above was deeper, in each."""

    def enter(self, old: str, new: str) -> bool:
        """A line indented by `old` in the suggestion is indented by `new`; False if that is another block."""
        if not old.startswith(self._base):
            self._stack = [(old, new)]
            # Above where the suggestion begins nothing is re-indented.
            return old == new and self._base.startswith(old)
        while not old.startswith(self._stack[-1][0]):
            self._stack.pop()
        old_top, new_top = self._stack[-1]
        if old == old_top:
            return new == new_top
        self._stack.append((old, new))
        self._units = old[len(old_top) :], new[len(new_top) :]
        return new.startswith(new_top) and new != new_top

    def of(self, old: str) -> str | None:
        """The indentation for a line that the suggestion indents by `old`; None where nothing tells."""
        for number in reversed(range(len(self._stack))):
            old_level, new_level = self._stack[number]
            if old == old_level:
                return new_level
            if old.startswith(old_level):
                # Between two levels that are known nothing says how deep it is in the text.
                known = number + 1 < len(self._stack)
                return None if known else new_level + self._in_units(old[len(old_level) :])
        return old if self._base.startswith(old) else None

    def _in_units(self, deeper: str) -> str:
        """How much deeper than the innermost level: as many units of the text as it is of the suggestion."""
        if self._units is None:
            return deeper
        old_unit, new_unit = self._units
        units = len(deeper) // len(old_unit)
        return new_unit * units if deeper == old_unit * units else deeper


def left_reindented(text: str, typed: str, line: str, above: str) -> str | None:
    """What is left of `text` after `typed`, re-indented as `typed` is; None if they contradict.

    `line` is what stood before the cursor on its line where `text` was generated, `above` the indentation of the
    nearest line above it with text, which counts if `line` is blank. Lines that nothing tells how to indent are left
    out, with those below.
    """
    olds, news = (line + text).split("\n"), (line + typed).split("\n")
    last = len(news) - 1
    begun = bool(line.strip())
    if last >= len(olds) or (begun and not last):
        return None
    if begun and olds[0].rstrip() != news[0].rstrip():
        return None
    levels = Levels(indentation(line) if begun else above)
    for number in range(int(begun), last):
        old, new = olds[number], news[number]
        if old.strip() != new.strip():
            return None
        if old.strip() and not levels.enter(indentation(old), indentation(new)):
            return None
    old, new = olds[last], news[last]
    body = new.lstrip(" \t")
    if not old.strip():
        return None if body else _join("", olds[last + 1 :], levels)
    if not old.lstrip(" \t").startswith(body) or not levels.enter(indentation(old), indentation(new)):
        return None
    return _join(old.lstrip(" \t")[len(body) :], olds[last + 1 :], levels)


def _join(first: str, lines: list[str], levels: Levels) -> str:
    """`first` and `lines`, which are re-indented, up to the first that nothing tells how to."""
    joined = [first]
    for line in lines:
        old = indentation(line)
        new = levels.of(old) if line.strip() else old
        if new is None:
            break
        joined.append(new + line[len(old) :])
    return "\n".join(joined)


def left_to_type(suggestion: str, text: str, end: int) -> tuple[str | None, bool]:
    """What of `suggestion`, made for `text` up to `end`, is left to type; and whether it had to be re-indented.

    None if it contradicts what was typed since, or nothing is left of it.
    """
    typed = text[end:]
    if suggestion.startswith(typed):
        return (suggestion[len(typed) :] if len(suggestion) > len(typed) or not typed else None), False
    line_start = text.rfind("\n", 0, end) + 1
    line = text[line_start:end]
    if "\n" not in typed and line.strip():
        return None, False
    above = "" if line.strip() else _indentation_above(text, line_start)
    left = left_reindented(suggestion, typed, line, above)
    return (left if left and left.strip() else None), True


def _indentation_above(text: str, line_start: int) -> str:
    """Of the nearest line with text above the one that begins at `line_start`."""
    above = text[:line_start].rstrip()
    return indentation(above[above.rfind("\n") + 1 :])
