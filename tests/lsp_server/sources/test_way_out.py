"""Proxies and certificates: which are used, and what is said when they do not work; passwords are never shown."""

from __future__ import annotations

import shutil
import ssl
import sys
from pathlib import Path

import pytest
from certificates import FakeAuthority
from fake_peer import FakePeer

from lsp_server.settings import load_settings
from lsp_server.sources.build import outward
from lsp_server.sources.handshake import DialError
from lsp_server.sources.outward import Outward
from lsp_server.sources.proxies import ProxySettingError, proxy_for, shown
from lsp_server.sources.reach import Reach
from lsp_server.sources.tls import TlsSettingError, client_context, problem

EDGE = "wss://edge.example/v1/session"
NAMES = ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "no_proxy")

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_setting_and_environment_there_is_no_proxy() -> None:
    assert proxy_for(EDGE, "") is None


def test_the_setting_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://environment:1")
    assert proxy_for(EDGE, "http://u:p@setting:2") == "http://u:p@setting:2"
    assert proxy_for(EDGE, "") == "http://environment:1"
    assert proxy_for(EDGE, "none") is None


def test_no_proxy_names_hosts_that_are_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://environment:1")
    monkeypatch.setenv("NO_PROXY", ".example,other")
    assert proxy_for(EDGE, "") is None
    assert proxy_for("wss://edge.test/v1/session", "") == "http://environment:1"


def test_an_edge_without_tls_may_use_a_proxy_for_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "proxy:3128")
    assert proxy_for("ws://edge.example/v1/session", "") == "http://proxy:3128"
    assert proxy_for(EDGE, "") is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_towards_this_machine_no_proxy_is_ever_used(host: str) -> None:
    assert proxy_for(f"ws://{host}:9000/v1/session", "http://proxy:1") is None


@pytest.mark.parametrize(
    "wrong",
    [
        "socks5://u:pass-word@h:1",
        "http://u@h:1",
        "http://u:pass-word@h:x",
        "http://u:pass-word@h/path",
        "http://",
        "ftp://u:pass-word@h",
    ],
)
def test_what_is_no_proxy_is_said_without_its_password(wrong: str) -> None:
    with pytest.raises(ProxySettingError, match=r"^edge\.proxy") as caught:
        proxy_for(EDGE, wrong)
    assert "pass-word" not in str(caught.value)


def test_a_proxy_is_shown_without_its_password() -> None:
    assert shown("http://user:pass-word@proxy:3128") == "http://proxy:3128"
    assert "pass-word" not in repr(Outward("http://user:pass-word@proxy:3128"))


def test_a_project_sets_none_of_it(tmp_path: Path) -> None:
    (tmp_path / ".foretype.toml").write_text(
        '[edge]\nproxy = "http://evil:1"\nca_file = "evil.pem"\nclient_cert = "evil.pem"\nclient_key = "evil.key"\n'
    )
    hostile = {"edge": {"proxy": "http://evil:2", "ca_file": "x", "client_cert": "x", "client_key": "x"}}
    loaded = load_settings(root=tmp_path, workspace=hostile, environ={"FORETYPE_CONFIG": str(tmp_path / "none.toml")})
    edge = loaded.settings.edge
    assert (edge.proxy, edge.ca_file, edge.client_cert, edge.client_key) == ("", "", "", "")
    assert sum("cannot be set by a project" in str(problem) for problem in loaded.problems) == 8
    assert not any("evil:" in str(problem) for problem in loaded.problems)


def test_the_user_sets_all_of_it(tmp_path: Path) -> None:
    environ = {
        "FORETYPE_CONFIG": str(tmp_path / "none.toml"),
        "FORETYPE_EDGE_PROXY": "http://u:p@h:1",
        "FORETYPE_EDGE_CA_FILE": "/ca.pem",
    }
    way = outward(load_settings(environ=environ, initialization={"edge": {"client_cert": "/c"}}).settings.edge)
    assert (way.proxy, way.ca_file, way.client_cert) == ("http://u:p@h:1", "/ca.pem", "/c")


def test_the_system_is_trusted_and_names_are_checked() -> None:
    context = client_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_without_truststore_openssl_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "truststore", None)
    context = client_context()
    assert type(context) is ssl.SSLContext
    assert context.verify_mode is ssl.CERT_REQUIRED


@needs_openssl
def test_an_authority_and_a_client_certificate_are_loaded(tmp_path: Path) -> None:
    authority = FakeAuthority(tmp_path, "company")
    mine = authority.sign("me")
    client_context(str(authority.pair.cert), str(mine.cert), str(mine.key))
    both = tmp_path / "both.pem"
    both.write_bytes(mine.cert.read_bytes() + mine.key.read_bytes())
    client_context(client_cert=str(both))


@needs_openssl
def test_certificate_files_that_do_not_work_are_each_a_sentence(tmp_path: Path) -> None:
    authority = FakeAuthority(tmp_path, "company")
    mine, yours = authority.sign("me"), authority.sign("you")
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for arguments, words in (
        ((str(empty), "", ""), "edge.ca_file .* no certificate"),
        ((str(tmp_path / "none.pem"), "", ""), "edge.ca_file .* cannot be read"),
        (("", str(mine.cert), str(yours.key)), "do not work together"),
        (("", str(mine.cert), str(tmp_path / "none.key")), "cannot be read"),
        (("", "", str(mine.key)), "edge.client_key is set without"),
    ):
        with pytest.raises(TlsSettingError, match=words):
            client_context(*arguments)


async def test_tls_is_read_once_and_only_where_it_is_needed() -> None:
    way = Outward(ca_file="/nowhere.pem")
    assert await way.tls("ws://edge.example/") is None
    with pytest.raises(TlsSettingError):
        await way.tls(EDGE)
    good = Outward()
    assert await good.tls(EDGE) is await good.tls(EDGE)


def test_a_certificate_that_is_not_trusted_says_what_to_do() -> None:
    error = ssl.SSLCertVerificationError(1, "self-signed certificate in certificate chain")
    error.verify_message = "self-signed certificate in certificate chain"
    assert "edge.ca_file" in problem(error, EDGE)


@needs_openssl
async def test_an_edge_that_wants_a_certificate_gets_it_and_its_absence_is_said(tmp_path: Path) -> None:
    authority = FakeAuthority(tmp_path, "operator")
    pair, mine = authority.sign("localhost"), authority.sign("me")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.pair.cert))
    server.load_cert_chain(pair.cert, pair.key)
    server.verify_mode = ssl.CERT_REQUIRED
    edge = FakePeer(server)
    await edge.start()
    url = f"wss://localhost:{edge.port}/v1/session"
    ca = str(authority.pair.cert)
    try:
        way = Outward(ca_file=ca, client_cert=str(mine.cert), client_key=str(mine.key))
        opened = await Reach("", way, lambda: 0.0).open(url)
        opened.wire.abort()
        with pytest.raises(DialError, match=r"edge\.client_cert"):
            await Reach("", Outward(ca_file=ca), lambda: 0.0).open(url)
        with pytest.raises(DialError, match=r"edge\.ca_file"):
            await Reach("", Outward(), lambda: 0.0).open(url)
    finally:
        await edge.stop()
