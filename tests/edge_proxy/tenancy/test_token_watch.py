"""Tokens that change while a proxy runs, in a file and in a store; and what holds while they cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_proxy.auth import Gatekeeper
from edge_proxy.errors import StartError
from edge_proxy.tenancy.identity import Identity
from edge_proxy.tenancy.token_file import TokenFile
from edge_proxy.tenancy.token_watch import TokenWatch
from edge_proxy.tenancy.tokens import new_token, revoked


def lets_in(gatekeeper: Gatekeeper, *tokens: str) -> list[bool]:
    return [isinstance(gatekeeper.check(token), Identity) for token in tokens]


async def test_a_token_file_that_was_written_is_read_once_it_rests(tmp_path: Path) -> None:
    file, gatekeeper = tmp_path / "list", Gatekeeper()
    file.write_text("t:stays\nt:goes\n")
    watch = TokenWatch(gatekeeper, file, None)
    stays = gatekeeper.check("stays")
    file.write_text("t:stays\nt:comes\n")
    assert [await watch.look() for _ in range(3)] == [False, True, False]  # seen, read, nothing new
    assert lets_in(gatekeeper, "stays", "goes", "comes") == [True, False, True]
    assert isinstance(stays, Identity)
    assert gatekeeper.knows(stays.credential)


async def test_the_last_token_can_be_taken_out(tmp_path: Path) -> None:
    file, gatekeeper = tmp_path / "list", Gatekeeper()
    file.write_text("t:last\n")
    watch = TokenWatch(gatekeeper, file, None)
    file.write_text("# nobody\n")
    await watch.look()
    await watch.look()
    assert lets_in(gatekeeper, "last") == [False]


async def test_what_was_known_holds_while_it_cannot_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, gatekeeper = tmp_path / "list", Gatekeeper()
    file.write_text("t:word\n")
    store = TokenFile(tmp_path / "tokens.json")
    token, record = new_token("acme", "ada", "", 0, None)
    store.change(lambda records: records.update({record.id: record}))
    watch = TokenWatch(gatekeeper, file, store)
    file.unlink()
    (tmp_path / "tokens.json").write_text("rubbish")
    for _ in range(3):
        await watch.look()
    assert lets_in(gatekeeper, "word", token) == [True, True]
    assert len([line for line in caplog.messages if "The tokens known so far hold." in line]) == 1
    assert token not in caplog.text


async def test_a_store_is_read_when_its_version_changes(tmp_path: Path) -> None:
    store, gatekeeper = TokenFile(tmp_path / "tokens.json"), Gatekeeper()
    watch = TokenWatch(gatekeeper, None, store)
    token, record = new_token("acme", "ada", "", 0, None)
    store.change(lambda records: records.update({record.id: record}))
    assert [await watch.look() for _ in range(2)] == [True, False]
    assert lets_in(gatekeeper, token) == [True]
    store.change(lambda records: records.update({record.id: revoked(record, 1.0)}))
    await watch.look()
    assert lets_in(gatekeeper, token) == [False]


@pytest.mark.parametrize("content", ["", "x" * 9_000])
def test_at_the_start_a_file_that_lets_nobody_in_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "list").write_text(content)
    with pytest.raises(StartError):
        TokenWatch(Gatekeeper(), tmp_path / "list", None)
    os.mkdir(tmp_path / "folder")
    with pytest.raises(StartError, match="cannot be read"):
        TokenWatch(Gatekeeper(), None, TokenFile(tmp_path / "folder"))


@pytest.mark.parametrize("broken", [b"acme:\n", b"\xff\n"])
async def test_a_token_file_that_is_broken_keeps_no_revocation_from_the_store(tmp_path: Path, broken: bytes) -> None:
    file, gatekeeper = tmp_path / "list", Gatekeeper()
    file.write_text("t:word\n")
    store = TokenFile(tmp_path / "tokens.json")
    token, record = new_token("acme", "ada", "", 0, None)
    store.change(lambda records: records.update({record.id: record}))
    watch = TokenWatch(gatekeeper, file, store)
    file.write_bytes(broken)
    await watch.look()
    store.change(lambda records: records.update({record.id: revoked(record, 1.0)}))
    await watch.look()
    assert lets_in(gatekeeper, "word", token) == [True, False]


async def test_a_store_that_is_no_text_is_a_sentence_and_what_was_known_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gatekeeper, store = Gatekeeper(), TokenFile(tmp_path / "tokens.json")
    token, record = new_token("acme", "ada", "", 0, None)
    store.change(lambda records: records.update({record.id: record}))
    watch = TokenWatch(gatekeeper, None, store)
    (tmp_path / "tokens.json").write_bytes(b'{"tokens": [{"id": "\xff"}]}')
    await watch.look()
    assert lets_in(gatekeeper, token) == [True]
    assert "is not a file of" in caplog.text
