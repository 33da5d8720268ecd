"""What is told to clients in Copilot's style."""

from __future__ import annotations

from typing import get_args

import pytest

from lsp_server.copilot_style import introduces_itself, status_of
from lsp_server.status import State, Status


@pytest.mark.parametrize(
    ("state", "kind"), [("online", "Normal"), ("local", "Normal"), ("off", "Inactive"), ("error", "Error")]
)
def test_each_state_has_a_kind_and_its_sentence(state: State, kind: str) -> None:
    assert status_of(Status(state, "Why.")) == {"busy": False, "message": "Why.", "kind": kind}


def test_no_state_is_without_a_kind() -> None:
    assert all(status_of(Status(state, ""))["kind"] for state in get_args(State))


def test_while_sources_connect_it_is_busy() -> None:
    assert status_of(None)["busy"] is True


def test_a_plugin_that_names_itself_is_known() -> None:
    assert introduces_itself({"editorPluginInfo": {"name": "x", "version": "1"}})
    assert not introduces_itself({"edge": {"urls": []}})
    assert not introduces_itself(None)
