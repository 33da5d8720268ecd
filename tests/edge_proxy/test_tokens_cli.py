"""`foretype-proxy tokens` and `check`: what they print, and the sentence for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_proxy.cli import main
from edge_proxy.tenancy.identity import Identity
from edge_proxy.tenancy.token_file import TokenFile
from edge_proxy.tenancy.tokens import KnownTokens
from edge_proxy.tokens_cli import main as tokens


@pytest.fixture
def store(tmp_path: Path) -> list[str]:
    return ["--store", str(tmp_path / "tokens.json")]


def create(store: list[str], *more: str) -> None:
    assert main(["tokens", "create", *store, "--tenant", "acme", *more]) == 0


def test_a_token_is_shown_once_and_alone_on_the_output(
    store: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create(store, "--user", "ada", "--expires", "30d")
    shown = capsys.readouterr()
    token = shown.out.strip()
    checked = KnownTokens(TokenFile(tmp_path / "tokens.json").read().values()).check(token, 0.0)
    assert isinstance(checked, Identity)
    assert (checked.tenant, checked.user) == ("acme", "ada")
    assert token not in shown.err
    assert main(["tokens", "list", *store]) == 0
    listed = capsys.readouterr().out
    assert "ada" in listed
    assert token not in listed


def test_the_list_for_programs_has_no_hashes(store: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    create(store, "--name", "[red]laptop[/]")
    assert main(["tokens", "list", *store]) == 0
    assert "[red]laptop[/]" in capsys.readouterr().out
    capsys.readouterr()
    assert main(["tokens", "list", *store, "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["name"] == "[red]laptop[/]"
    assert "hash" not in record


@pytest.mark.parametrize(
    ("written", "expires"),
    [("2h", 1_000 + 7_200), ("3d", 1_000 + 259_200), ("1w", 1_000 + 604_800), ("1970-01-02", 86_400)],
)
def test_an_end_is_a_span_or_a_date(store: list[str], tmp_path: Path, written: str, expires: int) -> None:
    assert tokens(["create", *store, "--tenant", "t", "--expires", written], wall=lambda: 1_000.0) == 0
    (record,) = TokenFile(tmp_path / "tokens.json").read().values()
    assert record.expires == expires


def test_all_tokens_of_a_person_are_revoked_together(
    store: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for user in ("ada", "ada", "bob"):
        create(store, "--user", user)
    assert main(["tokens", "revoke", *store, "--tenant", "acme", "--user", "ada"]) == 0
    assert "within 5 seconds" in capsys.readouterr().out
    records = TokenFile(tmp_path / "tokens.json").read().values()
    assert sorted((record.user, record.revoked is None) for record in records) == [
        ("ada", False),
        ("ada", False),
        ("bob", True),
    ]


def test_ids_that_are_not_there_revoke_nothing(
    store: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create(store)
    (record,) = TokenFile(tmp_path / "tokens.json").read().values()
    assert main(["tokens", "revoke", *store, record.id, "nonsense"]) == 2
    assert "no token nonsense" in capsys.readouterr().err
    assert TokenFile(tmp_path / "tokens.json").read()[record.id].revoked is None


def test_the_settings_say_where_tokens_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "proxy.toml"
    config.write_text('tokens = "here.json"\n')
    create(["--config", str(config)])
    assert (tmp_path / "here.json").exists()
    config.write_text("")
    assert main(["tokens", "list", "--config", str(config)]) == 2
    assert "set `tokens`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["create", "--tenant", "t", "--expires", "1970-01-01"], "over already"),
        (["list", "--store", "redis://127.0.0.1:1/0"], "does not answer"),
        (["list", "--store", "redis://:part/of-a-password@h"], "not usable: write redis://"),
    ],
)
def test_mistakes_are_sentences_without_a_traceback(
    store: list[str], arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tokens", *arguments, *([] if "--store" in arguments else store)]) == 2
    errors = capsys.readouterr().err
    assert part in errors
    assert "Traceback" not in errors
    assert "part" not in errors.replace(part, "")


def test_check_says_what_the_proxy_would_do_and_where_a_mistake_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "proxy.toml"
    config.write_text('workers = ["unix:/w"]\ntokens = "tokens.json"\n')
    assert main(["check", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert [word for word in (str(config), "good", "unix:/w", "tokens given out") if word not in said] == []
    config.write_text('workers = ["unix:/w"]\n\nregoin = "eu"\n')
    assert main(["check", "--config", str(config)]) == 2
    assert "line 3: regoin: unknown key; did you mean 'region'?" in capsys.readouterr().err
    assert main(["check", "--worker", "unix:/w", "--token-file", "/nowhere"]) == 2
    assert "token file /nowhere cannot be read" in capsys.readouterr().err
