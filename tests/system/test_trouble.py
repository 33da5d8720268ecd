"""What goes wrong at a user's: a clear sentence each, and the editor session goes on."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from pathlib import Path

import pytest
from aiohttp import web
from stack import Stack, run_command

from lsp_server.demo.buffer import Buffer
from lsp_server.demo.editor import Editor


def said(stack: Stack) -> str:
    """Everything the language server told its user: messages to the editor and its log file."""
    logs = [path.read_text(encoding="utf-8", errors="replace") for path in (stack.folder / "state").rglob("*.log*")]
    return "\n".join([*stack.editor.logged, *logs])


def assert_sentence(text: str, *words: str) -> None:
    """`text` has a line with all of `words`, and no traceback anywhere."""
    assert "Traceback" not in text
    assert any(all(re.search(word, line, re.IGNORECASE) for word in words) for line in text.splitlines()), text


async def test_bad_settings_are_named_and_the_rest_holds(stack: Stack) -> None:
    stack.configure(urls=[], more='debounce_ms = "soon"\nlanguges = ["python"]\n')
    await stack.start_editor()
    await stack.until_suggested_by("local")
    assert_sentence(said(stack), "debounce_ms", "soon")
    assert_sentence(said(stack), "languges", "languages")


async def test_settings_that_are_no_toml_are_named_with_their_line(stack: Stack) -> None:
    (stack.folder / "config.toml").write_text("[edge\nurls = 3\n")
    await stack.start_editor()
    await stack.until_suggested_by("local")
    assert_sentence(said(stack), r"config\.toml", "line 1|:1")


async def test_a_missing_model_file_is_said_and_the_session_goes_on(stack: Stack) -> None:
    (stack.folder / "config.toml").write_text(f'[local]\nmodel = "{stack.folder}/none.gguf"\n')
    await stack.start_editor()
    assert await stack.editor.until_state("error", 30)
    assert await stack.typed("\n    x = a") == [None] * 10
    assert_sentence(said(stack), r"none\.gguf")


async def test_a_wrong_token_is_said_and_the_local_model_answers(stack: Stack) -> None:
    stack.configure(token="wrong")
    await stack.worker.start()
    await stack.proxy.start()
    await stack.start_editor()
    await stack.until_suggested_by("local")
    assert_sentence(said(stack), "token")


async def test_an_edge_that_speaks_another_protocol_is_said_and_the_local_model_answers(stack: Stack) -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="<html>hello</html>")

    app = web.Application()
    app.router.add_get("/v1/session", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", stack.port).start()
    try:
        await stack.start_editor()
        await stack.until_suggested_by("local")
    finally:
        await runner.cleanup()
    assert_sentence(said(stack), "edge", "instead of opening a session")


@pytest.mark.parametrize(
    "command",
    [
        ["edge_proxy", "--worker", "ws://127.0.0.1:9"],
        ["gpu_worker", "--engine", "llama", "--model", "starter"],
    ],
    ids=["proxy", "worker"],
)
async def test_a_port_in_use_is_one_sentence(stack: Stack, command: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", stack.port))
        taken.listen()
        code, _, err = await run_command(*command, "--listen", f"127.0.0.1:{stack.port}", environment={})
    assert code == 2
    assert_sentence(err, str(stack.port), "in use")


async def test_a_worker_without_its_model_file_says_so(stack: Stack) -> None:
    code, _, err = await run_command(
        "gpu_worker", "--engine", "llama", "--model", f"{stack.folder}/none.gguf", environment={}
    )
    assert code == 2
    assert_sentence(err, r"none\.gguf")


async def test_a_public_address_needs_tokens_and_tls(stack: Stack) -> None:
    for module, more in (("edge_proxy", ["--worker", "ws://127.0.0.1:9"]), ("gpu_worker", ["--model", "starter"])):
        code, _, err = await run_command(module, *more, "--listen", f"0.0.0.0:{stack.port}", environment={})
        assert code == 2
        assert_sentence(err, "token", "tls", "--insecure")


async def other_document(stack: Stack, uri: str, language: str, text: str) -> Editor:
    """Another editor session whose document is `text`, after the first key in it was answered."""
    editor = Editor(uri, language, Buffer(text, len(text)))
    await editor.start(environment=stack.environment)
    stack.editor.logged.extend(editor.logged)
    return editor


@pytest.mark.parametrize(
    ("text", "words"),
    [("x = 1\n" * 8_500_000, ["51,000,000 characters"]), ("\x00\x01\x02PNG" * 100, ["binary"])],
    ids=["50 MB", "binary"],
)
async def test_a_document_that_cannot_be_completed_is_said_once(stack: Stack, text: str, words: list[str]) -> None:
    stack.configure(urls=[])
    editor = await other_document(stack, (stack.folder / "data.py").as_uri(), "python", text)
    try:
        assert await asyncio.wait_for(editor.press("y"), 30) is None
    finally:
        await editor.stop()
    logged = said(stack) + "\n".join(editor.logged)
    assert_sentence(logged, *words)


async def test_an_unsaved_buffer_gets_suggestions(stack: Stack) -> None:
    stack.configure(urls=[])
    text = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    "
    editor = await other_document(stack, "untitled:Untitled-1", "python", text)
    try:
        async with asyncio.timeout(60):
            while (suggestion := await editor.press("r")) is None:
                await editor.press("\n")
        assert suggestion.source in ("local", "cache")  # there is no edge
    finally:
        await editor.stop()


async def without_network() -> list[str]:
    """What to put before a command to run it in a network namespace with nothing in it; empty where users may not."""
    prefix = ["unshare", "-rn"]
    if shutil.which(prefix[0]) is None:
        return []
    probe = await asyncio.create_subprocess_exec(*prefix, "true", stderr=asyncio.subprocess.DEVNULL)
    return prefix if await probe.wait() == 0 else []


async def test_complete_prints_a_suggestion_without_network(folder: Path) -> None:
    code = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    return a"
    (folder / "sums.py").write_text(code)
    environment = {
        "FORETYPE_CONFIG": str(folder / "none.toml"),
        "FORETYPE_RUNTIME_DIR": str(folder / "run"),
        "FORETYPE_STATE_DIR": str(folder / "state"),
    }
    place = f"{folder / 'sums.py'}:6:13"
    status, out, err = await run_command(
        "lsp_server", "complete", place, environment=environment, prefix=await without_network(), seconds=90
    )
    assert status == 0, err
    assert out.strip()
    assert "source local" in err
