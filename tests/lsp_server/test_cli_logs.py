"""The log: a rotating file, and warnings on stderr."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from lsp_server import logs

pytestmark = pytest.mark.usefixtures("own_root_logger")


def test_info_goes_to_the_file_and_warnings_to_both(capsys: pytest.CaptureFixture[str]) -> None:
    file = logs.set_up()
    logging.getLogger("lsp_server.x").info("quiet")
    logging.getLogger("lsp_server.x").warning("loud")
    assert file is not None
    text = file.read_text()
    assert "quiet" in text
    assert "loud" in text
    assert capsys.readouterr().err == "foretype-lsp: warning: loud\n"


def test_stderr_gets_no_traceback_and_the_file_does(capsys: pytest.CaptureFixture[str]) -> None:
    file = logs.set_up()
    try:
        raise ValueError("inside")
    except ValueError:
        logging.getLogger("lsp_server.x").exception("it failed")
    assert file is not None
    assert "Traceback" in file.read_text()
    assert capsys.readouterr().err == "foretype-lsp: error: it failed (ValueError; the log file has more)\n"


def test_libraries_that_would_log_what_passes_through_them_stay_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETYPE_LOG_LEVEL", "debug")
    file = logs.set_up()
    logging.getLogger("websockets.client").debug("token=secret")
    logging.getLogger("pygls.protocol").info("a whole document")
    logging.getLogger("lsp_server.x").debug("ours")
    assert file is not None
    text = file.read_text()
    assert "secret" not in text
    assert "document" not in text
    assert "ours" in text


def test_the_file_rotates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 200)
    file = logs.set_up()
    for _ in range(50):
        logging.getLogger("lsp_server.x").info("x" * 50)
    assert file is not None
    assert sorted(path.name for path in file.parent.glob("lsp.log*")) == ["lsp.log", "lsp.log.1", "lsp.log.2"]


def test_without_a_folder_for_it_the_program_works_without_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FORETYPE_STATE_DIR", str(tmp_path / "file" / "state"))
    assert logs.set_up() is None
    assert "No log file is written" in capsys.readouterr().err
