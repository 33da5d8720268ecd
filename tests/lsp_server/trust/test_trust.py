"""How much of a suggestion is shown."""

from __future__ import annotations

from dataclasses import replace

from completion_fakes import at_cursor

from lsp_server.cache import Completeness, Entry, Match
from lsp_server.cache.surroundings import Surroundings
from lsp_server.trust import Trials, Trust

TEXT = "value + other_value(some, more)"
BLOCK = "\n    first = 1\n    second = 2\n    return first"


def a_match(text: str = TEXT, appended: int = 0, completeness: Completeness = Completeness.WHOLE) -> Match:
    entry = Entry(text, "single", completeness, "edge", Surroundings("", 0, 0, 0, "a.py"), 0.0)
    return Match(entry, text[appended:], appended)


def a_judged_match(logprob: float) -> Match:
    """The model said how sure it is of each token."""
    match = a_match()
    return Match(replace(match.entry, mean_logprob=logprob, first_logprob=logprob), match.left, match.appended)


def after(reached: int, times: int, *, wrong: bool = True) -> Trust:
    """A source whose texts were typed so far, and then contradicted or accepted."""
    trust = Trust()
    for _ in range(times):
        trials, text = Trials(), TEXT if wrong else TEXT[:reached]
        trust.met(trials, at_cursor("x = │\n"), a_match(text))
        trials.follow(at_cursor(f"x = {text[:reached]}{'!' if wrong else ''}│\n"))
    return trust


def test_of_an_unknown_source_all_is_shown() -> None:
    assert Trust().limit(TEXT, a_match(), pauses=False) == TEXT
    assert Trust().limit(BLOCK, a_match(BLOCK), pauses=False) == BLOCK


def test_of_a_source_that_is_right_all_is_shown() -> None:
    assert after(30, 20, wrong=False).limit(BLOCK, a_match(BLOCK), pauses=False) == BLOCK


def test_of_a_source_that_errs_after_some_words_those_are_shown() -> None:
    limited = after(14, 20).limit(TEXT, a_match(), pauses=False)
    assert limited
    assert limited != TEXT
    assert TEXT.startswith(limited)


def test_of_a_source_that_errs_at_once_nothing_is_shown_while_the_person_types() -> None:
    assert after(0, 20).limit(TEXT, a_match(), pauses=False) == ""


def test_who_stops_is_shown_more() -> None:
    trust = after(8, 4)
    typing, pausing = (trust.limit(TEXT, a_match(), pauses=pauses) for pauses in (False, True))
    assert len(pausing) > len(typing)


def test_hidden_text_that_proves_right_is_shown_again() -> None:
    trust = after(0, 6)
    assert trust.limit(TEXT, a_match(), pauses=False) == ""
    for _ in range(16):
        trials = Trials()
        trust.met(trials, at_cursor("x = │\n"), a_match())
        trials.follow(at_cursor(f"x = {TEXT}│\n"))
    assert trust.limit(TEXT, a_match(), pauses=False) == TEXT


def test_of_lines_that_are_still_being_generated_so_much_is_shown_too() -> None:
    lines = "\n    first = 1\n    second = 2\n"
    assert Trust().limit_so_far(lines, "edge", 0) == lines
    assert after(0, 20).limit_so_far(lines, "edge", 0) == ""


def test_half_a_line_below_whole_ones_is_not_shown() -> None:
    limited = after(16, 4).limit(BLOCK, a_match(BLOCK), pauses=True)
    assert limited in (BLOCK, "\n    first = 1", "\n    first = 1\n    second = 2")


def test_a_source_that_is_wrong_is_asked_for_less() -> None:
    assert Trust().worth_generating("edge", 600) == 600
    assert after(4, 20).worth_generating("edge", 600) < 60


def test_what_follows_is_asked_for_if_the_text_is_most_probably_right_to_its_end() -> None:
    assert Trust().worth_following(a_match(), len(TEXT))
    assert not after(8, 4).worth_following(a_match(), len(TEXT))


def test_what_follows_half_a_text_is_not_asked_for() -> None:
    assert not Trust().worth_following(a_match(completeness=Completeness.SHORTENED), len(TEXT))


def test_where_next_to_nothing_is_shown_asking_waits_for_a_pause() -> None:
    assert not Trust().asks_in_pauses
    assert not after(30, 20, wrong=False).asks_in_pauses
    assert after(0, 30).asks_in_pauses


def test_texts_of_which_nothing_is_left_to_show_count_as_not_shown_once_each() -> None:
    trust = Trust()
    for _ in range(30):
        match = a_match()
        before = trust.shows.value
        trust.nothing(match)
        assert trust.shows.value < before
        before = trust.shows.value
        trust.nothing(match)
        assert trust.shows.value == before
    assert trust.asks_in_pauses


def test_texts_that_nobody_judged_do_not_pay_for_those_that_were() -> None:
    trust = Trust()
    for _ in range(20):
        trials, match = Trials(), a_judged_match(-3.0)
        trust.met(trials, at_cursor("x = │\n"), match)
        trials.follow(at_cursor("x = !│\n"))
    assert trust.limit(BLOCK, a_match(BLOCK), pauses=False) == BLOCK


def test_what_the_model_itself_is_rather_sure_of_is_shown_in_a_pause_of_a_source_that_errs() -> None:
    trust = after(0, 20)
    assert trust.limit(TEXT, a_judged_match(-0.02), pauses=True)
    assert not trust.limit(TEXT, a_match(), pauses=True)
