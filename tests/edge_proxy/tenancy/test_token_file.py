"""The file of tokens: whole, private, and shared by several writers without losing a change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_proxy import atomic_file
from edge_proxy.tenancy.token_file import TokenFile
from edge_proxy.tenancy.token_store import StoreError
from edge_proxy.tenancy.tokens import TokenRecord

WRITER = """
import sys
from pathlib import Path
from edge_proxy.tenancy.token_file import TokenFile
from edge_proxy.tenancy.tokens import TokenRecord
for number in range(20):
    id = f"{sys.argv[2]}{number}"
    TokenFile(Path(sys.argv[1])).change(lambda records: records.update({id: TokenRecord(id=id, hash=id, tenant="t")}))
"""


def record(id: str) -> TokenRecord:
    return TokenRecord(id=id, hash=f"hash-{id}", tenant="acme")


def test_what_is_written_is_read_and_only_its_owner_may(tmp_path: Path) -> None:
    store = TokenFile(tmp_path / "tokens.json")
    assert store.read() == {}
    store.change(lambda records: records.update({"a": record("a")}))
    assert TokenFile(tmp_path / "tokens.json").read() == {"a": record("a")}
    assert (tmp_path / "tokens.json").stat().st_mode & 0o777 == 0o600


def test_a_change_changes_the_version_and_a_read_does_not(tmp_path: Path) -> None:
    store = TokenFile(tmp_path / "tokens.json")
    versions = [store.version()]
    for id in ("a", "b"):
        store.change(lambda records, id=id: records.update({id: record(id)}))  # type: ignore[misc]
        versions.append(store.version())
    store.read()
    assert len(set(versions)) == 3
    assert store.version() == versions[-1]


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(file), name]) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(TokenFile(file).read()) == 60


def test_an_edit_that_fails_leaves_the_file_and_no_rubbish(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    store = TokenFile(file)
    store.change(lambda records: records.update({"a": record("a")}))

    def fails(_: dict[str, TokenRecord]) -> None:
        raise KeyError("no")

    with pytest.raises(KeyError):
        store.change(fails)
    assert store.read() == {"a": record("a")}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokens.json", "tokens.json.lock"]


def test_a_full_disk_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "f"
    atomic_file.change(file, lambda _: b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic_file.change(file, lambda _: b"new")
    assert file.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "f.lock"]


def test_what_is_no_file_of_tokens_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("team:secret-word\n")
    with pytest.raises(StoreError, match="token_file") as error:
        TokenFile(tmp_path / "list").read()
    assert "secret-word" not in str(error.value)
    with pytest.raises(StoreError, match="cannot be written"):
        TokenFile(tmp_path / "list" / "t.json").change(lambda records: None)
