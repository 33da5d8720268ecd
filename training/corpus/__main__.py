"""`python -m training.corpus`: fetch, filter, take duplicates out, write the corpus and its manifest."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training import settings
from training.corpus import debian, duplicates, held_out, manifest, npm, pypi, records, selection

START = time.monotonic()
PROGRESS_PACKAGES = 25


def say(text: str) -> None:
    """One line of progress, with the seconds since the start."""
    print(f"[{time.monotonic() - START:5.0f} s] {text}", flush=True)


def read_lists(path: Path) -> dict[str, Any]:
    """The pinned packages of every registry.

    Raises:
        SystemExit: the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SystemExit(f"No list of packages at {path}: correct `packages` in the configuration.") from None
    except tomllib.TOMLDecodeError as error:
        raise SystemExit(f"{path} is not valid TOML: {error}.") from None


def fetch(lists: dict[str, Any], folder: Path) -> None:
    """Download every pinned package that is not in the folder."""
    both = [lists["train"], lists["held_out"]]
    say("fetching from PyPI")
    pypi.fetch([item for part in both for item in part["pypi"]], lists["pypi_sdists"], folder)
    say("fetching from npm")
    npm.fetch([item for part in both for item in part["npm"]], folder)
    say("fetching from Debian")
    debian.fetch([item for part in both for item in part["debian"]], folder)


def sources(part: dict[str, Any], lists: dict[str, Any], folder: Path, listed: list[str]) -> Iterator[pypi.Source]:
    """The packages of one part, Python first, each with its unfiltered files."""
    names = {pypi.split(item) for item in part["pypi"]}
    sdists = [item for item in lists["pypi_sdists"] if pypi.split(item) in names]
    yield from pypi.load(part["pypi"], sdists, folder, listed)
    yield from npm.load(part["npm"], folder, listed)
    yield from debian.load(part["debian"], folder, listed)


def collected(found: Iterator[pypi.Source], limits: dict[str, Any], seed: int) -> list[records.Package]:
    """The packages with their filtered files."""
    packages: list[records.Package] = []
    for package, files in found:
        packages.append(selection.collect(package, files, limits, seed))
        if len(packages) % PROGRESS_PACKAGES == 0:
            say(f"filtered {len(packages)} packages, the last {package.key}")
    return packages


def main() -> None:
    """Fetch, filter, write."""
    parser = settings.arguments("Make the training corpus from permissively licensed packages.")
    parser.add_argument("--offline", action="store_true", help="use only the archives already downloaded")
    parser.add_argument("--packages", type=Path, help="where archives are kept (default: OUTPUT/packages)")
    options = parser.parse_args()
    config = settings.load(options.config)
    limits = config.corpus
    lists = read_lists(config.path(limits["packages"]))
    folder = options.packages or config.output / "packages"
    if not options.offline:
        fetch(lists, folder)
    listed = limits["licences"]
    kept_out = collected(sources(lists["held_out"], lists, folder, listed), limits, config.seed)
    library = selection.collect(*pypi.standard_library(), limits, config.seed)
    train = [library, *collected(sources(lists["train"], lists, folder, listed), limits, config.seed)]
    say(f"{sum(len(package.files) for package in train)} files passed the filters; exact duplicates")
    duplicates.drop_exact([*kept_out, *train])
    held_out.drop_copies(train, kept_out, limits["max_heldout_overlap"])
    duplicates.drop_near(kept_out, train, limits["near_duplicate_jaccard"], say)
    selection.cut_languages(train, limits, config.seed)
    records.write_jsonl(config.output / "corpus" / "train.jsonl", train)
    records.write_jsonl(config.output / "corpus" / "held_out.jsonl", kept_out)
    summary = manifest.summary(train, kept_out, listed, held_out.overlap(train, kept_out, say))
    config.path(limits["manifest"]).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    shares = {name: f"{item['bytes'] / 1e6:.1f} MB" for name, item in summary["languages"].items()}
    say(f"{summary['files']} files, {summary['bytes'] / 1e6:.1f} MB from {len(summary['train'])} packages: {shares}")
    say(f"dropped: {summary['dropped_files']}")


if __name__ == "__main__":
    main()
