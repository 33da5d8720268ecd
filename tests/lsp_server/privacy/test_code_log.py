"""Code in the log: only in a run that asked for it, and loudly."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from lsp_server import cli, logs
from lsp_server.privacy import code_log
from wire_protocol.frames import Context

CONTEXT = Context(before="SENTINEL = 1\n", path="a.py")


pytestmark = pytest.mark.usefixtures("own_root_logger")


@pytest.fixture(autouse=True)
def off_again() -> Iterator[None]:
    yield
    code_log.switch(on=False)


def test_no_level_brings_code_into_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETYPE_LOG_LEVEL", "debug")
    file = logs.set_up()
    code_log.sent("edge", CONTEXT)
    code_log.given("SENTINEL")
    assert file is not None
    assert "SENTINEL" not in file.read_text()


def test_a_run_that_asks_for_it_has_it_and_says_so_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    file = logs.set_up(log_code=True)
    code_log.sent("edge", CONTEXT)
    assert file is not None
    assert "SENTINEL" in file.read_text()
    assert "WARNING" in file.read_text()
    assert "--log-code" in capsys.readouterr().err


def test_the_next_run_has_it_not() -> None:
    logs.set_up(log_code=True)
    file = logs.set_up()
    code_log.given("SENTINEL")
    assert file is not None
    assert "SENTINEL" not in file.read_text()


def test_it_is_an_option_of_the_server_alone() -> None:
    assert cli._parser().parse_args(["--log-code"]).log_code
    assert not cli._parser().parse_args([]).log_code


def test_a_fault_that_quotes_a_message_is_logged_without_the_quotation() -> None:
    file = logs.set_up()
    try:
        int("SENTINEL")
    except ValueError:
        logging.getLogger("pygls.x").exception("a message")
    assert file is not None
    text = file.read_text()
    assert "ValueError" in text
    assert "Traceback" in text
    assert "invalid literal" not in text
