"""The official `openai` package completes through a real proxy and a real worker with the starter model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest
from stack import TOKEN, Stack

PATIENCE = 30.0
BEFORE = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    return "
ENDLESS = "numbers = [\n" + "".join(f"    {number},\n" for number in range(100))
AFTER = "\n\n\nprint(add(1, 2))\n"


async def model_of(client: openai.AsyncOpenAI) -> str:
    """The starter's name, as soon as its worker is connected."""
    async with asyncio.timeout(PATIENCE):
        while True:
            names = [model.id async for model in client.models.list()]
            if len(names) > 1:
                return names[1]


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[openai.AsyncOpenAI]:
    await stack.worker.start()
    await stack.proxy.start()
    async with openai.AsyncOpenAI(api_key=TOKEN, base_url=f"http://127.0.0.1:{stack.port}/v1", max_retries=0) as made:
        yield made


async def test_the_openai_package_completes_streams_and_is_refused(client: openai.AsyncOpenAI, stack: Stack) -> None:
    name = await model_of(client)
    assert (await client.models.retrieve(name)).id == name

    whole = await client.completions.create(
        model=name, prompt=BEFORE, suffix=AFTER, max_tokens=24, stop=["\n"], temperature=0.0, user="someone"
    )
    text = whole.choices[0].text
    assert text.strip()
    assert "\n" not in text
    assert whole.choices[0].finish_reason in {"stop", "length"}
    assert whole.usage is not None
    assert whole.usage.prompt_tokens > 20
    assert whole.usage.completion_tokens > 0

    pieces, usage = [], None
    stream = await client.completions.create(
        model=name,
        prompt=BEFORE,
        suffix=AFTER,
        max_tokens=25,
        stop=["\n"],
        stream=True,
        stream_options={"include_usage": True},
    )
    async for chunk in stream:
        pieces += [choice.text for choice in chunk.choices]
        usage = chunk.usage or usage
    assert "".join(pieces) == text
    assert usage is not None
    assert usage.prompt_tokens_details is not None or usage.total_tokens > 0

    laid_out = f"<|fim_prefix|>{BEFORE}<|fim_suffix|>{AFTER}<|fim_middle|>"
    same = await client.completions.create(
        model="foretype", prompt=laid_out, max_tokens=24, stop=["\n", "<|endoftext|>"]
    )
    assert same.choices[0].text == text

    with pytest.raises(openai.BadRequestError, match="one answer") as refused:
        await client.completions.create(model=name, prompt=BEFORE, n=2)
    assert refused.value.param == "n"
    with pytest.raises(openai.NotFoundError, match="gpt-99"):
        await client.completions.create(model="gpt-99", prompt=BEFORE)
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="wrong").models.list()


async def test_a_stream_that_its_reader_leaves_ends_at_the_worker(client: openai.AsyncOpenAI, stack: Stack) -> None:
    name = await model_of(client)
    metrics = f"http://127.0.0.1:{stack.port}/metrics"
    async with asyncio.timeout(PATIENCE):
        while True:  # the model may be through before a busy machine reads the first piece
            stream = await client.completions.create(model=name, prompt=ENDLESS, max_tokens=1_500, stream=True)
            async for _ in stream:
                break
            await stream.close()
            done: list[str] = []
            while not done:
                text = (await client._client.get(metrics)).text
                done = [line for line in text.splitlines() if line.startswith("foretype_edge_done_total{")]
            if not all('reason="stop"' in line or 'reason="length"' in line for line in done):
                break
    assert any(line.startswith('foretype_edge_done_total{cause="cancelled",reason="cancelled"}') for line in done)
