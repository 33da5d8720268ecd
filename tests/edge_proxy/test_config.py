"""Settings and addresses: what is accepted, and the sentence for what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge_proxy.addresses import parse_listen, parse_worker
from edge_proxy.config import load
from edge_proxy.errors import StartError
from edge_proxy.tenancy.allowances import Allowance
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
        ("workers = []\nlisen = 1\n", ["line 2", "lisen: unknown key", "did you mean 'listen'"]),
        ("xyzzy = 1\n", ["line 1", "known keys: listen"]),
        ("[limits]\nsesions = 1\n", ["line 2", "limits.sesions", "'sessions'"]),
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
        ("0.0.0.0:1", {}, ["--token-file", "--tokens", "[jwt]", "--tls-cert"]),
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


def test_tenants_have_allowances_for_all_and_for_each_user(file: Any) -> None:
    text = (
        'workers = ["ws://a:1"]\n[tenants.acme]\nconcurrent = 8\ntokens_per_day = 1000\n'
        "[tenants.acme.users]\nrequests_per_second = 2.5\n"
    )
    policy = load(file(text), {}).tenants["acme"]
    assert policy.tenant == Allowance(concurrent=8, tokens_per_day=1000)
    assert policy.user == Allowance(requests_per_second=2.5)
    assert policy.log_prompts_until == 0.0


JWT = '[jwt]\nissuer = "https://id"\naudience = ["a"]\ntenant = "t"\n'


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (JWT.replace("https", "http"), "proxy.toml, line 3: 'http://id' should be an https:// address"),
        (JWT.replace("https://id", "https://["), "line 3: 'https://['"),
        (JWT + 'keys_url = "http://far/keys"\n', "line 6: 'http://far/keys' should be"),
        (JWT.replace('tenant = "t"\n', ""), "either `tenant`"),
        (JWT + 'tenant_claim = "org"\n', "either `tenant`"),
        (JWT.replace('audience = ["a"]\n', ""), "line 2: The table [jwt] needs `audience`"),
        (JWT.replace('issuer = "https://id"\n', ""), "needs `issuer`"),
        (JWT + 'algorithms = ["HS256"]\n', "line 6: jwt.algorithms[0]: invalid enum value 'HS256'"),
        (JWT + 'algorithms = ["none"]\n', "invalid enum value 'none'"),
        (JWT + "skew = 3600\n", "<= 300"),
        ('[tenants."*"]\nlog_prompts_until = 2026-01-01T00:00:00Z\n', "never for all"),
        (
            "[tenants.a]\nlog_prompts_until = 2999-01-01T00:00:00Z\n",
            "line 3: log_prompts_until is more than 31 days ahead",
        ),
        ("[tenants.a]\nlog_prompts_until = 2026-01-01T00:00:00\n", "line 3: tenants.a.log_prompts_until"),
        ("[tenants.a]\nconcurrent = 0\n", "line 3: tenants.a.concurrent"),
        ('origins = ["example.org"]\n', "line 2: 'example.org' in `origins`"),
        ('origins = ["https://["]\n', "write https://HOST"),
        ('listen = "nowhere"\n', "line 2: Cannot listen on 'nowhere'"),
        ('listen = "0.0.0.0:1"\n', "line 2: 0.0.0.0:1 can be reached"),
        ('[redis]\nurl = "redis://h"\n', "line 2: A shared cache needs"),
        ('worker_cert = "c"\n', "needs its key"),
    ],
)
def test_mistakes_about_who_may_come_in_are_sentences(file: Any, text: str, part: str) -> None:
    assert part in problem(file('workers = ["ws://a:1"]\n' + text))


def test_tokens_given_out_or_signed_ones_are_auth_too(file: Any) -> None:
    for auth in ('tokens = "t.json"\n', JWT):
        text = f'workers = ["unix:/w"]\nlisten = "0.0.0.0:1"\ntls_cert = "c"\ntls_key = "k"\n{auth}'
        assert load(file(text), {}).has_auth


def test_stores_are_the_files_neighbours_unless_they_are_in_redis(file: Any, tmp_path: Path) -> None:
    config = load(file('workers = ["unix:/w"]\ntokens = "t.json"\nusage = "redis://h/0"\n'), {})
    assert (config.tokens, config.usage) == (str(tmp_path / "t.json"), "redis://h/0")


def test_the_example_in_the_documentation_is_right(tmp_path: Path) -> None:
    (tmp_path / "proxy.toml").write_text((Path(__file__).parents[2] / "edge_proxy" / "proxy.example.toml").read_text())
    config = load(tmp_path / "proxy.toml", {})
    assert config.has_auth
    assert set(config.tenants) == {"*", "acme"}


def test_a_price_of_no_worker_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "proxy.toml"
    file.write_text('workers = ["ws://a:1"]\n[cost.workers]\n"ws://a:1" = 1.0\n"ws://b:1" = 2.0\n')
    sentence = problem(file)
    assert ("'ws://b:1'" in sentence, "line 4" in sentence) == (True, True)
