"""Paths that leave the machine, and contexts with the menu's item applied."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server.context import with_selected, workspace_path
from wire_protocol.frames import Context


@pytest.mark.parametrize(
    ("uri", "roots", "path"),
    [
        ("file:///home/me/app/src/a%20b.py", ["file:///home/me/app"], "src/a b.py"),
        ("file:///home/me/app/src/a.py", ["file:///home/me", "file:///home/me/app/"], "src/a.py"),
        ("file:///home/me/apple/a.py", ["file:///home/me/app"], "a.py"),
        ("file:///secret/place/a.py", [], "a.py"),
        ("untitled:Untitled-1", ["file:///home/me"], "Untitled-1"),
        ("http://[::1", [], ""),
    ],
)
def test_only_the_part_of_a_path_inside_the_workspace_is_told(uri: str, roots: list[str], path: str) -> None:
    assert workspace_path(uri, roots) == path


def test_the_selected_item_is_applied_to_the_context() -> None:
    applied = with_selected(at_cursor("os.pa│th\n"), "pa", 2, "path.join")
    assert applied is not None
    assert (applied.typed, applied.after) == ("os.path.join", "\n")


def test_a_selected_item_takes_the_tail_before_what_was_there() -> None:
    context = Context(typed="f(a", tail=")", after=" + 1")
    applied = with_selected(context, "a", 2, "abs")
    assert applied is not None
    assert (applied.typed, applied.tail, applied.after) == ("f(abs", "", "+ 1")


def test_a_selected_item_out_of_reach_is_not_applied() -> None:
    assert with_selected(at_cursor("ab│"), "xx", 0, "abc") is None
    assert with_selected(at_cursor("ab│"), "b", 9, "abc") is None
