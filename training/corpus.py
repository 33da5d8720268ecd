"""Step 1: fetch permissively licensed Python, keep what is worth learning from, write it and its manifest.

`python -m training.corpus` asks pip for the packages listed in the configuration, refuses those whose
licence is not on the list, filters their files, and writes `corpus/train.jsonl` and
`corpus/held_out.jsonl` (one `{"package", "path", "text"}` a line) under the output folder.
"""

from __future__ import annotations

import email.parser
import hashlib
import json
import platform
import random
import re
import subprocess
import sys
import sysconfig
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import Any

from training import licences, settings

STANDARD_LIBRARY = "python-standard-library"
STANDARD_LIBRARY_LICENCE = "PSF-2.0"
# Files that a program wrote: nobody types them, and they are long.
GENERATED = re.compile(
    r"do not (edit|modify)|(auto(matically)?[- ]?generated|generated (automatically|by|from|with))", re.IGNORECASE
)
GENERATED_HEAD = 1500
LEGAL = re.compile(r"copyright|licen[cs]e|spdx|all rights reserved", re.IGNORECASE)
LEADING_COMMENTS = re.compile(r"(?:#[^\n]*\n|[ \t]*\n)+")
TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
# Code compresses to about a quarter; tables and repeated boilerplate go far below.
MIN_COMPRESSED_SHARE = 0.13
# Code is mostly letters; tables of numbers are not.
MIN_LETTERS_SHARE = 0.40
MAX_NON_ASCII_SHARE = 0.05
# Lines shorter than this (`return None`, `"""`) are shared by all programs and prove nothing.
OVERLAP_LINE = 30


@dataclass
class Package:
    """One source package and the files taken from it."""

    name: str
    version: str
    licence: str
    files: dict[str, str] = field(default_factory=dict)


def interesting(path: str, skip_folders: frozenset[str]) -> bool:
    """Whether a path inside a package is Python source that a person of that project wrote."""
    parts = PurePosixPath(path).parts
    if not path.endswith(".py") or TEST_FILE.search(path):
        return False
    return not any(
        part in skip_folders or part.endswith((".dist-info", ".data")) or part.startswith(".") for part in parts[:-1]
    )


def clean(text: str) -> str:
    """The text with \\n line ends, without byte order mark, trailing blanks and a leading legal notice."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n") + "\n"
    head = LEADING_COMMENTS.match(text)
    if head and LEGAL.search(head.group()):
        text = text[head.end() :]
    return text


def worthwhile(text: str, limits: dict[str, Any]) -> bool:
    """Whether a file looks like code that someone typed, by size, line length, letters and repetition."""
    data = text.encode("utf-8", errors="replace")
    if not limits["min_file_bytes"] <= len(data) <= limits["max_file_bytes"]:
        return False
    if GENERATED.search(text[:GENERATED_HEAD]) or "\x00" in text or "<|" in text:
        return False
    if max(map(len, text.split("\n"))) > limits["max_line_length"]:
        return False
    solid = [character for character in text if not character.isspace()]
    if sum(map(str.isalpha, solid)) < MIN_LETTERS_SHARE * len(solid):
        return False
    if len(data) - len(text) > MAX_NON_ASCII_SHARE * len(text):
        return False
    return len(zlib.compress(data)) >= MIN_COMPRESSED_SHARE * len(data)


def read_wheel(path: Path) -> tuple[Message, Iterator[tuple[str, bytes]]]:
    """A wheel's core metadata and its Python files."""
    archive = zipfile.ZipFile(path)
    names = archive.namelist()
    metadata = next(name for name in names if name.count("/") == 1 and name.endswith(".dist-info/METADATA"))
    message = email.parser.BytesParser().parsebytes(archive.read(metadata))
    return message, ((name, archive.read(name)) for name in sorted(names) if name.endswith(".py"))


def standard_library() -> Iterator[tuple[str, bytes]]:
    """The Python files of the interpreter that runs this."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        yield path.relative_to(root).as_posix(), path.read_bytes()


def collect(package: Package, sources: Iterable[tuple[str, bytes]], limits: dict[str, Any]) -> Package:
    """Fill a package with those of the files that pass every filter."""
    skip = frozenset(limits["skip_folders"])
    for name, data in sources:
        if not interesting(name, skip):
            continue
        try:
            text = clean(data.decode("utf-8"))
        except UnicodeDecodeError:
            continue
        if worthwhile(text, limits):
            package.files[name] = text
    return package


def fetch(requirements: list[str], folder: Path) -> None:
    """Have pip put each requirement's wheel into the folder; wheels already there are kept.

    Raises:
        SystemExit: pip could not get one of them; its own message has been printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    present = {wheel_key(path) for path in folder.glob("*.whl")}
    missing = [item for item in requirements if tuple(item.replace("_", "-").split("==")) not in present]
    if missing and subprocess.run([*command, "--dest", str(folder), *missing], check=False).returncode:
        raise SystemExit("pip could not download the corpus packages: see its message above; run again to go on.")


