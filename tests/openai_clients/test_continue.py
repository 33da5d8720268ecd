"""Continue's autocomplete and its own OpenAI client (@continuedev/core) complete through real processes.

FORETYPE_OPENAI_CLIENTS names what `scripts/setup_openai_clients.sh` made.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from stack import TOKEN, Stack

BUNDLE = os.environ.get("FORETYPE_OPENAI_CLIENTS", "")
PATIENCE = 60.0
CODE = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    return \n\n\nprint(add(1, 2))\n"

pytestmark = pytest.mark.skipif(not BUNDLE, reason="FORETYPE_OPENAI_CLIENTS names no bundle")


@pytest.fixture
async def stack() -> AsyncIterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="ft-"))
    made = Stack(folder)
    await asyncio.gather(made.worker.start(), made.proxy.start())
    async with aiohttp.ClientSession() as http, asyncio.timeout(PATIENCE):
        while True:
            async with http.get(f"http://127.0.0.1:{made.port}/readyz") as response:
                if response.status == 200:
                    break
    yield made
    await made.stop()
    shutil.rmtree(folder, ignore_errors=True)


async def test_continue_completes_through_its_own_openai_client(stack: Stack) -> None:
    file = stack.folder / "sums.py"
    file.write_text(CODE)
    process = await asyncio.create_subprocess_exec(
        "node",
        BUNDLE,
        f"http://127.0.0.1:{stack.port}/v1/",
        TOKEN,
        "foretype",
        str(file),
        "5",
        "11",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, err.decode()
    said = json.loads(out.splitlines()[-1])  # the lines before are what Continue says of the refusal
    assert said["errors"] == []
    asked = said["sent"][0]
    assert asked["path"] == "/v1/completions"
    assert "<fim_prefix>" in asked["body"]["prompt"]  # its own template, which the door takes apart
    assert asked["body"]["stream"] is True
    assert said["completion"], said
    assert "fim" not in said["completion"]
    assert said["raw"].strip()
    assert "no-such-model" in said["refusal"]
