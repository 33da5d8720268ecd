"""Who may see the status and the metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge_proxy.auth import TokenList
from edge_proxy.config import Config
from edge_proxy.errors import StartError
from edge_proxy.metrics import Metrics
from edge_proxy.operations import Operations
from edge_proxy.status_page.operators import NEEDS_TOKEN, NOT_SET_UP, Operators, check_token
from wire_protocol.addresses import TcpAddress


def test_where_anybody_may_come_in_anybody_may_look() -> None:
    operators = Operators("", everyone=True)
    assert operators.refusal_of_status("") is None
    assert operators.refusal_of_metrics("") is None
    assert operators.names_tenants


def test_with_tokens_and_no_operators_nobody_sees_what_others_do() -> None:
    operators = Operators("", everyone=False)
    assert operators.refusal_of_status("Bearer x") == NOT_SET_UP
    assert operators.refusal_of_metrics("") is None  # without the names of tenants
    assert not operators.names_tenants


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic right", "right", "Bearer " + "x" * 10_000])
def test_only_the_operators_token_opens(header: str) -> None:
    operators = Operators("right", everyone=False)
    assert operators.refusal_of_status(header) == NEEDS_TOKEN
    assert operators.refusal_of_metrics(header) == NEEDS_TOKEN


def test_the_operators_token_opens_both() -> None:
    operators = Operators("right", everyone=False)
    assert operators.refusal_of_status("bearer right") is None
    assert operators.refusal_of_metrics("Bearer right") is None


@pytest.mark.parametrize("text", ["", "two words", "x" * 8_193])
def test_a_file_without_one_token_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(StartError) as refused:
        check_token(text, "operator.txt")
    assert "operator.txt" in str(refused.value)
    assert text[:3] not in str(refused.value) or not text


async def test_the_page_has_no_data_and_a_policy_for_its_one_script(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker(), authenticator=TokenList([("acme", "t")]))
    async with edge.http.get(edge.server.make_url("/")) as response:
        policy = response.headers["Content-Security-Policy"]
        page = await response.text()
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert page.count("<script") == 1
    assert "acme" not in page


async def test_the_status_is_json_that_nobody_keeps(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker(name="starter"))
    async with edge.http.get(edge.server.make_url("/v1/status")) as response:
        status = await response.json()
        assert response.headers["Cache-Control"] == "no-store"
    assert status["ready"] is True
    assert [worker["state"] for worker in status["workers"]] == ["ready"]
    assert status["workers"][0]["models"] == ["starter (small)"]
    assert status["tenants"] == []


def test_a_token_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    config = Config(listen=TcpAddress("127.0.0.1", 0), workers=(), operator_token_file=tmp_path / "none")
    with pytest.raises(StartError, match="operators' token file"):
        Operations(config, Metrics())
