"""The models that a command line names."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from benchmarks import contestants
from benchmarks.contestants import Contestant, labelled
from benchmarks.errors import BenchError


def named(*arguments: str) -> list[Contestant]:
    options = argparse.ArgumentParser()
    contestants.add_options(options)
    own, passed_on = contestants.split(arguments)
    return contestants.of_options(options.parse_args(own), passed_on, reserved=["copying"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("starter", ("starter", "starter")),
        ("previous=old/a.gguf", ("previous", "old/a.gguf")),
        ("models/a-q4.gguf", ("a-q4", "models/a-q4.gguf")),
        ("models/x=1/a.gguf", ("a", "models/x=1/a.gguf")),
        ("gpu=ws://h:1", ("gpu", "ws://h:1")),
        ("ws://h:1/v1?a=b", ("ws://h:1/v1?a=b", "ws://h:1/v1?a=b")),
    ],
)
def test_a_label_stands_before_the_first_equals_sign(text: str, expected: tuple[str, str]) -> None:
    assert labelled(text) == expected


def test_the_starter_is_measured_where_nothing_is_named() -> None:
    assert named() == [Contestant("starter", ("--engine", "llama", "--model", "starter"))]


def test_what_follows_two_dashes_goes_to_the_worker() -> None:
    assert named("--model", "a=b.gguf", "--", "--threads", "2") == [
        Contestant("a", ("--engine", "llama", "--model", "b.gguf", "--threads", "2"))
    ]


def test_an_openai_server_is_passed_through() -> None:
    arguments = ("--engine", "openai", "--model", "m", "--url", "http://h/v1")
    assert named("--engine", "openai", "--url", "http://h/v1", "--model", "m") == [Contestant("m", arguments)]


def test_a_worker_that_runs_already_is_only_connected_to() -> None:
    assert named("--worker", "gpu=ws://h:9100") == [Contestant("gpu", address="ws://h:9100")]


@pytest.mark.parametrize("arguments", [["--model", "a", "--model", "a"], ["--model", "copying"]])
def test_two_columns_of_one_name_are_refused(arguments: list[str]) -> None:
    with pytest.raises(BenchError, match=r"--model new=PATH"):
        named(*arguments)


def test_a_token_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("secret\nother\n")
    assert (contestants.token(file), contestants.token(None)) == ("secret", "")


@pytest.mark.parametrize("content", [None, ""])
def test_a_file_without_a_token_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    with pytest.raises(BenchError, match="No token can be read from"):
        contestants.token(file)
