"""Addresses read as written, and only this machine's own are served without protection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire_protocol.addresses import TcpAddress, UnixAddress, is_private, parse, unsafe_reason


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9000", TcpAddress("127.0.0.1", 9000)),
        ("[::1]:0", TcpAddress("::1", 0)),
        ("unix:/tmp/a.sock", UnixAddress("/tmp/a.sock")),
    ],
)
def test_an_address_reads_and_prints_the_same(text: str, address: TcpAddress | UnixAddress) -> None:
    assert parse(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["", "9000", ":9000", "host:", "host:70000", "host:٣", "unix:", "unix:" + "x" * 200])
def test_what_is_no_address_is_said_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"(is not understood|has no socket path|is longer than)"):
        parse(text)


@given(st.text())
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    try:
        assert parse(str(parse(text))) == parse(text)
    except ValueError as error:
        assert "address" in str(error) or "path" in str(error)


@pytest.mark.parametrize(("text", "private"), [("localhost:1", True), ("127.9.9.9:1", True), ("0.0.0.0:1", False)])
def test_who_can_reach_it(text: str, private: bool) -> None:
    assert is_private(parse(text)) is private


def test_a_public_address_needs_token_and_tls_or_insecure() -> None:
    public = parse("0.0.0.0:9000")
    reason = unsafe_reason(public, token=False, tls=False, insecure=False)
    assert reason is not None
    assert "--token-file" in reason
    assert "TLS" in reason
    assert unsafe_reason(public, token=True, tls=False, insecure=False) is not None
    assert unsafe_reason(public, token=True, tls=True, insecure=False) is None
    assert unsafe_reason(public, token=False, tls=False, insecure=True) is None
    assert unsafe_reason(parse("unix:/a"), token=False, tls=False, insecure=False) is None
