"""How long a request waits for quiet."""

from __future__ import annotations

import pytest

from lsp_server.pacing import Pacing


def wait(now: float, changed_at: float | None, *, invoked: bool = False, new_line: bool = False) -> float:
    return Pacing(50).wait_s(now=now, changed_at=changed_at, invoked=invoked, new_line=new_line)


def test_quiet_time_counts_from_the_edit() -> None:
    assert wait(10.02, 10.0) == pytest.approx(0.03)


def test_an_editor_that_waited_itself_does_not_wait_again() -> None:
    assert wait(10.2, 10.0) == 0.0


def test_an_explicit_request_does_not_wait() -> None:
    assert wait(10.0, 10.0, invoked=True) == 0.0


def test_a_new_line_does_not_wait() -> None:
    assert wait(10.0, 10.0, new_line=True) == 0.0


def test_a_document_in_which_nothing_was_typed_does_not_wait() -> None:
    assert wait(10.0, None) == 0.0
