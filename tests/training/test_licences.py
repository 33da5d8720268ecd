"""The licence gate, and that what was trained on passes it."""

from __future__ import annotations

import json
import tomllib
from email.message import Message

import pytest

from training import licences, settings

CONFIG = settings.load()
LISTED = CONFIG.corpus["licences"]
PACKAGES = tomllib.loads(CONFIG.path(CONFIG.corpus["packages"]).read_text(encoding="utf-8"))
MANIFEST = json.loads(CONFIG.path(CONFIG.corpus["manifest"]).read_text(encoding="utf-8"))


def metadata(**fields: str | list[str]) -> Message:
    """Core metadata with some fields."""
    message = Message()
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            message[name.replace("_", "-")] = value
    return message


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"License_Expression": "MIT"}, "MIT"),
        ({"License_Expression": "Apache-2.0", "License": "GPL"}, "Apache-2.0"),
        ({"License": "BSD 3-Clause"}, "BSD-3-Clause"),
        ({"Classifier": ["License :: OSI Approved :: MIT License", "Typing :: Typed"]}, "MIT"),
        ({"Classifier": ["License :: OSI Approved", "License :: OSI Approved :: BSD License"]}, "BSD"),
        ({}, ""),
    ],
)
def test_the_licence_is_read_from_metadata(fields: dict[str, str | list[str]], expected: str) -> None:
    assert licences.stated(metadata(**fields)) == expected


@pytest.mark.parametrize(
    "expression",
    ["MIT", "mit", "BSD-3-Clause AND MIT", "GPL-3.0-only OR MIT", "(Apache-2.0 OR MIT) AND BSD-3-Clause"],
)
def test_permissive_expressions_are_allowed(expression: str) -> None:
    assert licences.allowed(expression, LISTED)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        " ",
        "GPL-3.0-only",
        "MPL-2.0",
        "MIT AND LGPL-2.1-or-later",
        "(MIT AND GPL-2.0-only)",
        "Proprietary",
        "see LICENSE.txt",
        "OSI Approved :: GNU General Public License (GPL)",
    ],
)
def test_other_expressions_are_refused(expression: str) -> None:
    assert not licences.allowed(expression, LISTED)


def test_one_foreign_classifier_among_good_ones_refuses_the_package() -> None:
    stated = licences.stated(
        metadata(
            Classifier=[
                "License :: OSI Approved :: MIT License",
                "License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
            ]
        )
    )
    assert not licences.allowed(stated, LISTED)


def test_a_whole_licence_text_in_the_licence_field_is_not_taken_for_a_name() -> None:
    assert licences.stated(metadata(License="Permission is hereby granted, free of charge, " * 10)) == ""


def names(rows: list[dict[str, str]]) -> set[str]:
    """The packages of a part of the manifest, each with its registry."""
    return {f"{row['ecosystem']}:{row['package']}" for row in rows}


def test_every_package_in_the_manifest_has_a_listed_licence() -> None:
    rows = MANIFEST["train"] + MANIFEST["held_out"]
    assert len(rows) > 300
    assert [row["package"] for row in rows if not licences.allowed(row["licence"], LISTED)] == []


def test_no_held_out_package_was_trained_on() -> None:
    trained, held_out = names(MANIFEST["train"]), names(MANIFEST["held_out"])
    assert {"pypi:cachetools", "npm:mobx", "debian:librust-anyhow-dev"} <= held_out
    assert not trained & held_out


@pytest.mark.parametrize("part", ["train", "held_out"])
def test_the_manifest_is_of_the_configured_packages(part: str) -> None:
    lists = PACKAGES[part]
    pypi = {("pypi", *item.split("==")) for item in lists["pypi"]}
    npm = {("npm", item.rpartition("@")[0], item.rpartition("@")[2]) for item in lists["npm"]}
    debian = {("debian", item["name"], item["version"]) for item in lists["debian"]}
    library = {
        ("python", "python-standard-library", row["version"]) for row in MANIFEST[part] if row["ecosystem"] == "python"
    }
    written = {(row["ecosystem"], row["package"], row["version"]) for row in MANIFEST[part]}
    # A package of which every file was dropped is not in the manifest.
    assert written <= pypi | npm | debian | library
    assert len(written) > 0.95 * len(pypi | npm | debian)


def test_most_of_the_corpus_is_python_and_every_language_is_held_out_too() -> None:
    assert MANIFEST["languages"]["python"]["bytes"] >= 0.6 * MANIFEST["bytes"]
    assert set(MANIFEST["languages"]) == set(MANIFEST["held_out_languages"]) == set(CONFIG.corpus["languages"])


def test_little_of_the_held_out_code_occurs_in_training() -> None:
    code = {"python", "typescript", "javascript", "go", "rust", "c", "shellscript"}
    shares = {name: row["share"] for name, row in MANIFEST["overlap"]["languages"].items() if name in code}
    assert set(shares) == code
    assert max(shares.values()) < 0.03
