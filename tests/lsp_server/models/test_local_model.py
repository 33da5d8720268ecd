"""A model of the store as the local model: what the source, so `complete` and the log, say if it cannot be used."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server import doctor
from lsp_server.models.store import Record, Store
from lsp_server.settings import LocalSettings, Settings
from lsp_server.sources.base import SourceRequest, SourceUnavailableError
from lsp_server.sources.local import LocalSource
from wire_protocol.frames import Context

ASK = SourceRequest(id=1, doc="d", context=Context(before="a"), max_tokens=4, kind="invoked", give_up_ms=20_000)
TOO_LITTLE = "foretype-worker: big.gguf needs about 9.0 GiB and 2.0 are free: choose a smaller model."


@pytest.fixture
def short(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's folders, with a runtime folder short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="ft") as folder:
        monkeypatch.setenv("FORETYPE_RUNTIME_DIR", folder)
        yield home


def put(name: str, **more: object) -> None:
    store = Store.of_user()
    store.prepare()
    part = store.part(name, "ab" * 32)
    part.write_bytes(b"GGUF")
    values: dict[str, object] = {
        "name": name, "file": f"{name}.gguf", "repo": "o/r", "revision": "c", "path_in_repo": f"{name}.gguf",
        "sha256": "ab" * 32, "bytes": 4, "licence": "MIT", "licence_url": "", "accepted": "", "pulled": "", "fim": True,
    }  # fmt: skip
    store.keep(part, Record(**{**values, **more}))  # type: ignore[arg-type]


async def what_it_says(source: LocalSource) -> str:
    """Why the source cannot answer."""
    await source.start()
    try:
        with pytest.raises(SourceUnavailableError) as refusal:
            async for _ in source.generate(ASK):
                pass
    finally:
        await source.close()
    return str(refusal.value)


async def test_an_unknown_name_says_where_names_come_from(short: Path) -> None:
    said = await what_it_says(LocalSource("qwen2.5-coder-1.5b"))
    assert "no model `qwen2.5-coder-1.5b` on this machine" in said
    assert "foretype-lsp models list" in said
    assert "foretype-lsp models pull qwen2.5-coder-1.5b" in said


async def test_a_model_larger_than_the_memory_is_not_started(short: Path, caplog: pytest.LogCaptureFixture) -> None:
    put("big", layers=10_000, kv_width=1_000_000)
    with caplog.at_level(logging.WARNING):
        said = await what_it_says(LocalSource("big"))
    assert "The model big needs about" in said
    assert "set local.model to a smaller one" in said
    assert any("needs about" in record.getMessage() for record in caplog.records)
    assert not list((short / "state").glob("worker-*.log"))


@pytest.mark.skipif(sys.platform == "win32", reason="starts a POSIX program")
async def test_what_the_worker_says_of_its_model_is_passed_on_as_one_sentence(short: Path) -> None:
    refuse = [sys.executable, "-c", f"import sys; print({TOO_LITTLE!r}); sys.exit(2)"]
    said = await what_it_says(LocalSource("starter", command=refuse, environ=dict(os.environ)))
    assert said == f"The local model cannot be used: {TOO_LITTLE.removeprefix('foretype-worker: ')}"


async def test_doctor_names_the_store_and_what_to_do_about_a_name_that_is_not_there(short: Path) -> None:
    settings = Settings(local=LocalSettings(model="nothing"))
    (finding,) = [finding async for finding in doctor.check_local(settings, 5.0)]
    assert (finding.level, "foretype-lsp models list" in finding.what) == ("fail", True)


def test_the_language_server_does_not_load_the_hub_library() -> None:
    code = "import sys, lsp_server.serve; print(sorted({'huggingface_hub', 'httpx2', 'tqdm'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_doctor_says_what_the_store_holds(home: Path) -> None:
    assert "empty" in doctor.check_store().what
    put("one")
    assert doctor.check_store().level == "ok"
    assert "one (0.0 MiB)" in doctor.check_store().what
    Store.of_user().part("half", "cd" * 32).write_bytes(b"x")
    assert doctor.check_store().level == "warn"
    assert "models remove half" in doctor.check_store().do
