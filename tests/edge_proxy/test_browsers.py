"""Which web pages may use the proxy: the rule, and a real server with it."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.browsers import problem_with

ALLOWED = ("https://ide.example",)


@pytest.mark.parametrize(
    ("origin", "host", "may"),
    [
        (None, "edge.example", True),  # no browser
        ("https://edge.example", "edge.example", True),
        ("https://EDGE.example:8443", "edge.example:8443", True),
        ("https://ide.example", "edge.example", True),
        ("HTTPS://IDE.EXAMPLE", "edge.example", True),
        ("http://ide.example", "edge.example", False),
        ("https://ide.example.evil.com", "edge.example", False),
        ("https://edge.example:1", "edge.example", False),
        ("null", "edge.example", False),
        ("", "", False),
        ("https://evil.com", "", False),
        ("http://[", "edge.example", False),
    ],
)
def test_a_page_needs_to_be_the_proxys_own_or_named(origin: str | None, host: str, may: bool) -> None:
    assert (problem_with(origin, host, ALLOWED, only_loopback=False) is None) == may


@pytest.mark.parametrize(
    ("host", "may"),
    [
        ("127.0.0.1:9000", True),
        ("localhost:9000", True),
        ("[::1]:9000", True),
        ("ide.example", True),
        ("evil.com:9000", False),
        ("127.0.0.1.evil.com", False),
        ("", True),  # no browser
        ("[", False),
    ],
)
def test_without_tokens_only_this_machines_names_are_answered(host: str, may: bool) -> None:
    page = f"http://{host}"  # as a page sees it whose name was rebound to 127.0.0.1
    for origin in (None, page):
        if origin is None or (may and host):
            assert (problem_with(origin, host, ALLOWED, only_loopback=True) is None) == may


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_header_makes_it_fail(origin: str, host: str) -> None:
    for only_loopback in (False, True):
        problem = problem_with(origin, host, ALLOWED, only_loopback=only_loopback)
        assert problem is None or problem.endswith((".", "too."))


async def test_a_strange_page_reaches_neither_a_session_nor_anything_else(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker())
    headers = {"Origin": "https://evil.example"}
    for path in ("/healthz", "/metrics", "/v1/models"):
        response = await edge.http.get(edge.server.make_url(path), headers=headers)
        assert (response.status, "origin" in await response.text()) == (403, True)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await edge.http.ws_connect(edge.server.make_url("/v1/session"), headers=headers)
    assert refused.value.status == 403
    rebound = await edge.http.get(edge.server.make_url("/healthz"), headers={"Host": "evil.example"})
    assert rebound.status == 403
    assert (await edge.http.get(edge.server.make_url("/healthz"))).status == 200


async def test_a_named_origin_may_ask_and_read(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker(), origins=("https://ide.example",))
    headers = {"Origin": "https://ide.example"}
    preflight = await edge.http.options(
        edge.server.make_url("/v1/completions"), headers={**headers, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status == 204
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    answer = await edge.http.get(edge.server.make_url("/healthz"), headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://ide.example"
    assert "Origin" in answer.headers["Vary"]
    plain = await edge.http.get(edge.server.make_url("/healthz"))
    assert "Access-Control-Allow-Origin" not in plain.headers
