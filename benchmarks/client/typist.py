"""From what stands in the editor to the next key: types, corrects slips and indentation, undoes, jumps; pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from benchmarks.client.editor_model import Edit, EditorModel
from benchmarks.client.ghost import Verdict, judge
from benchmarks.client.person import Person
from benchmarks.client.traces import Trace

Action = Literal["key", "backspace", "delete", "undo", "jump", "accept"]


class Step(NamedTuple):
    """One action: the edit to report (None: the cursor moved), and the character it follows in the text."""

    action: Action
    edit: Edit | None


class Typist:
    """Fills the holes of a trace one after the other."""

    def __init__(self, trace: Trace, person: Person) -> None:
        self.trace = trace
        self.person = person
        self.editor = EditorModel(trace.opened, trace.begin_of(0, {}), trace.unit, helps=trace.helps)
        self._hole = 0
        self._begin = self.editor.cursor
        self._filled: dict[int, int] = {}
        self._slips = ""
        self._slipped: set[int] = set()
        self._undone: set[int] = set()

    @property
    def wanted(self) -> str:
        """What is to stand in the present hole."""
        return self.trace.holes[self._hole].text

    @property
    def typed(self) -> str:
        """What stands in it before the cursor."""
        return self.editor.text[self._begin : self.editor.cursor]

    @property
    def place(self) -> int:
        """Where the person is in the finished text: what every draw depends on."""
        return self.trace.holes[self._hole].at + len(self.typed)

    @property
    def done(self) -> bool:
        """Whether every hole is filled, or the trace stops here."""
        if self._hole < len(self.trace.holes) - 1:
            return False
        stop = self.trace.stop_after
        return self._hole_done if stop is None else len(self.typed) >= stop and not self.slipped

    @property
    def wants_more(self) -> bool:
        """Whether a suggestion could be right here."""
        return not self.slipped and self.typed != self.wanted

    @property
    def _hole_done(self) -> bool:
        return self.typed == self.wanted and not self.editor.tail

    @property
    def slipped(self) -> bool:
        """Whether something wrong stands before the cursor."""
        return not self.wanted.startswith(self.typed)

    def gap_s(self, after_accept: bool) -> float:
        """Seconds until the next action."""
        if after_accept:
            return self.person.after_accept_s(self.place)
        previous = self.typed[-1:].strip(" \t") or ("\n" if not self.typed.rpartition("\n")[2].strip() else " ")
        return self.person.gap_s(self.place, previous)

    def judge(self, insert: str, replaced: int) -> Verdict:
        """What this ghost text is worth to the person."""
        return judge(self.wanted, self.typed, self.editor.tail, insert, replaced)

    def is_for_later(self, insert: str) -> bool:
        """Whether nothing more is wanted here now, and this is how the text goes on once the person comes back."""
        if self.slipped or self.typed != self.wanted:
            return False
        end = self.place
        later = next((hole for hole in self.trace.holes[self._hole + 1 :] if hole.at == end), None)
        return later is not None and later.text.startswith(insert)

    def accept(self, insert: str, replaced: int) -> Step:
        """Press Tab on right ghost text."""
        return Step("accept", self.editor.accept(insert, replaced))

    def next(self) -> Step:
        """The next action, done in the editor. Raises RuntimeError if everything is there."""
        editor, typed, wanted = self.editor, self.typed, self.wanted
        if self._slips:
            key, self._slips = self._slips[0], self._slips[1:]
            return Step("key", editor.press(key))
        if not wanted.startswith(typed):
            return self._mend(typed, wanted)
        if typed == wanted:
            if editor.tail:
                return Step("delete", editor.delete())
            return self._jump()
        place = self.place
        if place not in self._undone and self.person.undoes(place):
            self._undone.add(place)
            if (edit := editor.undo()) is not None:
                return Step("undo", edit)
        if place not in self._slipped and (slips := self.person.slips(place)):
            self._slipped.add(place)
            self._slips = slips[1:]
            if slips[0] != wanted[len(typed)]:
                return Step("key", editor.press(slips[0]))
            self._slips = ""
        rest = wanted[len(typed) :]
        at_line_start = not typed.rpartition("\n")[2].strip(" \t")
        key = "\t" if at_line_start and rest.startswith(editor.unit) else rest[0]
        return Step("key", editor.press(key))

    def _mend(self, typed: str, wanted: str) -> Step:
        same = 0
        while same < min(len(typed), len(wanted)) and typed[same] == wanted[same]:
            same += 1
        excess = typed[same:]
        if wanted[same : same + 1] == "\n" and not excess.strip(" \t"):
            return Step("key", self.editor.press("\n"))  # Enter on a line of blanks that the editor put there
        edit_back = self.editor.backspace()
        if edit_back is None:
            raise RuntimeError("there is nothing to correct at the start of the text")
        return Step("backspace", edit_back)

    def _jump(self) -> Step:
        if self._hole + 1 >= len(self.trace.holes):
            raise RuntimeError("everything is typed")
        self._filled[self._hole] = len(self.wanted)
        self._hole += 1
        self._begin = self.trace.begin_of(self._hole, self._filled)
        self.editor.move(self._begin)
        return Step("jump", None)
