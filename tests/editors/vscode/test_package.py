"""The packed extension holds what it should and nothing else."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

VSIX = Path(__file__).parents[3] / "editors" / "vscode" / "foretype.vsix"
MAX_BYTES = 1_000_000

EXPECTED = {
    "[Content_Types].xml",
    "extension.vsixmanifest",
    "extension/LICENSE.txt",
    "extension/changelog.md",
    "extension/dist/NOTICES.txt",
    "extension/dist/extension.js",
    "extension/dist/uninstall.js",
    "extension/media/icon.png",
    "extension/media/walkthrough/edge.md",
    "extension/media/walkthrough/install.md",
    "extension/media/walkthrough/local.md",
    "extension/media/walkthrough/try.md",
    "extension/media/screenshot.png",
    "extension/package.json",
    "extension/readme.md",
}

pytestmark = pytest.mark.skipif(not VSIX.exists(), reason="editors/vscode/foretype.vsix is not packed")


def test_the_package_is_below_one_megabyte() -> None:
    assert VSIX.stat().st_size < MAX_BYTES


def test_the_package_holds_no_source_test_or_module_folder() -> None:
    with zipfile.ZipFile(VSIX) as package:
        assert set(package.namelist()) == EXPECTED


def test_every_file_that_the_manifest_names_is_packed() -> None:
    with zipfile.ZipFile(VSIX) as package:
        manifest = json.loads(package.read("extension/package.json"))
        names = set(package.namelist())
    steps = manifest["contributes"]["walkthroughs"][0]["steps"]
    wanted = [manifest["icon"], manifest["main"], *(step["media"]["markdown"] for step in steps)]
    assert {"extension/" + name.removeprefix("./") for name in wanted} <= names


def test_no_path_of_the_machine_that_packed_it_is_inside() -> None:
    here = str(VSIX.parents[2]).encode()
    with zipfile.ZipFile(VSIX) as package:
        assert not [name for name in package.namelist() if here in package.read(name)]
