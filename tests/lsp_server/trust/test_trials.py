"""Texts followed through typing, shown or not."""

from __future__ import annotations

from completion_fakes import at_cursor

from lsp_server.cache import Completeness, Entry
from lsp_server.cache.surroundings import Surroundings
from lsp_server.prefetch import replace_typed
from lsp_server.trust.trials import MAX_TRIALS, SLIP, Trials


class FakeEstimate:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, int]] = []

    def begin(self) -> None:
        self.told.append(("begin", 0, 0))

    def agreed(self, start: int, end: int) -> None:
        self.told.append(("agreed", start, end))

    def contradicted(self, at: int) -> None:
        self.told.append(("contradicted", at, at))

    def take_back(self, at: int) -> None:
        self.told.append(("take back", at, at))

    def survives(self, start: int, end: int) -> float:
        return 1.0


def an_entry(text: str) -> Entry:
    around = Surroundings("", 0, 0, 0, "a.py")
    return Entry(text, "single", Completeness.WHOLE, "edge", around, 0.0)


def following(marked: str, text: str, offset: int = 0) -> tuple[Trials, FakeEstimate]:
    trials, estimate = Trials(), FakeEstimate()
    assert trials.begin(an_entry(text), (estimate,), at_cursor(marked), text, offset)
    return trials, estimate


def test_what_is_typed_in_agreement_is_told_once() -> None:
    trials, estimate = following("x = │\n", "value")
    for typed in ("v", "va", "v", "va", "val"):
        trials.follow(at_cursor(f"x = {typed}│\n"))
    assert estimate.told == [("begin", 0, 0), ("agreed", 0, 1), ("agreed", 1, 2), ("agreed", 2, 3)]


def test_offsets_count_from_where_it_was_generated() -> None:
    trials, estimate = following("x = va│\n", "lue", offset=2)
    trials.follow(at_cursor("x = vali│\n"))
    assert estimate.told[1:] == [("agreed", 2, 3), ("contradicted", 3, 3)]


def test_a_text_that_is_accepted_was_right_to_its_end_and_is_followed_no_more() -> None:
    trials, estimate = following("x = │\n", "value")
    trials.follow(at_cursor("x = value│\n"))
    trials.follow(at_cursor("x = value + 1│\n"))
    assert estimate.told[1:] == [("agreed", 0, 5)]


def test_a_slip_that_is_mended_is_taken_back() -> None:
    trials, estimate = following("x = │\n", "value")
    for typed in ("va", "vax", "vaxx", "vax", "va", "val"):
        trials.follow(at_cursor(f"x = {typed}│\n"))
    assert estimate.told[1:] == [("agreed", 0, 2), ("contradicted", 2, 2), ("take back", 2, 2), ("agreed", 2, 3)]


def test_a_slip_is_known_again_though_a_new_burst_began_when_it_was_mended() -> None:
    trials, estimate = following("x = │\n", "value")
    trials.follow(at_cursor("x = vax│\n"))
    trials.follow(replace_typed(at_cursor("│\n"), "x = va", ""))
    assert estimate.told[-1] == ("take back", 2, 2)


def test_who_types_on_beyond_a_slip_meant_it() -> None:
    trials, estimate = following("x = │\n", "value")
    trials.follow(at_cursor("x = " + "w" * (SLIP + 1) + "│\n"))
    trials.follow(at_cursor("x = v│\n"))
    assert estimate.told[1:] == [("contradicted", 0, 0)]


def test_a_cursor_that_goes_elsewhere_says_nothing() -> None:
    trials, estimate = following("x = │  # one\n\ny = 2\n", "value")
    trials.follow(at_cursor("x =   # one\n\n│y = 2\n"))
    trials.follow(at_cursor("x = v│  # one\n\ny = 2\n"))
    assert estimate.told[1:] == []


def test_a_line_that_the_editor_indents_otherwise_is_no_contradiction() -> None:
    trials, estimate = following("def f():│\n", "\n  return 1")
    trials.follow(replace_typed(at_cursor("│\n"), "", "def f():\n    re"))
    assert [each[0] for each in estimate.told] == ["begin", "agreed"]


def test_a_line_that_is_indented_otherwise_and_typed_to_its_end_was_right() -> None:
    trials, estimate = following("def f(a):│\n", "\n    return a")
    for typed in ("\n  r", "\n  return ", "\n  return a"):
        trials.follow(at_cursor(f"def f(a):{typed}│\n"))
    assert {told for told, _, _ in estimate.told} == {"begin", "agreed"}
    assert estimate.told[-1][2] == len("\n    return a")


def test_brackets_that_the_editor_closes_are_no_contradiction() -> None:
    trials, estimate = following("x = │\n", "sum(values)")
    trials.follow(replace_typed(at_cursor("│\n"), "", "x = sum(", tail=")"))
    assert estimate.told[1:] == [("agreed", 0, 4)]


def test_the_same_text_is_begun_once() -> None:
    trials, estimate = Trials(), FakeEstimate()
    entry = an_entry("value")
    assert trials.begin(entry, (estimate,), at_cursor("x = │\n"), "value", 0)
    assert not trials.begin(entry, (estimate,), at_cursor("x = v│\n"), "alue", 1)
    assert estimate.told == [("begin", 0, 0)]


def test_the_oldest_of_too_many_is_forgotten() -> None:
    trials, first = following("x = │\n", "value")
    for number in range(MAX_TRIALS):
        trials.begin(an_entry(f"v{number}"), (FakeEstimate(),), at_cursor("x = │\n"), f"v{number}", 0)
    trials.follow(at_cursor("x = v│\n"))
    assert first.told == [("begin", 0, 0)]
