"""The administrator's policy: it takes away, gives nothing, and closes when it is broken."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.privacy.policy import Policy, load_policy, policy_file, read_policy
from lsp_server.settings import Loaded, load_settings

EDGE = "wss://edge.example.com/v1/session"
OTHER = "wss://other.example.org/v1/session"
USER = {"FORETYPE_EDGE_URLS": f"{EDGE},{OTHER}", "FORETYPE_TELEMETRY_ENABLED": "1", "FORETYPE_CONFIG": ""}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


def loaded(file: Path, text: str | None = None, **environ: str) -> Loaded:
    if text is not None:
        file.write_text(text)
    return load_settings(environ={**USER, "XDG_CONFIG_HOME": str(file.parent), **environ}, policy_file=file)


def test_without_a_file_nothing_is_forbidden(file: Path) -> None:
    assert loaded(file).settings.edge.urls == (EDGE, OTHER)
    assert loaded(file).policy == Policy()


def test_local_only_takes_every_edge_away(file: Path) -> None:
    settings = loaded(file, 'only = "local"\n').settings
    assert settings.edge.urls == ()
    assert settings.local.enabled


def test_edge_only_switches_the_local_model_off(file: Path) -> None:
    settings = loaded(file, 'only = "edge"\n', FORETYPE_LOCAL_ENABLED="1").settings
    assert not settings.local.enabled
    assert settings.edge.urls == (EDGE, OTHER)


def test_telemetry_off_stays_off(file: Path) -> None:
    assert loaded(file).settings.telemetry.enabled
    assert not loaded(file, "telemetry = false\n").settings.telemetry.enabled


def test_telemetry_is_not_switched_on_by_a_policy(file: Path) -> None:
    assert not loaded(file, "telemetry = true\n", FORETYPE_TELEMETRY_ENABLED="0").settings.telemetry.enabled


def test_only_the_allowed_hosts_are_used_and_the_others_are_named(file: Path) -> None:
    found = loaded(file, 'allowed_edge_hosts = ["*.example.com"]\n')
    assert found.settings.edge.urls == (EDGE,)
    assert [problem.key for problem in found.problems] == ["edge.urls"]
    assert "other.example.org" in str(found.problems[0])


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("wss://a.example.com/v1/session", True),
        ("wss://A.Example.COM.:443/x", True),
        ("wss://b.a.example.com", True),
        ("wss://example.com", False),
        ("wss://evil-example.com", False),
        ("wss://a.example.com.evil.org", False),
        ("wss://evil.org/a.example.com", False),
        ("wss://evil.org?x=a.example.com", False),
        ("wss://10.0.0.1", True),
        ("wss://10.0.0.11", False),
        ("wss://[::1]:9", True),
        ("wss://[", False),
    ],
)
def test_a_host_is_allowed_by_its_whole_name(url: str, allowed: bool) -> None:
    assert Policy(hosts=("*.example.com", "10.0.0.1", "::1")).allows_url(url) is allowed


def test_forbidden_paths_reach_the_settings_whatever_else_is_set(file: Path) -> None:
    assert loaded(file, 'forbidden_paths = ["/srv/**"]\n').settings.forbidden == ("/srv/**",)


@pytest.mark.parametrize(
    "text",
    [
        "only = \n",
        'only = "nobody"\n',
        'forbiden_paths = ["/srv/**"]\n',
        "telemetry = 0\n",
        'allowed_edge_hosts = "edge.example.com"\n',
        'allowed_edge_hosts = ["https://edge.example.com/"]\n',
        'allowed_edge_hosts = ["*"]\n',
        'forbidden_paths = [""]\n',
        "a" * 300_000,
        "[[[[" * 1_000,
    ],
    ids=[
        "no TOML",
        "no such source",
        "misspelt",
        "a number",
        "no list",
        "an address",
        "any host",
        "empty",
        "huge",
        "deep",
    ],
)
def test_a_broken_policy_allows_no_edge_and_says_so(file: Path, text: str) -> None:
    found = loaded(file, text)
    assert found.settings.edge.urls == ()
    assert not found.settings.telemetry.enabled
    assert found.settings.local.enabled
    [problem] = found.problems
    assert str(file) in str(problem)
    assert "no edge is used" in str(problem)
    assert "\n" not in str(problem)


def test_a_policy_that_cannot_be_read_allows_no_edge(file: Path) -> None:
    file.mkdir()
    assert loaded(file).settings.edge.urls == ()
    file.rmdir()
    file.write_bytes(b"\xff\xfe")
    assert loaded(file).settings.edge.urls == ()
    file.unlink()
    os.mkfifo(file)
    assert loaded(file).settings.edge.urls == ()


def test_a_person_can_add_a_policy_but_replace_none(file: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('allowed_edge_hosts = ["*.example.org", "edge.example.com"]\n')
    text = 'allowed_edge_hosts = ["*.example.com"]\ntelemetry = false\nforbidden_paths = ["/srv/**"]\n'
    found = loaded(file, text, FORETYPE_POLICY=str(mine))
    assert found.settings.edge.urls == (EDGE,)
    assert found.settings.forbidden == ("/srv/**",)
    assert found.policy.files == (str(file), str(mine))
    assert loaded(file, FORETYPE_POLICY=str(tmp_path / "missing")).settings.edge.urls == ()


def test_the_place_of_the_file_depends_on_no_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = policy_file()
    for name in ("XDG_CONFIG_DIRS", "PROGRAMDATA", "ProgramData", "HOME", "FORETYPE_POLICY", "FORETYPE_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path))
    assert policy_file() == before
    if sys.platform == "linux":
        assert before == Path("/etc/foretype/policy.toml")


POLICIES = st.builds(
    Policy,
    edge=st.booleans(),
    local=st.booleans(),
    telemetry=st.booleans(),
    hosts=st.none() | st.lists(st.sampled_from(["a.b.c", "*.b.c", "*.c", "b.c", "x.c"]), max_size=3).map(tuple),
    forbidden=st.lists(st.sampled_from(["/a", "*.b"]), max_size=2).map(tuple),
)


@given(POLICIES, POLICIES, st.sampled_from(["a.b.c", "z.b.c", "b.c", "x.c", "q.c", "d"]))
def test_two_policies_allow_what_both_allow(one: Policy, other: Policy, host: str) -> None:
    both = one.narrowed(other)
    assert both.allows_url(f"wss://{host}") == (one.allows_url(f"wss://{host}") and other.allows_url(f"wss://{host}"))
    assert (both.local, both.telemetry) == (one.local and other.local, one.telemetry and other.telemetry)
    assert set(both.forbidden) == {*one.forbidden, *other.forbidden}


def test_it_is_said_in_words(file: Path) -> None:
    file.write_text('only = "local"\ntelemetry = false\nforbidden_paths = ["/srv/**"]\n')
    said = "; ".join(read_policy(file).sentences())
    assert all(word in said for word in ("no edge", "telemetry", "/srv/**"))
    assert load_policy({}, file) == read_policy(file)
