"""What the cache finds and in which order, and what it must not replay."""

from __future__ import annotations

from lsp_server.cache import Cache, Completeness
from wire_protocol.frames import Context, Snippet

WHOLE = Completeness.WHOLE
FILE = "".join(f"value_{number} = compute({number})\n" for number in range(200))
"""Its last lines are near a cursor behind it, its first are far."""


def context(
    typed: str, tail: str = "", after: str = "\n", before: str = "x = 1\n", *, path: str = "a.py", help: str = ""
) -> Context:
    snippets = [Snippet(path="b.py", text=help)] if help else []
    return Context(before=before, typed=typed, tail=tail, after=after, path=path, language="python", snippets=snippets)


def left(cache: Cache, where: Context, *, deleted: bool = False) -> list[str]:
    return [match.left for match in cache.matches(where, deleted=deleted)]


def stale(cache: Cache, where: Context) -> list[bool]:
    return [match.stale for match in cache.matches(where)]


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_was_typed_of_a_suggestion_is_not_suggested_again() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri"), "nt(a)", "single", WHOLE, "edge")
    assert left(cache, context("print(")) == ["a)"]


def test_typing_something_else_finds_nothing() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri"), "nt(a)", "single", WHOLE, "edge")
    assert left(cache, context("prix")) == []


def test_a_suggestion_is_found_after_the_editor_closed_a_bracket() -> None:
    cache = Cache(FakeClock())
    cache.store(context("print"), "(a):\n    b", "multi", WHOLE, "edge")
    assert left(cache, context("print(", tail=")")) == ["a):\n    b"]


def test_a_suggestion_is_found_after_a_closed_bracket_was_typed_over() -> None:
    cache = Cache(FakeClock())
    cache.store(context("print(", tail=")"), "a):\n    b", "multi", WHOLE, "edge")
    assert left(cache, context("print(a)")) == [":\n    b"]


def test_a_tail_that_was_not_typed_over_is_another_place() -> None:
    cache = Cache(FakeClock())
    cache.store(context("print(", tail=")"), "ab", "multi", WHOLE, "edge")
    assert left(cache, context("print(a")) == []


def test_a_suggestion_typed_to_its_end_is_none() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri"), "nt", "single", WHOLE, "edge")
    assert left(cache, context("print")) == []


def test_that_there_is_nothing_is_known_at_that_very_place() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri"), "", "single", WHOLE, "edge")
    assert left(cache, context("pri")) == [""]


def test_an_anchor_that_moved_does_not_lose_a_suggestion() -> None:
    cache = Cache(FakeClock())
    cache.store(context("if a:\n    b"), "reak", "single", WHOLE, "edge")
    assert left(cache, context("    br", before="x = 1\nif a:\n")) == ["eak"]


def test_entries_are_forgotten_after_their_time() -> None:
    clock = FakeClock()
    cache = Cache(clock, ttl_s=10.0)
    empty = cache.bytes_used
    cache.store(context("pri"), "nt", "single", WHOLE, "edge")
    clock.now = 10.0
    assert left(cache, context("pri")) == []
    assert cache.bytes_used == empty


def test_a_newer_entry_at_the_same_place_does_not_prolong_an_older_one() -> None:
    clock = FakeClock()
    cache = Cache(clock, ttl_s=10.0)
    cache.store(context("pri"), "nt", "single", WHOLE, "edge")
    clock.now = 6.0
    cache.store(context("pri"), "nt(\n)", "multi", WHOLE, "edge")
    clock.now = 11.0
    assert left(cache, context("pri")) == ["nt(\n)"]


def test_a_word_or_a_line_that_was_accepted_leaves_the_rest() -> None:
    cache = Cache(FakeClock())
    cache.store(context("if a"), " and b:\n    return c\n", "multi", WHOLE, "edge")
    assert left(cache, context("if a and")) == [" b:\n    return c\n"]
    assert left(cache, context("if a and b:")) == ["\n    return c\n"]
    assert left(cache, context("if a and b:\n    ")) == ["return c\n"]


