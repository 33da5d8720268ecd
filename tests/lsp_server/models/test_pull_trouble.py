"""What goes wrong at a pull: each is one sentence that says what to do."""

from __future__ import annotations

import errno
import hashlib
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from pulled import NAME, REPO, Run, last_line, stored
from stand_in_hub import StandInHub

from lsp_server.models import command
from lsp_server.models.store import Store


def test_no_network(models: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    code, out, err = models("pull", REPO)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "http://127.0.0.1:9 cannot be reached" in err
    assert "check the network" in err


def test_an_unknown_repository(models: Run) -> None:
    code, _, err = models("pull", "owner/none")
    assert (code, len(err.splitlines())) == (1, 1)
    assert "no repository owner/none" in err


def test_an_unknown_repository_with_a_token(models: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    assert "no repository owner/none" in models("pull", "owner/none")[2]


@pytest.mark.parametrize("token", ["", "hf_other"])
def test_a_gated_repository(models: Run, hub: StandInHub, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    hub.repos[REPO].gated = True
    monkeypatch.setenv("HF_TOKEN", token)
    code, _, err = models("pull", REPO)
    assert (code, len(err.splitlines())) == (1, 1)
    assert f"accept its terms at {hub.url}/{REPO}" in err
    assert "HF_TOKEN" in err


def test_the_token_opens_a_gated_repository(models: Run, hub: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repos[REPO].gated = True
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    code, _, err = models("pull", REPO)
    assert (code, set(hub.tokens)) == (0, {"Bearer hf_good"})
    assert "hf_good" not in err


@pytest.mark.parametrize(("status", "words"), [(403, "does not let you"), (429, "too many"), (500, "status 500")])
def test_a_hub_that_refuses(models: Run, hub: StandInHub, status: int, words: str) -> None:
    hub.status = status
    code, _, err = models("pull", REPO)
    assert (code, len(err.splitlines())) == (1, 1)
    assert words in err


def test_a_server_that_is_no_hub(models: Run, hub: StandInHub) -> None:
    hub.status = 200
    assert "does not answer as a model hub" in models("pull", REPO)[2]


def test_a_file_without_a_checksum(models: Run, hub: StandInHub) -> None:
    hub.repos[REPO].without_lfs = True
    assert "no SHA-256" in models("pull", REPO)[2]


def test_offline_by_wish(models: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in models("pull", REPO)[2]


def test_too_little_space_is_said_before_the_download(
    models: Run, hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=500_000))
    code, _, err = models("pull", REPO)
    assert (code, hub.ranges) == (1, [])
    assert "0 MiB free and the download needs 1 MiB more" in last_line(err)
    assert "FORETYPE_DATA_DIR" in last_line(err)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_meanwhile(models: Run, hub: StandInHub, model: bytes) -> None:
    store = Store.of_user()
    store.prepare()
    part = store.part(NAME, hashlib.sha256(model).hexdigest())
    part.symlink_to("/dev/full")
    code, _, err = models("pull", REPO)
    assert (code, stored()) == (1, None)
    assert "The disk is full" in last_line(err)


def test_a_folder_that_cannot_be_written(models: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/x.part")

    monkeypatch.setattr("lsp_server.models.download.http_get", refuse)
    assert "/x.part cannot be written: Permission denied" in models("pull", REPO)[2]


def test_a_missing_library(models: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert "pip install 'foretype[local]'" in models("pull", REPO)[2]


def test_an_interruption_by_hand(
    models: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lsp_server.models.download.http_get", interrupt)
    with pytest.raises(KeyboardInterrupt):
        models("pull", REPO)
    assert "goes on where it stopped" in capsys.readouterr().err
