"""kill -9 of each process during a request: one answer to every request, suggestions resume, nothing hangs."""

from __future__ import annotations

import asyncio

import psutil
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
