"""`models pull` against a stand-in hub: resumed, checked, refused, and named."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pulled import CHUNK, NAME, REPO, Run, last_line, left, stored
from small_gguf import write_gguf
from stand_in_hub import StandInHub

from lsp_server.models import catalogue, command
from lsp_server.models.catalogue import Catalogue, Entry
from lsp_server.models.licences import Licence
from lsp_server.models.store import Store


def test_a_repositorys_int4_file_is_fetched_checked_and_recorded(models: Run, model: bytes) -> None:
    code, out, err = models("pull", REPO)
    record = stored()
    assert code == 0
    assert record is not None
    assert Path(out.strip()).read_bytes() == model
    assert (record.repo, record.path_in_repo, record.bytes) == (REPO, "small-Q4_K_M.gguf", len(model))
    assert record.sha256 == hashlib.sha256(model).hexdigest()
    assert (record.layers, record.kv_width, record.context_tokens, record.fim) == (3, 32, 1_024, True)
    assert (record.licence, record.accepted) == ("Apache-2.0", "")
    assert "Licence: Apache-2.0" in err
    assert left() == ["model.json", "small-Q4_K_M.gguf"]


def test_without_a_terminal_progress_comes_as_lines(models: Run) -> None:
    _, _, err = models("pull", REPO)
    lines = [line for line in err.splitlines() if line.startswith("small-Q4_K_M.gguf: ")]
    assert 5 < len(lines) <= 21
    assert lines[-1] == "small-Q4_K_M.gguf: 100 % of 1.0 MiB"
    assert "\r" not in err


def test_an_interrupted_download_goes_on_where_it_stopped(models: Run, hub: StandInHub, model: bytes) -> None:
    hub.drop_after = [500_000]
    code, _, err = models("pull", REPO)
    assert code == 1
    assert "goes on where it stopped" in last_line(err)
    (part,) = left()
    have = (Store.of_user().folder / NAME / part).stat().st_size
    assert 500_000 - CHUNK <= have <= 500_000
    assert "interrupted at" in models("list")[1]

    hub.broken, hub.served = False, 0
    code, out, err = models("pull", REPO)
    assert code == 0
    assert hub.ranges[-1] == f"bytes={have}-"
    assert hub.served == len(model) - have
    assert Path(out.strip()).read_bytes() == model
    assert f"going on at {have / 2**20:.1f} of 1.0 MiB" in err


def test_with_the_librarys_own_block_size_at_most_one_block_is_fetched_again(
    models: Run, hub: StandInHub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = 10 * 2**20
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", block)
    large = write_gguf(home / "large.gguf", size=2 * block)
    hub.repos[REPO].files["small-Q4_K_M.gguf"] = large
    hub.drop_after = [block + 1_000_000]
    assert models("pull", REPO)[0] == 1
    hub.broken = False
    code, out, _ = models("pull", REPO)
    assert (code, hub.ranges[-1]) == (0, f"bytes={block}-")
    assert hashlib.sha256(Path(out.strip()).read_bytes()).digest() == hashlib.sha256(large).digest()


def test_a_connection_that_breaks_once_is_taken_up_in_the_same_pull(models: Run, hub: StandInHub, model: bytes) -> None:
    hub.drop_after, hub.down_after_drop = [300_000, 100_000 + 300_000], False
    code, out, _ = models("pull", REPO)
    assert code == 0
    assert len(hub.ranges) == 3
    assert Path(out.strip()).read_bytes() == model


def test_a_file_kept_elsewhere_is_resumed_there_and_the_token_stays_with_the_hub(
    models: Run, hub: StandInHub, model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    hub.elsewhere, hub.drop_after = True, [500_000]
    assert models("pull", REPO)[0] == 1
    hub.broken = False
    code, out, _ = models("pull", REPO)
    assert code == 0
    assert Path(out.strip()).read_bytes() == model
    assert hub.ranges[-1].startswith("bytes=4")
    tokens = {(host, token) for host, token in zip(hub.hosts, hub.tokens, strict=True)}
    assert tokens == {("127.0.0.1", "Bearer hf_good"), ("localhost", "")}


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(models: Run, hub: StandInHub, home: Path) -> None:
    hub.drop_after = [500_000]
    models("pull", REPO)
    other = write_gguf(home / "other.gguf", size=900_000)
    hub.repos[REPO].files["small-Q4_K_M.gguf"] = other
    hub.broken = False
    code, out, _ = models("pull", REPO)
    assert (code, hub.ranges[-1]) == (0, "")
    assert Path(out.strip()).read_bytes() == other
    assert len(left()) == 2


def test_a_wrong_checksum_is_refused_and_removed(models: Run, hub: StandInHub) -> None:
    hub.repos[REPO].sha256["small-Q4_K_M.gguf"] = "ab" * 32
    code, out, err = models("pull", REPO)
    assert (code, out, left(), stored()) == (1, "", [], None)
    assert "abababababababab…" in last_line(err)
    assert "removed" in last_line(err)


def test_a_part_that_was_damaged_on_the_disk_is_refused_and_removed(models: Run, hub: StandInHub) -> None:
    hub.drop_after = [500_000]
    models("pull", REPO)
    (part,) = (Store.of_user().folder / NAME).iterdir()
    part.write_bytes(b"\xff" * part.stat().st_size)
    hub.broken = False
    assert models("pull", REPO)[0] == 1
    assert left() == []
    assert models("pull", REPO)[0] == 0


def test_what_is_no_gguf_is_removed(models: Run, hub: StandInHub) -> None:
    hub.repos[REPO].files["small-Q4_K_M.gguf"] = b"<html>" * 10_000
    code, _, err = models("pull", REPO)
    assert (code, left()) == (1, [])
    assert "not a GGUF model: it does not begin with GGUF" in last_line(err)


def test_a_model_that_cannot_fill_in_the_middle_is_kept_with_a_warning(
    models: Run, hub: StandInHub, home: Path
) -> None:
    hub.repos[REPO].files["small-Q4_K_M.gguf"] = write_gguf(home / "chat.gguf", ("<|im_start|>",))
    code, _, err = models("pull", REPO)
    record = stored()
    assert code == 0
    assert record is not None
    assert not record.fim
    assert "Warning: small-q4_k_m has no fill-in-the-middle tokens" in err


def test_what_is_there_is_not_fetched_again(models: Run, hub: StandInHub) -> None:
    models("pull", REPO)
    hub.served = 0
    code, _, err = models("pull", REPO)
    assert (code, hub.served) == (0, 0)
    assert "there already" in err


def test_a_file_can_be_named_in_either_way_and_called_otherwise(models: Run, hub: StandInHub, home: Path) -> None:
    hub.repos[REPO].files["sub/small-f16.gguf"] = write_gguf(home / "f16.gguf")
    assert models("pull", f"{REPO}:sub/small-f16.gguf")[0] == 0
    assert models("pull", REPO, "--file", "sub/small-f16.gguf", "--name", "mine")[0] == 0
    assert [record.name for record in Store.of_user().all()] == ["mine", "small-f16"]
    assert left("mine") == ["model.json", "small-f16.gguf"]


def test_a_name_is_not_given_to_another_repositorys_file(models: Run, hub: StandInHub) -> None:
    models("pull", REPO)
    hub.repos["other/repo"] = hub.repos[REPO]
    code, _, err = models("pull", "other/repo")
    assert code == 1
    assert f"{NAME} is taken by small-Q4_K_M.gguf from {REPO}" in err
    assert models("pull", "other/repo", "--name", "second")[0] == 0


@pytest.mark.parametrize("asked", ["nothing", "starter", "a/b/c", "owner/", "qwen2.5-coder-1.5", f"{REPO}:"])
def test_what_is_neither_a_name_nor_a_repository_is_one_sentence(models: Run, asked: str) -> None:
    code, out, err = models("pull", asked)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    if asked.startswith("qwen"):
        assert "did you mean qwen2.5-coder-1.5b?" in err


def test_names_that_leave_the_folder_are_refused(models: Run, hub: StandInHub, home: Path) -> None:
    assert "small letters" in models("pull", REPO, "--name", "../../x")[2]
    hub.repos[REPO].files = {"a\\..\\..\\evil.gguf": write_gguf(home / "made.gguf")}
    assert models("pull", REPO, "--name", "mine")[0] == 0
    assert left("mine") == ["a_.._.._evil.gguf", "model.json"]


class TestLicences:
    """A licence that restricts use is accepted before anything is fetched."""

    @pytest.fixture(autouse=True)
    def bound(self, hub: StandInHub) -> None:
        hub.repos[REPO].licence = {
            "license": "other",
            "license_name": "research-only",
            "license_link": "https://e.org/l",
        }

    def test_refused_it_downloads_nothing(self, models: Run, hub: StandInHub) -> None:
        code, _, err = models("pull", REPO)
        assert (code, hub.ranges, left()) == (1, [], [])
        assert "Licence: research-only (https://e.org/l)" in err
        assert "--accept-licence" in last_line(err)

    def test_accepted_it_is_recorded_with_its_date(self, models: Run) -> None:
        assert models("pull", REPO, "--accept-licence")[0] == 0
        file = Store.of_user().folder / NAME / "model.json"
        record = json.loads(file.read_text())
        assert (record["licence"], record["licence_url"]) == ("research-only", "https://e.org/l")
        assert record["accepted"].startswith("20")

    @pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("no", 1)])
    def test_on_a_terminal_it_is_asked(
        self, models: Run, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
    ) -> None:
        questions: list[str] = []

        def ask(question: str) -> str:
            questions.append(question)
            return answer

        monkeypatch.setattr(command, "_ask", ask)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        assert models("pull", REPO)[0] == code
        assert len(questions) == 1
        assert (stored() is None) == bool(code)


class TestCatalogue:
    """A pull by a name of the catalogue."""

    @pytest.fixture
    def entry(self, monkeypatch: pytest.MonkeyPatch, model: bytes) -> Entry:
        entry = Entry(
            name="small",
            repo=REPO,
            parameters=0.1,
            licence="bound",
            languages="all",
            file="small-Q4_K_M.gguf",
            revision="c" * 40,
            sha256=hashlib.sha256(model).hexdigest(),
        )
        made = Catalogue((entry,), {"bound": Licence("Catalogue Licence", "https://e.org/c")})
        monkeypatch.setattr(catalogue, "load", lambda: made)
        return entry

    def test_its_licence_goes_before_the_tag_of_the_repository(self, models: Run, entry: Entry) -> None:
        assert "Catalogue Licence" in models("pull", "small")[2]
        assert "Catalogue Licence" in models("pull", REPO)[2]
        assert stored("small") is None

    def test_it_is_called_by_its_name_and_taken_at_its_commit(self, models: Run, hub: StandInHub, entry: Entry) -> None:
        assert models("pull", "SMALL", "--accept-licence")[0] == 0
        record = stored("small")
        assert record is not None
        assert record.parameters == pytest.approx(1e8)
        assert hub.requests[0][1] == f"/api/models/{REPO}/revision/{'c' * 40}"

    def test_another_file_than_the_catalogues_is_refused_before_it_is_fetched(
        self, models: Run, hub: StandInHub, entry: Entry
    ) -> None:
        hub.repos[REPO].files["small-Q4_K_M.gguf"] = b"other"
        code, _, err = models("pull", "small", "--accept-licence")
        assert (code, hub.ranges) == (1, [])
        assert "not the file that Foretype's catalogue was made with" in err


def test_pulls_of_the_same_model_at_once_fetch_it_once(
    models: Run, hub: StandInHub, model: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    together = threading.Barrier(3)

    def pull() -> int:
        together.wait()
        return command.run(["pull", REPO])

    with ThreadPoolExecutor(3) as pool:
        codes = [task.result() for task in [pool.submit(pull) for _ in range(3)]]
    record = stored()
    assert codes == [0, 0, 0]
    assert record is not None
    assert Store.of_user().file(record).read_bytes() == model
    assert hub.served == len(model)
    assert left() == ["model.json", "small-Q4_K_M.gguf"]
    assert "Traceback" not in capsys.readouterr().err