def wheel_key(path: Path) -> tuple[str, str]:
    """The normalised name and the version in a wheel's file name."""
    name, version = path.name.split("-")[:2]
    return re.sub(r"[-_.]+", "-", name).lower(), version


def load_packages(requirements: list[str], folder: Path, limits: dict[str, Any]) -> list[Package]:
    """Read the wheels of pinned requirements (`name==version`).

    Raises:
        SystemExit: a wheel is missing, or its licence is not on the list.
    """
    wheels = {wheel_key(path): path for path in folder.glob("*.whl")}
    packages = []
    for requirement in requirements:
        name, _, version = requirement.partition("==")
        path = wheels.get((name, version))
        if path is None:
            raise SystemExit(f"No wheel of {requirement} in {folder}: run without --offline to fetch it.")
        metadata, files = read_wheel(path)
        licence = licences.stated(metadata)
        if not licences.allowed(licence, limits["licences"]):
            raise SystemExit(f"{requirement} is licensed {licence!r}, which is not on the list: take it out.")
        packages.append(collect(Package(name, version, licence), files, limits))
    return packages


def long_lines(text: str) -> set[int]:
    """Hashes of the lines that are long enough to be recognised."""
    return {hash(line) for line in map(str.strip, text.split("\n")) if len(line) >= OVERLAP_LINE}


def separate(train: list[Package], held_out: list[Package], limits: dict[str, Any], seed: int) -> dict[str, int]:
    """Drop from `train` exact duplicates, files that overlap with held-out ones, and what exceeds a package's share.

    Returns the number of files dropped, by reason.
    """
    known = set().union(*(long_lines(text) for package in held_out for text in package.files.values()))
    seen = {hashlib.sha256(text.encode()).digest() for package in held_out for text in package.files.values()}
    dropped = {"duplicate": 0, "overlaps_held_out": 0, "over_package_share": 0}
    generator = random.Random(seed)
    for package in train:
        names = sorted(package.files)
        generator.shuffle(names)
        kept: dict[str, str] = {}
        size = 0
        share = limits["package_bytes"].get(package.name, limits["max_package_bytes"])
        for name in names:
            text = package.files[name]
            digest = hashlib.sha256(text.encode()).digest()
            lines = long_lines(text)
            if digest in seen:
                dropped["duplicate"] += 1
            elif lines and len(lines & known) > limits["max_heldout_overlap"] * len(lines):
                dropped["overlaps_held_out"] += 1
            elif size + len(text) > share:
                dropped["over_package_share"] += 1
            else:
                kept[name] = text
                size += len(text)
            seen.add(digest)
        package.files = kept
    return dropped


def write_jsonl(path: Path, packages: list[Package]) -> None:
    """One `{"package", "path", "text"}` a line, in the order of names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for package in packages:
            for name in sorted(package.files):
                record = {"package": package.name, "path": name, "text": package.files[name]}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_jsonl(path: Path) -> list[dict[str, str]]:
    """The records that `write_jsonl` wrote.

    Raises:
        SystemExit: the corpus has not been made yet.
    """
    if not path.exists():
        raise SystemExit(f"No corpus at {path}: run `python -m training.corpus` first.")
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def manifest(train: list[Package], held_out: list[Package], dropped: dict[str, int]) -> dict[str, Any]:
    """What went in: package, version, licence, number of files, bytes."""

    def rows(packages: list[Package]) -> list[dict[str, Any]]:
        return [
            {
                "package": package.name,
                "version": package.version,
                "licence": package.licence,
                "files": len(package.files),
                "bytes": sum(len(text.encode()) for text in package.files.values()),
            }
            for package in packages
        ]

    trained = rows(train)
    return {
        "bytes": sum(row["bytes"] for row in trained),
        "files": sum(row["files"] for row in trained),
        "dropped_files": dropped,
        "train": trained,
        "held_out": rows(held_out),
    }


def main() -> None:
    """Fetch, filter, write."""
    parser = settings.arguments("Make the training corpus from permissively licensed packages.")
    parser.add_argument("--offline", action="store_true", help="use only the wheels already downloaded")
    parser.add_argument("--packages", type=Path, help="where wheels are kept (default: OUTPUT/packages)")
    options = parser.parse_args()
    config = settings.load(options.config)
    limits = config.corpus
    folder = options.packages or config.output / "packages"
    if not options.offline:
        fetch([*limits["packages"], *limits["held_out"]], folder)
    library = Package(STANDARD_LIBRARY, platform.python_version(), STANDARD_LIBRARY_LICENCE)
    train = [collect(library, standard_library(), limits), *load_packages(limits["packages"], folder, limits)]
    held_out = load_packages(limits["held_out"], folder, limits)
    dropped = separate(train, held_out, limits, config.seed)
    write_jsonl(config.output / "corpus" / "train.jsonl", train)
    write_jsonl(config.output / "corpus" / "held_out.jsonl", held_out)
    summary = manifest(train, held_out, dropped)
    config.path(limits["manifest"]).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    print(f"{summary['files']} files, {summary['bytes'] / 1e6:.1f} MB from {len(train)} packages; dropped {dropped}")


if __name__ == "__main__":
    main()
