"""The bounds of the cache: bytes by the sizes of objects and as really taken, time, and who goes first."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.cache import Cache, Completeness
from lsp_server.cache.store import MEMORY_FACTOR
from wire_protocol.frames import Context

WHOLE = Completeness.WHOLE


class FakeClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def place(name: str) -> Context:
    """A place of its own: none of the names begins another."""
    return Context(before="x = 1\n", typed=f"<{name}>", after="\n", path="a.py", language="python")


def taken(cache: Cache) -> int:
    """Bytes of all nodes and entries, each looked at."""
    waiting, total = [cache._tree._root], 0
    while waiting:
        node = waiting.pop()
        waiting.extend((node.children or {}).values())
        total += node.size
        if node.value is not None:
            total += node.value.size
            assert node.value.size > sum(entry.size for entry in node.value.entries) + sys.getsizeof(node.value)
            assert node in cache._index
    return total


NAMES = st.text("ab", max_size=3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("store"), NAMES, st.text("abé😀", min_size=1, max_size=300)),
        st.tuples(st.just("find"), NAMES, st.just("")),
        st.tuples(st.just("wait"), st.just(""), st.sampled_from(["", "long"])),
    ),
    max_size=60,
)


@given(STEPS)
def test_the_bound_is_kept_and_the_least_recently_used_goes_first(steps: list[tuple[str, str, str]]) -> None:
    clock = FakeClock()
    cache = Cache(clock, max_bytes=12_000, ttl_s=10.0)
    used: dict[str, float] = {}
    """When each was stored, the one used last at the end."""
    for what, name, text in steps:
        if what == "wait":
            clock.now += 10.0 if text else 1.0
            used = {name: at for name, at in used.items() if clock.now < at + 10.0}
        elif what == "store":
            cache.store(place(name), text, "multi", WHOLE, "local")
            used.pop(name, None)
            used[name] = clock.now
        elif list(cache.matches(place(name))):
            used[name] = used.pop(name)
        assert cache.bytes_used <= 12_000
        assert cache.bytes_used == taken(cache)
    there = [bool(list(cache.matches(place(name)))) for name in reversed(used)]
    assert there == sorted(there, reverse=True)
    assert there[:2] == [True] * len(there[:2])


def test_what_was_found_lately_outlives_what_was_stored_later() -> None:
    cache = Cache(FakeClock(), max_bytes=12_000)
    for number in range(3):
        cache.store(place(str(number)), "text", "multi", WHOLE, "local")
    for number in range(3, 50):
        assert list(cache.matches(place("0")))
        cache.store(place(str(number)), "text", "multi", WHOLE, "local")
    assert list(cache.matches(place("0")))
    assert list(cache.matches(place("1"))) == []


@given(st.lists(st.tuples(st.text("ab", max_size=600), st.text("abé😀", max_size=300)), max_size=40))
@settings(max_examples=30)
def test_memory_is_bounded_whatever_is_stored(stored: list[tuple[str, str]]) -> None:
    cache = Cache(FakeClock(), max_bytes=4_096)
    for typed, text in stored:
        cache.store(Context(typed=typed, after="\n"), text, "multi", WHOLE, "local")
        assert cache.bytes_used <= 4_096


def test_a_cache_that_forgot_everything_takes_what_a_new_one_takes() -> None:
    clock = FakeClock()
    cache = Cache(clock)
    new = cache.bytes_used
    for number in range(100):
        cache.store(place(str(number)), "text", "multi", WHOLE, "local")
    clock.now = 10_000.0
    assert list(cache.matches(place("1"))) == []
    assert cache.bytes_used == new


def typing(keys: int) -> Iterator[tuple[Context, str]]:
    """Lines typed one below the other, as a person does who is asked at each third key; some with wide characters."""
    before = "".join(f"value_{number} = compute({number})\n" for number in range(200))
    after = "\n" + before[:2_000]
    for number in range(keys):
        line = f"    total_{number // 12} = somewhere.compute({'é😀'[number % 2] * (number % 50 == 0)}{number // 12})"
        if number % 12 == 0:
            before += f"    total_{number // 12} = 1\n"
        cut = 3 * (number % 12)
        yield (
            Context(before=before[-6_000:], typed=line[:cut], after=after[:2_000], path="a.py", language="python"),
            line[cut:] + "\n    return value" * (number % 5),
        )


def test_the_memory_really_taken_stays_within_the_factor_that_is_stated() -> None:
    bound = 524_288
    gc.collect()
    tracemalloc.start()
    try:
        began = tracemalloc.get_traced_memory()[0]
        cache = Cache(FakeClock(), max_bytes=bound)
        for context, text in typing(900):
            cache.store(context, text, "multi", WHOLE, "local")
        del context, text
        gc.collect()
        really = tracemalloc.get_traced_memory()[0] - began
    finally:
        tracemalloc.stop()
    assert cache.bytes_used > 0.95 * bound  # so that it is the bound that is tested
    assert cache.bytes_used / MEMORY_FACTOR <= really <= cache.bytes_used * MEMORY_FACTOR