def test_after_enter_the_rest_is_indented_as_the_editor_does() -> None:
    cache = Cache(FakeClock())
    cache.store(context("if a:"), "\n    b = 1\n    return c", "multi", WHOLE, "edge")
    (match,) = cache.matches(context("if a:\n\tb"))
    assert (match.left, match.reindented) == (" = 1\n\treturn c", True)


def test_a_brace_that_the_editor_closed_on_its_own_line_is_no_other_place() -> None:
    cache = Cache(FakeClock())
    cache.store(context("if (a) {", tail="}"), "\n  b();\n}", "multi", WHOLE, "edge")
    assert left(cache, context("if (a) {\n    ", tail="\n}")) == ["b();\n}"]


def test_to_the_letter_comes_before_re_indented_and_least_typed_first() -> None:
    cache = Cache(FakeClock())
    cache.store(context("if a:"), "\n    b", "multi", WHOLE, "edge")
    cache.store(context("if"), " a:\n\tcd", "multi", WHOLE, "edge")
    cache.store(context("i"), "f a:\n\tce", "multi", WHOLE, "edge")
    assert left(cache, context("if a:\n\t")) == ["cd", "ce", "b"]


def test_after_a_backspace_what_was_answered_before_is_there() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri"), "nt(a)", "single", WHOLE, "edge")
    assert left(cache, context("prix")) == []
    assert left(cache, context("pri"), deleted=True) == ["nt(a)"]


def test_what_was_deleted_is_put_back_in_front_of_a_suggestion_that_lies_ahead() -> None:
    cache = Cache(FakeClock())
    cache.store(context("print"), "(a)", "single", WHOLE, "edge")
    (match,) = cache.matches(context("pri"), deleted=True)
    assert (match.left, match.deleted, match.appended) == ("nt(a)", "nt", -2)


def test_what_lies_ahead_is_no_answer_to_typing() -> None:
    cache = Cache(FakeClock())
    cache.store(context("print"), "(a)", "single", WHOLE, "edge")
    assert left(cache, context("pri")) == []


def test_a_bracket_deleted_with_the_one_that_closed_it_is_put_back() -> None:
    cache = Cache(FakeClock())
    cache.store(context("print(", tail=")"), "a)", "single", WHOLE, "edge")
    assert left(cache, context("print"), deleted=True) == ["(a)"]


def test_the_nearest_of_what_lies_ahead_comes_first_and_behind_what_was_typed_through() -> None:
    cache = Cache(FakeClock())
    for typed, text in (("print(ab", ")"), ("print(a", ", b)"), ("p", "rint(c)")):
        cache.store(context(typed), text, "single", WHOLE, "edge")
    assert left(cache, context("print("), deleted=True) == ["c)", "a, b)", "ab)"]


def test_what_was_deleted_across_a_line_break_is_not_put_back() -> None:
    cache = Cache(FakeClock())
    cache.store(context("a = 1\nb"), " = 2", "single", WHOLE, "edge")
    assert left(cache, context("a = 1"), deleted=True) == []


def test_deleted_indentation_is_not_put_back() -> None:
    cache = Cache(FakeClock())
    cache.store(context("if a:\n    "), "b", "single", WHOLE, "edge")
    assert left(cache, context("if a:\n"), deleted=True) == []


def test_another_snippet_makes_a_suggestion_stale_but_not_wrong() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri", help="a"), "nt", "single", WHOLE, "edge")
    assert stale(cache, context("prin", help="a")) == [False]
    assert stale(cache, context("prin", help="b")) == [True]


def test_a_change_far_above_or_below_makes_a_suggestion_stale() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri", before=FILE, after=FILE[:2_000]), "nt", "single", WHOLE, "edge")
    below = FILE[:500] + "#" + FILE[501:2_000]
    assert stale(cache, context("pri", before=FILE, after=FILE[:2_000])) == [False]
    assert stale(cache, context("pri", before=FILE[:-700] + "#" + FILE[-699:], after=FILE[:2_000])) == [True]
    assert stale(cache, context("pri", before=FILE, after=below)) == [True]


