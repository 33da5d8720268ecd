"""Debian packages: apt fetches source packages and library packages; files are taken one by one by their licence."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training import licences
from training.corpus import dep5
from training.corpus.records import Package
from training.corpus.revisions import revisions, upstream, without_epoch

ECOSYSTEM = "debian"
SYSTEM_SOURCES = Path("/etc/apt")
Source = tuple[Package, Iterator[tuple[str, bytes]]]


def library_file(row: dict[str, Any], folder: Path) -> Path | None:
    """The .deb of a library package, or None if it is not in the folder."""
    version = row["version"].replace(":", "%3a")
    return next(iter(sorted(folder.glob(f"{row['name']}_{version}_*.deb"))), None)


def source_files(row: dict[str, Any], folder: Path) -> tuple[Path, Path] | None:
    """The archive of the original source and the one of Debian's own files (the same if native), or None if missing."""
    version = without_epoch(row["version"])
    originals = sorted(folder.glob(f"{row['name']}_{upstream(version)}.orig.tar.*"))
    originals = [path for path in originals if path.suffix != ".asc"]
    packaging = sorted(folder.glob(f"{row['name']}_{version}.debian.tar.*"))
    native = sorted(folder.glob(f"{row['name']}_{version}.tar.*"))
    if originals and packaging:
        return originals[0], packaging[0]
    return (native[0], native[0]) if native else None


