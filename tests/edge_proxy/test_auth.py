"""Token files, and what is kept of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.auth import Identity, Refused, TokenList, load_worker_token, parse_tokens, read_text
from edge_proxy.errors import StartError


def test_names_are_tenants_and_comments_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("# team tokens\n\nteam: one \nteam:two\nthree\n")
    tokens = TokenList(parse_tokens(path.read_text(), path))
    found = [tokens.check(token) for token in ("one", "two", "three")]
    assert [(who.tenant, who.user) for who in found if isinstance(who, Identity)] == [
        ("team", ""),
        ("team", ""),
        ("line-5", ""),
    ]
    assert isinstance(tokens.check("team: one"), Refused)


def test_no_token_stays_in_memory() -> None:
    tokens = TokenList([("team", "hunter2")])
    assert "hunter2" not in repr(vars(tokens))
    assert b"hunter2" not in b"".join(tokens._identities)


@given(st.text(max_size=20), st.text(max_size=20))
def test_only_the_token_itself_is_accepted(token: str, offered: str) -> None:
    assert isinstance(TokenList([("t", token)]).check(offered), Identity) == (token == offered)


def test_a_list_read_again_knows_the_tokens_that_stayed() -> None:
    before = TokenList([("t", "stays"), ("t", "goes")])
    after = TokenList([("t", "stays")], before.key)
    known = {token: after.knows(getattr(before.check(token), "credential", "")) for token in ("stays", "goes")}
    assert known == {"stays": True, "goes": False}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "name:\n", ":token\n", "x" * 9_000])
def test_a_file_that_lets_nobody_in_is_refused(text: str) -> None:
    with pytest.raises(StartError) as error:
        parse_tokens(text, Path("tokens"))
    assert "tokens" in str(error.value)
    assert "xxx" not in str(error.value)


def test_an_unreadable_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="No such file"):
        read_text(tmp_path / "none", "token file")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(StartError, match="not UTF-8"):
        read_text(tmp_path / "binary", "token file")


def test_the_workers_token_is_the_files_only_word(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret\n")
    assert load_worker_token(path) == "secret"
    path.write_text("two words\n")
    with pytest.raises(StartError, match="exactly one"):
        load_worker_token(path)