def test_a_change_near_by_is_another_place() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri", before=FILE, after=FILE[:2_000]), "nt", "single", WHOLE, "edge")
    assert left(cache, context("pri", before=FILE[:-20] + "#" + FILE[-19:], after=FILE[:2_000])) == []
    assert left(cache, context("pri", before=FILE, after=FILE[:99] + "#" + FILE[100:2_000])) == []


def test_a_window_that_moved_and_brackets_typed_over_do_not_make_it_stale() -> None:
    cache = Cache(FakeClock())
    cache.store(context("f(", tail=")", before=FILE, after="\n" + FILE[:1_999]), "a)[b]", "single", WHOLE, "edge")
    assert stale(cache, context("f(a)[", tail="]", before=FILE[300:], after="\n" + FILE[:1_999])) == [False]


def test_a_bracket_that_the_editor_closed_does_not_make_it_stale() -> None:
    cache = Cache(FakeClock())
    cache.store(context("f", before=FILE, after="\n" + FILE[:1_999]), "(a)", "single", WHOLE, "edge")
    assert stale(cache, context("f(", tail=")", before=FILE, after="\n" + FILE[:1_999])) == [False]


def test_what_is_fresh_comes_before_what_is_stale() -> None:
    cache = Cache(FakeClock())
    cache.store(context("p", help="a"), "rint(a)", "single", WHOLE, "edge")
    cache.store(context("pri", help="b"), "nt(b)", "single", WHOLE, "edge")
    assert left(cache, context("prin", help="a")) == ["t(a)", "t(b)"]


def test_that_there_was_nothing_is_not_known_once_something_changed() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri", help="a"), "", "single", WHOLE, "edge")
    assert left(cache, context("pri", help="b")) == []


def test_a_copy_of_a_file_finds_the_suggestions_of_the_other_as_stale_ones() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri", before=FILE), "nt", "single", WHOLE, "edge")
    assert stale(cache, context("pri", before=FILE, path="b.py")) == [True]


def test_two_files_that_have_just_begun_have_nothing_in_common() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri", before=""), "nt", "single", WHOLE, "edge")
    assert left(cache, context("pri", before="", path="b.py")) == []


def test_a_text_that_was_cut_does_not_take_the_place_of_the_whole_one() -> None:
    clock = FakeClock()
    cache = Cache(clock)
    cache.store(context("pri"), "nt(a)", "single", WHOLE, "edge")
    clock.now = 5.0
    cache.store(context("pri"), "nt(", "single", Completeness.CUT_BY_TIME, "local")
    (match,) = cache.matches(context("pri"))
    assert (match.left, match.entry.completeness, match.entry.stored_at) == ("nt(a)", WHOLE, 5.0)


def test_a_text_that_was_cut_but_says_otherwise_is_newer() -> None:
    cache = Cache(FakeClock())
    cache.store(context("pri"), "nt(a)", "single", WHOLE, "edge")
    cache.store(context("pri"), "nce", "single", Completeness.CUT_BY_LIMIT, "local")
    (match,) = cache.matches(context("pri"))
    assert (match.left, match.entry.completeness) == ("nce", Completeness.CUT_BY_LIMIT)


def test_single_and_multi_line_texts_live_beside_each_other_newest_first() -> None:
    cache = Cache(FakeClock())
    cache.store(context("if a:"), " b", "single", WHOLE, "edge")
    cache.store(context("if a:"), "\n    b", "multi", WHOLE, "edge")
    assert left(cache, context("if a:")) == ["\n    b", " b"]


def test_a_text_that_would_not_fit_at_all_does_not_push_the_others_out() -> None:
    cache = Cache(FakeClock(), max_bytes=4_096)
    cache.store(context("pri"), "nt", "single", WHOLE, "edge")
    cache.store(context("x"), "y" * 5_000, "single", WHOLE, "edge")
    assert left(cache, context("pri")) == ["nt"]