def downloaded(row: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """The row with the version whose archives are in the folder: the pinned one, or a revision in its place."""
    name, kind = row["name"], ".debian.tar." if row.get("source") else "_"
    names = (path.name.removeprefix(f"{name}_") for path in folder.glob(f"{name}_*"))
    versions = {each.partition(kind)[0].replace("%3a", ":") for each in names if kind in each}
    for version in [row["version"], *revisions(without_epoch(row["version"]), versions)]:
        found = row | {"version": version}
        if source_files(found, folder) if row.get("source") else library_file(found, folder):
            return found
    return None


def source_index(folder: Path) -> list[str]:
    """apt options that read source packages from the system's own mirrors; the system's settings stay as they are.

    Raises:
        SystemExit: apt could not read the lists.
    """
    state = folder / "apt"
    (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    parts = state / "parts"
    parts.mkdir(exist_ok=True)
    for path in sorted(SYSTEM_SOURCES.glob("sources.list.d/*.sources")):
        text = re.sub(r"(?m)^Types:.*$", "Types: deb-src", path.read_text(encoding="utf-8"))
        (parts / path.name).write_text(text, encoding="utf-8")
    for path in [SYSTEM_SOURCES / "sources.list", *sorted(SYSTEM_SOURCES.glob("sources.list.d/*.list"))]:
        if path.exists():
            text = re.sub(r"(?m)^deb\s", "deb-src ", path.read_text(encoding="utf-8"))
            (parts / (path.stem + ".list")).write_text(text, encoding="utf-8")
    options = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": str(parts.resolve()),
        "Dir::State::Lists": str((state / "lists").resolve()),
    }
    arguments = [item for name, value in options.items() for item in ("-o", f"{name}={value}")]
    if subprocess.run(["apt-get", "-q", *arguments, "update"], check=False).returncode:
        raise SystemExit("apt-get could not read the lists of source packages: see its message above.")
    return arguments


def fetch(rows: list[dict[str, Any]], folder: Path) -> None:
    """Have apt put each package (`name`, `version`, and `source` if it is a source package) into the folder.

    Raises:
        SystemExit: apt is missing, or a version is no longer in the archive.
    """
    target = folder / "debian"
    target.mkdir(parents=True, exist_ok=True)
    missing = [row for row in rows if downloaded(row, target) is None]
    if missing and shutil.which("apt-get") is None:
        raise SystemExit("The corpus needs apt-get to fetch Debian packages: run on Debian, or use --offline.")
    index = source_index(folder) if any(row.get("source") for row in missing) else []
    get(missing, index, target)
    for row in missing:
        # One unknown version keeps apt from fetching all: the others are then asked for one by one.
        if downloaded(row, target) is None:
            get([row], index, target)
        # A security update takes the place of the one before it, which is then gone from the archive.
        for version in revisions(row["version"], versions(row, index) if downloaded(row, target) is None else ()):
            if downloaded(row, target) is None:
                print(f"{requirement(row)} is not in the archive: trying {version}.", flush=True)
                get([row | {"version": version}], index, target)
        if downloaded(row, target) is None:
            raise SystemExit(
                f"Debian's archive, as apt is set up here, has no {requirement(row)}: run `apt-get update`, or change "
                "its version in the list of packages to one that `apt-cache policy` or `showsrc` shows."
            )


def versions(row: dict[str, Any], index: list[str]) -> list[str]:
    """Those of a package that the archive has now."""
    command = ["showsrc", "--only-source"] if row.get("source") else ["show"]
    asked = subprocess.run(
        ["apt-cache", *index, *command, row["name"]], capture_output=True, text=True, check=False
    ).stdout
    return re.findall(r"(?m)^Version: (\S+)$", asked)


def get(rows: list[dict[str, Any]], index: list[str], target: Path) -> None:
    """Let apt download what it can of the packages; its own messages say what."""
    sources = [requirement(row) for row in rows if row.get("source")]
    libraries = [requirement(row) for row in rows if not row.get("source")]
    if sources:
        subprocess.run(["apt-get", "-q", *index, "source", "--download-only", *sources], cwd=target, check=False)
    if libraries:
        subprocess.run(["apt-get", "-q", "download", *libraries], cwd=target, check=False)


def requirement(row: dict[str, Any]) -> str:
    """A package as apt takes it on its command line."""
    return f"{row['name']}={row['version']}"


def members(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    """The plain files of an archive."""
    for member in archive:
        file = archive.extractfile(member) if member.isfile() else None
        if file is not None:
            yield member.name.removeprefix("./"), file.read()


def read_source(original: Path, packaging: Path) -> tuple[str, dict[str, bytes]]:
    """The copyright file and the files of a source package, by their paths inside it."""
    with tarfile.open(original) as archive:
        listed = list(members(archive))
    top = {name.partition("/")[0] for name, _ in listed}
    # An archive may hold the project's files without a folder around them.
    files = {name.partition("/")[2]: data for name, data in listed} if len(top) == 1 else dict(listed)
    with tarfile.open(packaging) as archive:
        notice = next((data for name, data in members(archive) if name.endswith("debian/copyright")), b"")
    return notice.decode("utf-8", errors="replace"), {
        name: data for name, data in files.items() if name and not name.startswith("debian/")
    }


def read_library(path: Path, root: str) -> tuple[str, dict[str, bytes]]:
    """The copyright file of a library package, and its files by their paths below `root`, a regular expression."""
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(path)], capture_output=True, check=True).stdout
    notice, files = b"", {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for name, content in members(archive):
            if re.fullmatch(r"usr/share/doc/[^/]+/copyright", name):
                notice = content
            elif inside := re.match(root, name):
                files[name[inside.end() :]] = content
    return notice.decode("utf-8", errors="replace"), files


def load(rows: list[dict[str, Any]], folder: Path, listed: list[str]) -> Iterator[Source]:
    """Each pinned package and those of its files whose own licence is on the list, still unfiltered.

    A file that another licence covers is counted under `licence`.

    Raises:
        SystemExit: an archive is missing, or no file can be taken from it.
    """
    target = folder / "debian"
    for pinned in rows:
        row = downloaded(pinned, target) or pinned
        if archives := source_files(row, target) if row.get("source") else None:
            notice, files = read_source(*archives)
        elif archive := None if row.get("source") else library_file(row, target):
            notice, files = read_library(archive, row["root"])
        else:
            raise SystemExit(f"No archive of {row['name']} {row['version']} in {target}: run without --offline.")
        try:
            rules = dep5.stanzas(notice)
        except ValueError as error:
            raise SystemExit(f"{row['name']} {row['version']} has {error}: take it out.") from None
        package = Package(ECOSYSTEM, row["name"], row["version"], "")
        own_names = row.get("licence_names", {})
        stated = {name: dep5.licence_of(name, rules) for name in files}
        stated = {name: own_names.get(licence, licence) for name, licence in stated.items()}
        allowed = {name for name, licence in stated.items() if licences.allowed(licence, listed)}
        if not allowed:
            raise SystemExit(f"{row['name']} {row['version']} has no file under a licence on the list: take it out.")
        package.dropped["licence"] += len(files) - len(allowed)
        package.stated = {name: stated[name] for name in allowed}
        yield package, iter([(name, files[name]) for name in sorted(allowed)])
