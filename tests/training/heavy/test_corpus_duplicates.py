"""Exact and near duplicates are kept once, and the whole step gives the same bytes for the same input."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from training import settings
from training.corpus.records import Package, read_jsonl

duplicates = pytest.importorskip("training.corpus.duplicates")

CODE = "\n".join(f"def step_{n}(value):\n    return value * {n} + helper_{n}(value)\n" for n in range(40))
OTHER = "\n".join(
    f"class Shape{n}:\n    sides = {n}\n\n    def area(self):\n        return self.w * {n}\n" for n in range(40)
)
NOTICE = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: Expat
"""


def package(name: str, **files: str) -> Package:
    """A package of Python files."""
    named = {f"{key}.py": text for key, text in files.items()}
    return Package("pypi", name, "1", "MIT", named, dict.fromkeys(named, "python"))


def test_the_first_of_equal_files_is_kept() -> None:
    packages = [package("one", a=CODE), package("two", a=CODE, b=OTHER)]
    duplicates.drop_exact(packages)
    assert [(set(item.files), item.dropped) for item in packages] == [({"a.py"}, {}), ({"b.py"}, {"duplicate": 1})]


def test_the_first_of_nearly_equal_files_is_kept() -> None:
    edited = CODE.replace("step_7(", "step_seven(") + "\nLAST = True\n"
    packages = [package("one", a=CODE), package("two", a=edited, b=OTHER)]
    duplicates.drop_near([], packages, 0.8)
    assert [set(item.files) for item in packages] == [{"a.py"}, {"b.py"}]
    assert packages[1].dropped == {"near_duplicate": 1}


def test_files_that_share_half_are_both_kept() -> None:
    packages = [package("one", a=CODE), package("two", a=CODE[: len(CODE) // 2] + OTHER)]
    duplicates.drop_near([], packages, 0.8)
    assert [set(item.files) for item in packages] == [{"a.py"}, {"a.py"}]


def test_a_training_file_like_a_held_out_one_is_dropped_and_the_held_out_one_stays() -> None:
    held_out, train = package("kept", a=CODE), package("other", a=CODE.replace("step_7(", "step_seven("), b=OTHER)
    duplicates.drop_near([held_out], [train], 0.8)
    assert (set(held_out.files), set(train.files)) == ({"a.py"}, {"b.py"})
    assert train.dropped == {"near_duplicate_of_held_out": 1}


def test_jaccard_is_the_intersection_over_the_union() -> None:
    vocabulary = duplicates.ngrams.Vocabulary()
    one, other = (duplicates.shingles(text, vocabulary) for text in ("a b c d e f g h", "a b c d e f g x"))
    assert duplicates.jaccard(one, other) == pytest.approx(3 / 5)


def archive(path: Path, files: dict[str, str]) -> None:
    """A compressed tar archive with these files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))


def synthetic_registries(folder: Path) -> None:
    """One package of each registry to train on, and one to hold out."""
    for name in ("first", "second"):
        path = folder / "pypi" / f"{name}-1.0-py3-none-any.whl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(
                f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.4\nName: {name}\nLicense-Expression: MIT\n"
            )
            for n in range(20):
                wheel.writestr(
                    f"{name}/part{n}.py",
                    "\n".join(f"{name}_{n}_{line} = call_{line}(option={n}, other='{line}')" for line in range(20)),
                )
    script = "\n".join(f"export const value{n} = compute(input.{'abcdefgh'[n % 8]}, {n})" for n in range(20))
    archive(
        folder / "npm" / "third-1.0.0.tgz",
        {"package/package.json": json.dumps({"license": "ISC"}), "package/lib/a.js": script},
    )
    source = "\n".join(f"int add_{n}(int left, int right) {{ return left + right * {n}; }}" for n in range(20))
    archive(
        folder / "debian" / "fourth_1.0.orig.tar.gz",
        {"fourth-1.0/a.c": source, "fourth-1.0/README.md": "# Fourth\n\nAdds numbers. " * 30},
    )
    archive(folder / "debian" / "fourth_1.0-1.debian.tar.gz", {"debian/copyright": NOTICE})


def run_step(folder: Path, hash_seed: int) -> dict[str, bytes]:
    """Run the whole step on the synthetic registries; what it wrote, by file name."""
    output = folder / str(hash_seed)
    lists = folder / "packages.toml"
    lists.write_text(
        'pypi_sdists = []\n[train]\npypi = ["second==1.0"]\nnpm = ["third@1.0.0"]\n'
        'debian = [{ name = "fourth", version = "1.0-1", source = true }]\n'
        '[held_out]\npypi = ["first==1.0"]\nnpm = []\ndebian = []\n'
    )
    config = settings.DEFAULT_CONFIG.read_text(encoding="utf-8")
    for old, new in [
        ('"training/output"', f'"{output}"'),
        ('"training/manifest.json"', f'"{output}/manifest.json"'),
        ('"training/corpus/packages.toml"', f'"{lists}"'),
        ("python-standard-library = 10_000_000", "python-standard-library = 50_000"),
    ]:
        assert old in config
        config = config.replace(old, new)
    (output / "corpus").mkdir(parents=True)
    (output / "config.toml").write_text(config, encoding="utf-8")
    command = [sys.executable, "-m", "training.corpus", "--offline"]
    options = ["--config", str(output / "config.toml"), "--packages", str(folder / "archives")]
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    done = subprocess.run(
        [*command, *options], cwd=settings.REPOSITORY, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    files = [output / "corpus" / "train.jsonl", output / "corpus" / "held_out.jsonl", output / "manifest.json"]
    return {file.name: file.read_bytes() for file in files}


# Two processes that read the standard library: seconds, but minutes beside a training run.
@pytest.mark.timeout(600)
def test_the_same_packages_and_seed_give_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    synthetic_registries(tmp_path / "archives")
    first, second = run_step(tmp_path, 1), run_step(tmp_path, 2)
    packages = {record["package"] for record in read_jsonl(tmp_path / "1" / "corpus" / "train.jsonl")}
    assert packages == {"python:python-standard-library", "pypi:second", "npm:third", "debian:fourth"}
    assert first == second
