"""The licence gate, and that what was trained on passes it."""

from __future__ import annotations

import json
from email.message import Message

import pytest

from training import licences, settings

CONFIG = settings.load()
LISTED = CONFIG.corpus["licences"]
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


def test_every_package_in_the_manifest_has_a_listed_licence() -> None:
    rows = MANIFEST["train"] + MANIFEST["held_out"]
    assert rows
    assert [row["package"] for row in rows if not licences.allowed(row["licence"], LISTED)] == []


def test_no_held_out_package_was_trained_on() -> None:
    trained = {row["package"] for row in MANIFEST["train"]}
    held_out = {row["package"] for row in MANIFEST["held_out"]}
    assert "cachetools" in held_out
    assert not trained & held_out


def test_the_manifest_is_of_the_configured_packages() -> None:
    configured = {*CONFIG.corpus["packages"], *CONFIG.corpus["held_out"]}
    listed = {f"{row['package']}=={row['version']}" for row in MANIFEST["train"] + MANIFEST["held_out"]}
    assert configured == {name for name in listed if not name.startswith("python-standard-library==")}
