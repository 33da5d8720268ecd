"""Certificates: taken over by the next handshake after a reload, and a sentence for those that cannot be used."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from pathlib import Path

import msgspec
import pytest
from certificates import FakeAuthority, Pair

from edge_proxy.addresses import parse_worker
from edge_proxy.config import Config
from edge_proxy.errors import StartError
from edge_proxy.tls import load_pair, server_context, worker_context
from wire_protocol.addresses import TcpAddress

BASE = Config(listen=TcpAddress("127.0.0.1", 0), workers=(parse_worker("unix:/w"),))


@pytest.fixture
def authority(tmp_path: Path) -> FakeAuthority:
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program to make certificates")
    return FakeAuthority(tmp_path, "ca")


def shown_by(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.cert.read_text())


async def test_a_new_certificate_is_shown_from_the_next_handshake_on(authority: FakeAuthority) -> None:
    first = authority.sign("localhost")
    config = msgspec.structs.replace(BASE, tls_cert=first.cert, tls_key=first.key)
    context = server_context(config)
    assert context is not None
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=authority.pair.cert)

    async def shown() -> bytes:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
        certificate: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        return certificate

    before = await shown()
    assert before == shown_by(first)
    second = authority.sign("localhost")  # under the same names, as a renewal is
    load_pair(context, second.cert, second.key)
    assert await shown() == shown_by(second) != before
    server.close()


def test_what_cannot_be_used_is_a_sentence(authority: FakeAuthority, tmp_path: Path) -> None:
    good, other = authority.sign("localhost"), authority.sign("other")
    (tmp_path / "text").write_text("no certificate")
    for fields, part in (
        ({"tls_cert": good.cert, "tls_key": other.key}, "do not work together"),
        ({"tls_cert": tmp_path / "none", "tls_key": good.key}, "cannot be read"),
    ):
        with pytest.raises(StartError, match=part):
            server_context(msgspec.structs.replace(BASE, **fields))
    for fields, part in (
        ({"worker_ca": tmp_path / "none"}, "cannot be read"),
        ({"worker_ca": tmp_path / "text"}, "not a PEM file"),
        ({"worker_cert": good.cert, "worker_key": other.key}, "do not work together"),
    ):
        with pytest.raises(StartError, match=part):
            worker_context(msgspec.structs.replace(BASE, **fields))


def test_without_settings_the_systems_rules_hold() -> None:
    assert (server_context(BASE), worker_context(BASE)) == (None, None)
