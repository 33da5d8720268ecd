"""kill -9 of each process during a request: one answer to every request, suggestions resume, nothing hangs."""

from __future__ import annotations

import asyncio

import psutil
from raw_lsp import RawClient
from stack import Stack


async def test_suggestions_come_through_the_whole_path(stack: Stack) -> None:
    await stack.worker.start()
    await stack.proxy.start()
    await stack.start_editor()
    suggestion = await stack.until_suggested_by("edge")
    assert suggestion.text.strip()


async def test_the_local_model_takes_over_from_a_killed_proxy_and_gives_back(stack: Stack) -> None:
    await stack.worker.start()
    await stack.proxy.start()
    await stack.start_editor()
    await stack.until_suggested_by("edge")

    during = stack.editor.press("\n")
    await stack.proxy.kill()
    await stack.answer(during)
    assert (await stack.until_suggested_by("local")).source == "local"

    await stack.proxy.start()
    assert (await stack.until_suggested_by("edge")).source == "edge"


async def test_a_killed_worker_leaves_no_request_without_an_answer(stack: Stack) -> None:
    await stack.worker.start()
    await stack.proxy.start()
    await stack.start_editor()
    await stack.until_suggested_by("edge")

    during = [stack.editor.press(key) for key in "\n    x"]
    await stack.worker.kill()
    await asyncio.gather(*(stack.answer(request) for request in during))
    await stack.until_suggested_by("local")

    await stack.worker.start()
    assert (await stack.until_suggested_by("edge")).source == "edge"


async def test_another_worker_goes_on_for_a_killed_one(stack: Stack) -> None:
    stack.configure(local=False)
    second = stack.worker_at("second")
    proxy = stack.proxy_to("worker", "second")
    await asyncio.gather(stack.worker.start(), second.start())
    await proxy.start()
    await stack.start_editor()
    await stack.until_suggested_by("edge")

    during = [stack.editor.press(key) for key in "\n    x"]
    await stack.worker.kill()
    await asyncio.gather(*(stack.answer(request) for request in during))
    assert (await stack.until_suggested_by("edge")).source == "edge"


async def test_a_killed_local_model_is_started_again(stack: Stack) -> None:
    stack.configure(urls=[])
    await stack.start_editor()
    await stack.until_suggested_by("local")
    process = stack.local_worker()
    assert process is not None

    during = [stack.editor.press(key) for key in "\n    x"]
    process.kill()
    await asyncio.to_thread(psutil.wait_procs, [process], 10)
    await asyncio.gather(*(stack.answer(request) for request in during))

    assert (await stack.until_suggested_by("local")).source == "local"
    again = stack.local_worker()
    assert again is not None
    assert again.pid != process.pid


async def test_requests_without_a_pause_are_each_answered_once(stack: Stack) -> None:
    stack.configure(urls=[])
    await stack.start_editor()
    await stack.until_suggested_by("local")
    burst = [stack.editor.press(key) for key in "\n    total = a + b\n    return total"]
    answers = await asyncio.gather(*(stack.answer(request) for request in burst))
    assert len(answers) == len(burst)


async def test_every_request_has_exactly_one_answer_through_every_failure(stack: Stack) -> None:
    uri = (stack.folder / "sums.py").as_uri()
    client = RawClient()
    await asyncio.gather(stack.worker.start(), stack.proxy.start(), client.start(stack.environment))
    first = client.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    await client.until_answered(first, seconds=30)
    client.notify("initialized", {})
    client.notify(
        "textDocument/didOpen",
        {"textDocument": {"uri": uri, "languageId": "python", "version": 0, "text": "def add(a, b):\n"}},
    )
    version = 0

    def type_a_line() -> list[int]:
        nonlocal version
        asked = []
        for column, character in enumerate("    return a + b"):
            version += 1
            place = {"line": 1, "character": column}
            client.notify(
                "textDocument/didChange",
                {
                    "textDocument": {"uri": uri, "version": version},
                    "contentChanges": [{"range": {"start": place, "end": place}, "text": character}],
                },
            )
            asked.append(
                client.ask(
                    "textDocument/inlineCompletion",
                    {
                        "textDocument": {"uri": uri},
                        "position": {"line": 1, "character": column + 1},
                        "context": {"triggerKind": 1 + version % 2},
                    },
                )
            )
        version += 1
        client.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": version},
                "contentChanges": [{"text": "def add(a, b):\n"}],
            },
        )
        return asked

    async def kill_local() -> None:
        local = stack.local_worker()
        if local is not None:
            local.kill()

    for kill in (stack.proxy.kill, kill_local, stack.proxy.start, stack.worker.kill, kill_local, stack.worker.start):
        asked = type_a_line()
        await kill()
        asked += type_a_line()
        await client.until_answered(*asked, seconds=20)
    await client.stop()
    assert client.answers == dict.fromkeys(client.asked, 1)
    assert client.errors == []
