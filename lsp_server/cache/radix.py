"""A radix tree of texts: what lies under each beginning of a text, and what lies just beyond its end; pure.

Edges hold strings, so a step is one `str.startswith` in C, and the memory of every node is known (`size`).
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

V = TypeVar("V")

LATIN_1: Final = "\xff"
"""Strings of one character up to this are made once by Python; others are objects of their own."""


class Node(Generic[V]):
    """A place in the tree. Stays the same object as long as a value lies there."""

    __slots__ = ("children", "label", "parent", "value")

    def __init__(self, label: str, parent: Node[V] | None) -> None:
        self.label = label
        """The text from the parent to here."""
        self.parent = parent
        self.children: dict[str, Node[V]] | None = None
        """By the first character of their labels; None for the many that have none."""
        self.value: V | None = None

    @property
    def size(self) -> int:
        """Bytes of this node without its value."""
        size = sys.getsizeof(self) + sys.getsizeof(self.label)
        if self.children is not None:
            size += sys.getsizeof(self.children)
        return size if self.label[:1] <= LATIN_1 else size + sys.getsizeof(self.label[0])


class RadixTree(Generic[V]):
    """Values under texts. `size` is what its nodes take in bytes, without the values."""

    def __init__(self) -> None:
        self._root: Node[V] = Node("", None)
        self.size = self._root.size

    def insert(self, key: str) -> Node[V]:
        """The node of `key`, made if it is not there. Give it a value, or `remove` it."""
        node, at = self._root, 0
        while at < len(key):
            child = node.children.get(key[at]) if node.children is not None else None
            if child is None:
                return self._hang(Node(key[at:], node))
            if not key.startswith(child.label, at):
                child = self._split(child, _shared(child.label, key, at))
            at += len(child.label)
            node = child
        return node

    def remove(self, node: Node[V]) -> None:
        """Take its value away, and what of the tree only led there."""
        node.value = None
        while node.parent is not None and node.value is None and not node.children:
            parent = node.parent
            self._cut(node)
            node = parent
        if node.parent is not None and node.value is None and node.children is not None and len(node.children) == 1:
            self._merge(node)

    def along(self, key: str) -> list[tuple[int, Node[V]]]:
        """The nodes with a value under the beginnings of `key`, the shortest first, each with its length."""
        found: list[tuple[int, Node[V]]] = []
        node, at, end = self._root, 0, len(key)
        while True:
            if node.value is not None:
                found.append((at, node))
            children = node.children
            if at == end or children is None:
                return found
            child = children.get(key[at])
            if child is None or not key.startswith(child.label, at):
                return found
            node, at = child, at + len(child.label)

    def beyond(self, key: str, most: int) -> Iterator[tuple[str, Node[V]]]:
        """The nodes with a value under texts that begin with `key` and go on for 1 to `most` characters.

        The nearest first, each with the text from `key` to it.
        """
        reached = self._reach(key)
        if reached is None:
            return
        # By length, then by text, so that the order never depends on the nodes.
        heap = [(len(text), text, node) for text, node in reached if len(text) <= most]
        heapq.heapify(heap)
        while heap:
            length, text, node = heapq.heappop(heap)
            if node.value is not None and length:
                yield text, node
            for child in (node.children or {}).values():
                if length + len(child.label) <= most:
                    further = text + child.label
                    heapq.heappush(heap, (len(further), further, child))

    def _reach(self, key: str) -> list[tuple[str, Node[V]]] | None:
        """The first node at or beyond `key` and the text from `key` to it; None if nothing begins with `key`."""
        node, at = self._root, 0
        while at < len(key):
            child = node.children.get(key[at]) if node.children is not None else None
            if child is None:
                return None
            if not key.startswith(child.label, at):
                return [(child.label[len(key) - at :], child)] if child.label.startswith(key[at:]) else None
            node, at = child, at + len(child.label)
        return [("", node)]

    def _hang(self, node: Node[V]) -> Node[V]:
        """Put a new node under its parent."""
        assert node.parent is not None
        self.size -= node.parent.size
        if node.parent.children is None:
            node.parent.children = {}
        node.parent.children[node.label[0]] = node
        self.size += node.parent.size + node.size
        return node

    def _cut(self, node: Node[V]) -> None:
        """Take a node without children from its parent."""
        parent = node.parent
        assert parent is not None
        assert parent.children is not None
        self.size -= parent.size + node.size
        del parent.children[node.label[0]]
        # A dictionary never shrinks by itself.
        parent.children = dict(parent.children) or None
        self.size += parent.size
        node.parent = None

    def _split(self, node: Node[V], at: int) -> Node[V]:
        """A new node in the middle of the edge that leads to `node`, `at` characters from its start."""
        parent = node.parent
        assert parent is not None
        assert parent.children is not None
        middle: Node[V] = Node(node.label[:at], parent)
        self.size -= node.size
        parent.children[middle.label[0]] = middle
        node.label, node.parent = node.label[at:], middle
        middle.children = {node.label[0]: node}
        self.size += middle.size + node.size
        return middle

    def _merge(self, node: Node[V]) -> None:
        """Join a node without value to its only child, which goes on to exist."""
        parent = node.parent
        assert parent is not None
        assert parent.children is not None
        assert node.children is not None
        (child,) = node.children.values()
        self.size -= node.size + child.size
        child.label, child.parent = node.label + child.label, parent
        parent.children[child.label[0]] = child
        self.size += child.size
        node.parent = node.children = None


def _shared(label: str, key: str, at: int) -> int:
    """How many characters `label` shares with `key` from `at`; they share the first and differ somewhere."""
    low, high = 1, len(label)
    while high - low > 1:
        middle = (low + high) // 2
        if key.startswith(label[:middle], at):
            low = middle
        else:
            high = middle
    return low
