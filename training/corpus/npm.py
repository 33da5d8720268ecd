"""JavaScript and TypeScript packages: npm fetches them; only sources are taken, not what was compiled from them."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training import licences
from training.corpus.records import Package

ECOSYSTEM = "npm"
# If this share of a package's script is TypeScript, its JavaScript was compiled from it.
COMPILED_SHARE = 0.2
SCRIPTS = (".js", ".mjs", ".cjs", ".jsx")
Source = tuple[Package, Iterator[tuple[str, bytes]]]


def split(requirement: str) -> tuple[str, str]:
    """Name and version of `@scope/name@version`."""
    name, _, version = requirement.rpartition("@")
    return name, version


def archive_name(requirement: str) -> str:
    """The file that `npm pack` writes for a requirement."""
    name, version = split(requirement)
    return f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"


def fetch(requirements: list[str], folder: Path) -> None:
    """Have `npm pack` put each requirement into the folder; archives already there are kept.

    Raises:
        SystemExit: npm is missing or could not get one of them; its own message has been printed.
    """
    target = folder / "npm"
    target.mkdir(parents=True, exist_ok=True)
    missing = [item for item in requirements if not (target / archive_name(item)).exists()]
    try:
        if missing and subprocess.run(["npm", "pack", "--silent", *missing], cwd=target, check=False).returncode:
            raise SystemExit("npm could not download the corpus packages: see its message above; run again to go on.")
    except FileNotFoundError:
        raise SystemExit(
            "The corpus needs npm to fetch JavaScript packages: install Node.js, or use --offline."
        ) from None


def stated(package: dict[str, Any]) -> str:
    """The licence in a package.json, also in its two old forms; empty if none is stated."""
    licence = package.get("license") or package.get("licenses") or ""
    if isinstance(licence, dict):
        licence = licence.get("type", "")
    if isinstance(licence, list):
        licence = " AND ".join(str(item.get("type", "") if isinstance(item, dict) else item) for item in licence)
    return str(licence)


def sources(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The files in the order of names, without JavaScript that was compiled from TypeScript beside it."""
    script = sum(len(data) for name, data in files.items() if name.endswith(SCRIPTS))
    typed = sum(len(data) for name, data in files.items() if name.endswith((".ts", ".tsx")) and ".d." not in name)
    compiled = typed > COMPILED_SHARE * (script + typed)
    for name in sorted(files):
        if not (compiled and name.endswith(SCRIPTS)):
            yield name, files[name]


def load(requirements: list[str], folder: Path, listed: list[str]) -> Iterator[Source]:
    """Each pinned requirement (`name@version`) as a package and its files, still unfiltered.

    Raises:
        SystemExit: an archive is missing, or its licence is not on the list.
    """
    for requirement in requirements:
        path = folder / "npm" / archive_name(requirement)
        if not path.exists():
            raise SystemExit(f"No archive of {requirement} in {path.parent}: run without --offline to fetch it.")
        with tarfile.open(path) as archive:
            contents = [(member.name, archive.extractfile(member)) for member in archive if "/" in member.name]
            files = {name.partition("/")[2]: file.read() for name, file in contents if file is not None}
        licence = stated(json.loads(files["package.json"]))
        if not licences.allowed(licence, listed):
            raise SystemExit(f"{requirement} is licensed {licence!r}, which is not on the list: take it out.")
        name, version = split(requirement)
        yield Package(ECOSYSTEM, name, version, licence), sources(files)
