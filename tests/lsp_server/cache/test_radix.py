"""The radix tree against a dictionary: what lies along a text and beyond it, and the memory its nodes take."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.cache.radix import Node, RadixTree

KEYS = st.text("abé😀", max_size=6)


def every_node(tree: RadixTree[int]) -> Iterator[Node[int]]:
    waiting = [tree._root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend((node.children or {}).values())


def grow(operations: list[tuple[str, bool]]) -> tuple[RadixTree[int], dict[str, int]]:
    """Insert (or remove, if False) so many keys."""
    tree: RadixTree[int] = RadixTree()
    naive: dict[str, int] = {}
    for number, (key, inserts) in enumerate(operations):
        node = tree.insert(key)
        if inserts:
            node.value = naive[key] = number
        else:
            tree.remove(node)
            naive.pop(key, None)
    return tree, naive


OPERATIONS = st.lists(st.tuples(KEYS, st.booleans()), max_size=30)


@given(OPERATIONS, KEYS)
def test_along_a_text_lie_the_keys_it_begins_with(operations: list[tuple[str, bool]], text: str) -> None:
    tree, naive = grow(operations)
    expected = [(len(key), naive[key]) for key in sorted(naive, key=len) if text.startswith(key)]
    assert [(length, node.value) for length, node in tree.along(text)] == expected


@given(OPERATIONS, KEYS, st.integers(1, 6))
def test_beyond_a_text_lie_the_keys_that_begin_with_it(
    operations: list[tuple[str, bool]], text: str, most: int
) -> None:
    tree, naive = grow(operations)
    further = [key.removeprefix(text) for key in naive if key.startswith(text) and 0 < len(key) - len(text) <= most]
    expected = [(more, naive[text + more]) for more in sorted(further, key=lambda more: (len(more), more))]
    assert [(more, node.value) for more, node in tree.beyond(text, most)] == expected


@given(OPERATIONS)
def test_no_node_is_kept_that_leads_nowhere_and_the_size_is_that_of_all(operations: list[tuple[str, bool]]) -> None:
    tree, naive = grow(operations)
    nodes = list(every_node(tree))
    assert tree.size == sum(node.size for node in nodes)
    assert sum(node.value is not None for node in nodes) == len(naive)
    needless = [node for node in nodes[1:] if node.value is None and len(node.children or {}) < 2]
    assert needless == []


@given(OPERATIONS)
def test_an_empty_tree_takes_what_a_new_one_takes(operations: list[tuple[str, bool]]) -> None:
    tree, naive = grow(operations)
    for key in naive:
        tree.remove(tree.insert(key))
    assert tree.size == RadixTree[int]().size


@given(OPERATIONS, KEYS)
def test_a_node_with_a_value_stays_the_same_object(operations: list[tuple[str, bool]], key: str) -> None:
    tree: RadixTree[int] = RadixTree()
    node = tree.insert(key)
    node.value = -1
    for other, inserts in operations:
        if other == key:
            continue
        if inserts:
            tree.insert(other).value = 1
        else:
            tree.remove(tree.insert(other))
    assert tree.insert(key) is node
    assert node.value == -1
