"""Settings and addresses: what is accepted, and the sentence for what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge_proxy.addresses import parse_listen, parse_worker
from edge_proxy.config import load
from edge_proxy.errors import StartError
from wire_protocol.addresses import TcpAddress, UnixAddress

WORKER = {"workers": ["ws://127.0.0.1:9100"]}


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(text: str) -> Path:
        path = tmp_path / "proxy.toml"
        path.write_text(text)
        return path

    return write


def problem(file: Path | None, flags: dict[str, Any] | None = None) -> str:
    with pytest.raises(StartError) as error:
        load(file, flags or {})
    return str(error.value)


def test_a_worker_is_enough() -> None:
    config = load(None, WORKER)
    assert str(config.listen) == "127.0.0.1:9000"
    assert [worker.url for worker in config.workers] == ["ws://127.0.0.1:9100/v1/session"]


def test_every_key_of_the_file_is_taken(file: Any, tmp_path: Path) -> None:
    config = load(
        file(
            'listen = "0.0.0.0:443"\nworkers = ["wss://gpu:1/x", "unix:/run/w"]\ntoken_file = "tokens"\n'
            'worker_token_file = "/etc/w"\ntls_cert = "c.pem"\ntls_key = "k.pem"\nregion = "eu"\ngrace = 3\n'
            'log_level = "debug"\ninsecure = false\n[limits]\nsessions = 5\n'
        ),
        {},
    )
    assert config.listen == TcpAddress("0.0.0.0", 443)
    assert config.token_file == tmp_path / "tokens"
    assert config.worker_token_file == Path("/etc/w")
    assert (config.region, config.grace, config.log_level, config.limits.sessions) == ("eu", 3.0, "debug", 5)
    assert config.workers[1].unix_path == "/run/w"


def test_flags_go_over_the_file(file: Any) -> None:
    path = file('listen = "127.0.0.1:1"\nworkers = ["ws://a:1"]\n')
    assert str(load(path, {"listen": "127.0.0.1:2"}).listen) == "127.0.0.1:2"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("listen = \n", ["line 1", "not valid TOML"]),
        ("workers = []\nlisen = 1\n", ["line 2", "'lisen'", "did you mean 'listen'"]),
        ("xyzzy = 1\n", ["line 1", "known keys: listen"]),
        ("[limits]\nsesions = 1\n", ["line 2", "'limits.sesions'", "'sessions'"]),
        ("\ngrace = 'long'\n", ["line 2", "grace", "expected"]),
        ("[limits]\n\nin_flight = 0\n", ["line 3", "limits.in_flight", ">= 1"]),
        ("workers = ['ws://a', 3]\n", ["line 1", "workers[", "expected"]),
        ("log_level = 'loud'\n", ["line 1", "log_level"]),
        ("limits = 3\n", ["line 1", "limits"]),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(file: Any, text: str, parts: list[str]) -> None:
    sentence = problem(file(text))
    assert "proxy.toml" in sentence
    assert [part for part in parts if part not in sentence] == []


def test_a_missing_or_binary_file_is_a_sentence(tmp_path: Path) -> None:
    assert "No such file" in problem(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in problem(tmp_path / "binary.toml")


def test_no_worker_is_a_sentence() -> None:
    assert "--worker" in problem(None)


@pytest.mark.parametrize(
    ("listen", "flags", "missing"),
    [
        ("0.0.0.0:1", {}, ["--token-file", "--tls-cert"]),
        ("0.0.0.0:1", {"token_file": "f"}, ["--tls-cert"]),
        ("[::]:1", {"tls_cert": "c", "tls_key": "k"}, ["--token-file"]),
        ("edge.example:1", {}, ["--token-file"]),
    ],
)
def test_an_address_that_others_reach_needs_auth_and_tls(
    listen: str, flags: dict[str, Any], missing: list[str]
) -> None:
    sentence = problem(None, {**WORKER, "listen": listen, **flags})
    assert [word for word in [*missing, "--insecure"] if word not in sentence] == []


def test_insecure_says_so_and_may() -> None:
    assert load(None, {**WORKER, "listen": "0.0.0.0:1", "insecure": True}).listen == TcpAddress("0.0.0.0", 1)


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "localhost:1", "unix:/tmp/x"])
def test_this_machine_alone_needs_neither(listen: str) -> None:
    assert str(load(None, {**WORKER, "listen": listen}).listen) == listen


def test_half_of_tls_is_refused() -> None:
    assert "both" in problem(None, {**WORKER, "tls_cert": "c"})


@pytest.mark.parametrize("text", ["", "9000", "host:", ":9000", "host:port", "host:70000", "unix:", "h:²"])
def test_what_is_no_address_to_listen_on(text: str) -> None:
    with pytest.raises(StartError, match="Cannot listen on"):
        parse_listen(text)


@pytest.mark.parametrize(
    "text", ["", "host:9100", "http://h:1", "ws://", "ws://h:99999", "ws://u:p@h", "ws://h?x=1", "ws://[", "unix:"]
)
def test_what_is_no_workers_address(text: str) -> None:
    with pytest.raises(StartError):
        parse_worker(text)


def test_a_worker_far_away_without_tls_is_noticed() -> None:
    assert parse_worker("ws://gpu1:9100").clear_and_far
    assert not parse_worker("ws://localhost:9100").clear_and_far
    assert not parse_worker("wss://gpu1:9100").clear_and_far
    assert not parse_worker("unix:/run/w").clear_and_far


def test_a_unix_path_is_kept() -> None:
    assert parse_listen("unix:/run/p") == UnixAddress("/run/p")


def test_the_tables_of_the_data_path_are_taken(file: Any, tmp_path: Path) -> None:
    text = (
        'workers = ["ws://a:1"]\nlisten = "127.0.0.1:9"\nprocesses = 2\n[cache]\nbytes = 5\nseconds = 2\n[weights]\n'
        'gold = 3\n[languages]\nrust = "medium"\n[arms.new]\nshare = 0.5\nmodels = ["m"]\n'
        '[redis]\nurl = "redis://h"\nkey_file = "k"\n'
    )
    config = load(file(text), {})
    assert (config.processes, config.cache.bytes, config.weights, config.languages) == (
        2,
        5,
        {"gold": 3.0},
        {"rust": "medium"},
    )
    assert (config.arms["new"].share, config.arms["new"].models) == (0.5, ["m"])
    assert (config.redis.url, config.redis.key_file) == ("redis://h", str(tmp_path / "k"))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[arms.a]\nshare = 0.6\nmodels = ['m']\n[arms.b]\nshare = 0.6\nmodels = ['n']\n", "more than 1 together"),
        ("[redis]\nurl = 'redis://h'\n", "redis.key_file"),
        ("[cache]\nbyte = 1\n", "did you mean 'bytes'"),
        ("[weights]\na = 0\n", ">= 0.01"),
        ("[languages]\nrust = 'huge'\n", "languages"),
    ],
)
def test_mistakes_in_the_tables_are_sentences(file: Any, text: str, part: str) -> None:
    assert part in problem(file('workers = ["ws://a:1"]\n' + text))
