"""However an editor leaves, the server answers, leaves too, and its log has no traceback."""

from __future__ import annotations

import pytest
from raw_lsp import RawClient
from stack import Stack


@pytest.mark.parametrize("how", ["shutdown, exit", "shutdown and exit at once", "shutdown, then gone", "gone"])
async def test_the_server_leaves_cleanly(stack: Stack, how: str) -> None:
    stack.configure(urls=[])
    uri = (stack.folder / "sums.py").as_uri()
    client = RawClient()
    await client.start(stack.environment)
    await client.until_answered(
        client.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}}), seconds=30
    )
    client.notify("initialized", {})
    document = {"uri": uri, "languageId": "python", "version": 0, "text": "def add(a, b):\n"}
    client.notify("textDocument/didOpen", {"textDocument": document})
    client.ask(
        "textDocument/inlineCompletion",
        {
            "textDocument": {"uri": uri},
            "position": {"line": 1, "character": 0},
            "context": {"triggerKind": 1},
        },
    )
    if how != "gone":
        shutdown = client.ask("shutdown", None)
        if how == "shutdown, exit":
            await client.until_answered(shutdown, seconds=20)
        if how != "shutdown, then gone":
            client.notify("exit", None)
    code = await client.until_gone(close="gone" in how, seconds=20)
    assert code == 0
    assert client.answers == dict.fromkeys(client.asked, 1)
    logs = "".join(path.read_text() for path in (stack.folder / "state").rglob("*.log"))
    assert "Traceback" not in logs
