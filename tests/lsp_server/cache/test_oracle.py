"""The whole cache against a list that is searched from end to end by the rules alone, without tree or index."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.anchor import is_tail
from lsp_server.cache import Cache, Completeness, Match
from wire_protocol.frames import Context, Snippet

WHOLE = Completeness.WHOLE
LINES = "".join(f"value_{number} = {number}\n" for number in range(200))
BEFORE = ["x = 1\n", LINES, LINES[:-1_000] + "#" + LINES[-999:]]
"""A document's start, a document, and the same changed far above."""
AFTER = ["\n", "z", "\n" + LINES[:1_000], "\n" + LINES[:800]]
"""The last two differ far below only."""
PAIRS = {"(": ")"}


class Stored(NamedTuple):
    where: Context
    text: str


HELP = [Snippet(path="c.js", text="c")]
TRUTHS = st.text("ab(\n", min_size=1, max_size=10)


@st.composite
def places(draw: st.DrawFn, truth: str) -> Context:
    """A cursor in `truth`, mostly with the same around it."""
    return Context(
        before=draw(st.sampled_from([BEFORE[0], BEFORE[1], BEFORE[1], BEFORE[2]])),
        typed=truth[: draw(st.integers(0, len(truth)))] + draw(st.sampled_from(["", "", "a"])),
        tail=draw(st.sampled_from(["", ")"])),
        after=draw(st.sampled_from([AFTER[0], AFTER[2], AFTER[2], AFTER[3], AFTER[1]])),
        path=draw(st.sampled_from(["a.js", "a.js", "b.js"])),
        language="js",
        snippets=draw(st.sampled_from([[], [], HELP])),
    )


@st.composite
def entries(draw: st.DrawFn, truth: str) -> Stored:
    """What was generated there: right as far as it goes, and sometimes wrong from some place on."""
    place = draw(places(truth))
    right = truth[len(place.typed) :]
    return Stored(place, right[: draw(st.integers(0, len(right)))] + draw(st.sampled_from(["", ")", "b)"])))


def text_of(context: Context) -> str:
    return context.before + context.typed


def is_document_start(context: Context) -> bool:
    return len(text_of(context)) < 256


def rest_of(context: Context) -> str:
    return context.tail + context.after


def shift(old: str, new: str, typed: str) -> int | None:
    """By how much the rest grew, by trying every way; None if it is another rest."""
    for overtyped in range(len(old) + 1):
        characters = iter(typed)
        if not is_tail(old[:overtyped]) or not all(character in characters for character in old[:overtyped]):
            break
        for closed in range(len(new) + 1):
            if not is_tail(new[:closed]) or (closed and not typed):
                break
            if is_near(old[overtyped:], new[closed:], 256 - overtyped):
                return closed - overtyped
    return None


def is_near(old: str, new: str, near: int) -> bool:
    return old[:near] == new[:near]


def is_stale(stored: Stored, asked: Context, moved: int) -> bool:
    old, new = rest_of(stored.where), rest_of(asked)
    return (
        old[256 : 256 + 512] != new[256 + moved : 256 + moved + 512]
        or stored.where.before != asked.before
        or stored.where.path != asked.path
        or stored.where.snippets != asked.snippets
    )


def expected(kept: list[Stored], asked: Context, *, deleted: bool) -> list[tuple[str, int, bool]]:
    """What of `kept`, the newest first, is found to the letter, in order: what is left, how much was typed, stale."""
    found = []
    text = text_of(asked)
    for stored in kept:
        place = text_of(stored.where)
        if stored.where.path != asked.path and is_document_start(asked):
            continue
        if len(place) <= len(text) and text[: len(place)][-500:] == place[-500:]:
            typed = text[len(place) :]
            moved = shift(rest_of(stored.where), rest_of(asked), typed)
            left = stored.text[len(typed) :]
            if not stored.text.startswith(typed) or moved is None or (typed and not left):
                continue
            stale = is_stale(stored, asked, moved)
            if left.strip() or not stale:
                found.append((left, len(typed), stale))
    found.sort(key=lambda match: (match[2], match[1]))
    return found + (ahead(kept, asked) if deleted else [])


def ahead(kept: list[Stored], asked: Context) -> list[tuple[str, int, bool]]:
    found = []
    text = text_of(asked)
    for stored in kept:
        place = text_of(stored.where)
        gone = place[len(text) :]
        if place[: len(text)][-500:] != text[-500:] or not gone.strip() or "\n" in gone or not stored.text.strip():
            continue
        if stored.where.path != asked.path and is_document_start(asked):
            continue
        opened = gone.count("(")  # nothing that was typed closes one
        for closers in range(opened + 1):
            old, new = rest_of(stored.where), rest_of(asked)
            if old.startswith(")" * closers) and is_near(old[closers:], new, 256 - closers):
                found.append((gone + stored.text, -len(gone), is_stale(stored, asked, -closers)))
                break
    return sorted(found, key=lambda match: (-match[1], match[0][: -match[1]]))[:4]


def store(cache: Cache, kept: list[Stored], stored: Stored) -> None:
    cache.store(stored.where, stored.text, "single", WHOLE, "local")

    def kind(each: Stored) -> tuple[str, str, str]:
        return text_of(each.where)[-500:], rest_of(each.where)[:256], each.where.path

    kept[:] = [stored, *(each for each in kept if kind(each) != kind(stored))]


def to_the_letter(matches: list[Match]) -> list[tuple[str, int, bool]]:
    return [(match.left, match.appended, match.stale) for match in matches if not match.reindented]


@given(st.data(), TRUTHS, st.booleans())
def test_it_finds_what_a_search_through_everything_finds_in_its_order(
    data: st.DataObject, truth: str, deleted: bool
) -> None:
    cache = Cache(lambda: 0.0)
    kept: list[Stored] = []
    for each in data.draw(st.lists(entries(truth), min_size=1, max_size=6)):
        store(cache, kept, each)
    asked = data.draw(places(truth))
    assert to_the_letter(list(cache.matches(asked, deleted=deleted))) == expected(kept, asked, deleted=deleted)


@given(
    st.lists(st.tuples(st.text("ab \t\n", max_size=5), st.text("ab \t\n", max_size=8)), min_size=1, max_size=6),
    st.text("ab \t\n", max_size=8),
)
def test_no_match_contradicts_the_text(stored: list[tuple[str, str]], typed: str) -> None:
    cache = Cache(lambda: 0.0)
    generated = set()
    for where, text in stored:
        cache.store(Context(typed=where), text, "multi", WHOLE, "local")
        generated.add("".join((where + text).split()))
    for match in cache.matches(Context(typed=typed), deleted=True):
        whole = "".join((typed + match.left).split())
        # Re-indented texts may end before a line that nothing tells how to indent.
        assert any(one == whole or (match.reindented and one.startswith(whole)) for one in generated)
        if not match.reindented:
            assert typed + match.left in {where + text for where, text in stored}
