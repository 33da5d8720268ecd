"""Recent edits as diffs, from the changes that an editor sends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents import ContentChange, Documents
from lsp_server.positions import PositionEncoding, Range
from lsp_server.workspace.edits import COALESCE_S, MAX_LINES, MAX_REGIONS, RecentEdits

URI = "file:///w/a.py"


class Typed:
    """A document whose edits are followed."""

    def __init__(self, text: str) -> None:
        self.now = 0.0
        self.documents = Documents(lambda: self.now, PositionEncoding.UTF32)
        self.document = self.documents.open(URI, "python", 1, text)
        self.edits = RecentEdits()

    def replace(self, old: str, new: str, after: float = 0.1) -> None:
        at = str(self.document.text).index(old)
        self.put(at, len(old), new, after)

    def put(self, at: int, length: int, new: str, after: float = 0.1) -> None:
        self.now += after
        text = self.document.text
        span = Range(text.position_at(at), text.position_at(at + length))
        change = self.documents.change(URI, 2, [ContentChange(new, span)])
        self.edits.changed(URI, "a.py", "python", self.document.text, change)

    @property
    def diffs(self) -> list[str]:
        return [region.diff for region in self.edits.regions]


def test_keys_in_one_line_are_one_diff() -> None:
    typed = Typed("def f():\n    return 1\n")
    for length, letter in enumerate("total"):
        typed.put(20 + length, 1 if length == 0 else 0, letter)
    assert typed.diffs == ["-    return 1\n+    return total\n"]


def test_a_line_added_below_belongs_to_the_same_diff() -> None:
    typed = Typed("a = 1\nb = 2\n")
    typed.replace("a = 1", "a = 10")
    typed.put(len("a = 10"), 0, "\n")
    typed.put(len("a = 10\n"), 0, "c = 3")
    assert typed.diffs == ["-a = 1\n+a = 10\n+c = 3\n"]


def test_an_edit_far_away_is_another_diff() -> None:
    typed = Typed("a = 1\n" + "x\n" * 10 + "z = 1\n")
    typed.replace("a = 1", "a = 2")
    typed.replace("z = 1", "z = 2")
    assert typed.diffs == ["-a = 1\n+a = 2\n", "-z = 1\n+z = 2\n"]


def test_an_edit_of_the_same_line_much_later_is_another_diff() -> None:
    typed = Typed("a = 1\n")
    typed.replace("1", "2")
    typed.replace("2", "3", after=COALESCE_S + 1)
    assert typed.diffs == ["-a = 1\n+a = 2\n", "-a = 2\n+a = 3\n"]


def test_what_was_taken_back_is_no_edit() -> None:
    typed = Typed("a = 1\n")
    typed.replace("1", "2")
    typed.replace("2", "1")
    assert typed.diffs == [""]


def test_windows_line_endings_are_plain_lines() -> None:
    typed = Typed("a = 1\r\nb = 2\r\n")
    typed.replace("a = 1\r\nb", "c = 3\r\nd")
    assert typed.diffs == ["-a = 1\n-b = 2\n+c = 3\n+d = 2\n"]


EDITS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 6), st.sampled_from(["x", "\n", "y\nz", ""])), max_size=30
)


@given(st.lists(st.sampled_from(["one", "two", "", "three"]), min_size=1, max_size=12), EDITS)
def test_the_last_region_says_what_stands_there_and_what_stood_there(
    lines: list[str], edits: list[tuple[int, int, str]]
) -> None:
    typed = Typed("\n".join(lines))
    for at, length, new in edits:
        before = str(typed.document.text)
        at = min(at, len(before))
        typed.put(at, min(length, len(before) - at), new)
        if not typed.edits.regions:
            continue
        region = typed.edits.regions[-1]
        now = str(typed.document.text).split("\n")
        assert list(region.new) == now[region.first : region.last + 1]
        assert len(region.new) <= 2 * MAX_LINES
    assert len(typed.edits.regions) <= MAX_REGIONS


@given(
    st.text("a\r\n\u2028\U0001f60b", max_size=40),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8), st.text("b\r\n\f", max_size=6)), max_size=20),
)
def test_no_line_ending_is_any_trouble(text: str, edits: list[tuple[int, int, str]]) -> None:
    typed = Typed(text)
    for at, length, new in edits:
        at = min(at, len(typed.document.text))
        typed.put(at, min(length, len(typed.document.text) - at), new)
        assert all("\r" not in region.diff for region in typed.edits.regions)


@given(st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=6), EDITS)
def test_while_it_is_one_region_it_turns_the_old_text_into_the_new(
    lines: list[str], edits: list[tuple[int, int, str]]
) -> None:
    original = "\n".join(lines)
    typed = Typed(original)
    for at, length, new in edits:
        at = min(at, len(typed.document.text))
        typed.put(at, min(length, len(typed.document.text) - at), new)
        if len(typed.edits.regions) != 1:
            return
        region = typed.edits.regions[0]
        now = str(typed.document.text).split("\n")
        undone = [*now[: region.first], *region.old, *now[region.last + 1 :]]
        assert undone == original.split("\n")
