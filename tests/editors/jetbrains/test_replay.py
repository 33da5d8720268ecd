"""A whole session as LSP4IJ has it: the template's command, the real server, the starter model; no IDE."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from tests.editors.jetbrains.lsp4ij import Ide, cut, units
from tests.editors.jetbrains.template import command, load

FOLDER = Path(__file__).parents[3] / "editors" / "jetbrains" / "foretype"
CODE = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n"
ENDS_WITHIN_S = 10.0
COUNTED = 4
"""Characters in one edit by which the server sees that a suggestion was accepted, where nothing tells it."""


@pytest.fixture(scope="module")
def machine() -> Iterator[Path]:
    """A user's folders, shared by the sessions of this file as by an IDE's windows; its local model ends after."""
    pytest.importorskip("llama_cpp", reason="the local model needs llama-cpp-python: run `make setup`.")
    if shutil.which("sh") is None:
        pytest.skip("The template's command needs sh.")
    folder = Path(tempfile.mkdtemp(prefix="ft-"))
    yield folder
    ours = [process for process in psutil.process_iter() if _of(process, folder)]
    for process in ours:
        process.terminate()
    psutil.wait_procs(ours, timeout=ENDS_WITHIN_S)
    shutil.rmtree(folder, ignore_errors=True)


def _of(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get("FORETYPE_RUNTIME_DIR") == str(folder / "run")
    except psutil.Error:
        return False


@asynccontextmanager
async def ide(machine: Path, code: str = CODE, name: str = "sums.py", language: str = "python") -> AsyncIterator[Ide]:
    """The IDE with `code` open and the cursor at its │, else at its end."""
    marked = code if "│" in code else code + "│"
    before, _, after = marked.partition("│")
    path = machine / name
    path.write_bytes((before + after).encode())
    (machine / "config.toml").touch()
    template = load(FOLDER)
    opened = Ide(path, language, before + after, units(before.replace("\r\n", "\n")))
    await opened.start(
        command(template, "linux"),
        template.initialization_options,
        template.settings,
        {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "FORETYPE_CONFIG": str(machine / "config.toml"),
            "FORETYPE_RUNTIME_DIR": str(machine / "run"),
            "FORETYPE_STATE_DIR": str(machine / "state"),
        },
    )
    yield opened
    await opened.stop()


async def until_shown(session: Ide) -> str:
    """Type lines of code, pausing at each key, until something of four characters or more is shown."""
    for _ in range(10):
        for key in "    return a + b\n":
            session.type(key)
            shown = await session.pause()
            if shown is not None and len(shown.text) >= COUNTED:
                return shown.text
    raise AssertionError("a hundred and fifty pauses, and nothing was shown")


async def test_what_is_shown_is_inserted_exactly_and_once(machine: Path) -> None:
    async with ide(machine) as session:
        text = await until_shown(session)
        before, after = cut(session.text, 0, session.cursor), cut(session.text, session.cursor)
        session.tab()
        assert session.text == before + text + after


async def test_each_item_is_a_pure_insertion_without_a_command(machine: Path) -> None:
    async with ide(machine) as session:
        await until_shown(session)
        for item in session.received:
            assert item.command is None
            assert item.range is not None
            assert item.range.start == item.range.end


async def test_behind_emoji_the_range_is_where_the_ide_has_its_cursor(machine: Path) -> None:
    async with ide(machine, CODE + '    faces = "😀😀😀"; ', "faces.py") as session:
        text = await until_shown(session)
        item = session.received[-1]
        assert item.range is not None
        line = cut(session.text, 0, session.cursor).rpartition("\n")[2]
        assert item.range.start.character == units(line)
        before = session.text
        session.tab()
        assert session.text == before + text


async def test_in_the_same_line_as_emoji_nothing_is_shifted(machine: Path) -> None:
    async with ide(machine, CODE + "    # 😀 ", "line.py") as session:
        for key in "the sum of the first":
            session.type(key)
            if await session.pause() is not None:
                place = session.received[-1].range
                assert place is not None
                assert place.start.character == units(session.text.rpartition("\n")[2])
        assert session.received


async def test_a_file_with_crlf_gets_no_carriage_return(machine: Path) -> None:
    async with ide(machine, CODE.replace("\n", "\r\n"), "windows.py") as session:
        assert "\r" not in session.text
        assert "\r" not in await until_shown(session)
        session.tab()
        assert "\r" not in session.text


async def test_in_the_middle_of_a_line_nothing_behind_the_cursor_is_doubled(machine: Path) -> None:
    async with ide(machine, CODE + "    print(│)\n", "middle.py") as session:
        for key in "add(a, b) + subtract(a, b":
            session.type(key)
            if await session.pause() is not None:
                break
        tail = cut(session.text, session.cursor)
        if session.shown is not None:
            session.tab()
        assert session.text.endswith(tail)
        assert "))\n" not in session.text.removesuffix(tail) + tail


async def test_the_accept_that_nothing_reports_is_counted_all_the_same(machine: Path) -> None:
    async with ide(machine) as session:
        await until_shown(session)
        session.tab()
        await session.pause()
        assert (await session.stats())["accepted_inferred"] == 1


async def test_while_typing_faster_than_the_quiet_time_nothing_is_asked(machine: Path) -> None:
    async with ide(machine) as session:
        for key in "    first = a":
            session.type(key)
        assert session.requests == 0
        await session.pause()
        assert session.requests == 1
