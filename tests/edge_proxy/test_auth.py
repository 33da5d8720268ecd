"""Token files, and what is kept of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.auth import Identity, TokenList, load_tokens, load_worker_token, parse_tokens
from edge_proxy.errors import StartError


def test_names_are_tenants_and_comments_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("# team tokens\n\nteam: one \nteam:two\nthree\n")
    tokens = load_tokens(path)
    assert tokens.check("one") == tokens.check("two") == Identity("team")
    assert tokens.check("three") == Identity("line-5")
    assert tokens.check("team: one") is None


def test_no_token_stays_in_memory() -> None:
    tokens = TokenList([("team", "hunter2")])
    assert "hunter2" not in repr(vars(tokens))
    assert b"hunter2" not in b"".join(hashed for hashed, _ in tokens._hashes)


@given(st.text(max_size=20), st.text(max_size=20))
def test_only_the_token_itself_is_accepted(token: str, offered: str) -> None:
    assert (TokenList([("t", token)]).check(offered) is not None) == (token == offered)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "name:\n", ":token\n", "x" * 9_000])
def test_a_file_that_lets_nobody_in_is_refused(text: str) -> None:
    with pytest.raises(StartError) as error:
        parse_tokens(text, Path("tokens"))
    assert "tokens" in str(error.value)
    assert "xxx" not in str(error.value)


def test_an_unreadable_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="No such file"):
        load_tokens(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(StartError, match="not UTF-8"):
        load_tokens(tmp_path / "binary")


def test_the_workers_token_is_the_files_only_word(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret\n")
    assert load_worker_token(path) == "secret"
    path.write_text("two words\n")
    with pytest.raises(StartError, match="exactly one"):
        load_worker_token(path)
