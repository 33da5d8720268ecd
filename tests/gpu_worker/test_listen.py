"""Addresses: how they are read, what is safe, and what is said when one cannot be had."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.errors import WorkerError
from gpu_worker.listen import bind, parse, require_safe
from wire_protocol.addresses import TcpAddress, UnixAddress


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: socket paths have at most about 100 bytes."""
    with TemporaryDirectory(prefix="fw") as name:
        yield Path(name)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9100", TcpAddress("127.0.0.1", 9100)),
        ("[::1]:80", TcpAddress("::1", 80)),
        ("worker.local:0", TcpAddress("worker.local", 0)),
        ("unix:/run/w.sock", UnixAddress("/run/w.sock")),
    ],
)
def test_addresses_are_read_and_written_alike(text: str, address: TcpAddress | UnixAddress) -> None:
    assert parse(text) == address
    assert str(address) == text


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_a_sentence(text: str) -> None:
    try:
        address = parse(text)
    except WorkerError as error:
        assert str(error).endswith(".")
    else:
        assert isinstance(address, TcpAddress | UnixAddress)


@pytest.mark.parametrize("text", ["9100", ":9100", "host:", "host:99999", "host:x", "unix:", "unix:" + "x" * 200])
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(WorkerError):
        parse(text)


@pytest.mark.parametrize("text", ["127.0.0.1:1", "localhost:1", "[::1]:1", "127.8.8.8:1", "unix:/tmp/x"])
def test_this_machine_alone_needs_neither_token_nor_tls(text: str) -> None:
    require_safe(parse(text), token=False, tls=False, insecure=False)
    assert parse(text)


@pytest.mark.parametrize("text", ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1"])
@pytest.mark.parametrize(
    ("token", "tls", "missing"), [(False, True, "token"), (True, False, "tls"), (False, False, "and")]
)
def test_other_machines_need_both(text: str, token: bool, tls: bool, missing: str) -> None:
    with pytest.raises(WorkerError, match=missing):
        require_safe(parse(text), token=token, tls=tls, insecure=False)
    require_safe(parse(text), token=token, tls=tls, insecure=True)
    require_safe(parse(text), token=True, tls=True, insecure=False)


def test_a_port_in_use_is_said() -> None:
    with bind(TcpAddress("127.0.0.1", 0)) as taken, pytest.raises(WorkerError, match="in use"):
        bind(TcpAddress("127.0.0.1", taken.getsockname()[1]))


def test_a_foreign_address_is_said() -> None:
    with pytest.raises(WorkerError, match="not an address of this machine"):
        bind(TcpAddress("192.0.2.1", 0))  # a documentation address (RFC 5737)


def test_a_unix_socket_is_for_this_user_only(folder: Path) -> None:
    path = folder / "w.sock"
    with bind(UnixAddress(str(path))):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_a_socket_file_left_by_a_killed_process_is_replaced(folder: Path) -> None:
    path = folder / "w.sock"
    bind(UnixAddress(str(path))).close()  # closed without removing the file, as kill -9 does
    assert path.exists()
    with bind(UnixAddress(str(path))), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert client.getpeername() == str(path)


def test_a_live_unix_socket_is_not_taken_over(folder: Path) -> None:
    path = folder / "w.sock"
    with bind(UnixAddress(str(path))), pytest.raises(WorkerError, match="in use"):
        bind(UnixAddress(str(path)))


def test_a_folder_that_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(WorkerError, match="Cannot listen"):
        bind(UnixAddress(str(folder / "none" / "w.sock")))
