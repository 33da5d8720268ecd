"""Reading packages of the three registries: which licence covers which file, and what is taken."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from training import licences, settings
from training.corpus import debian, dep5, npm, pypi, records, selection
from training.corpus.records import Package
from training.corpus.revisions import revisions

LIMITS = settings.load().corpus
LISTED = LIMITS["licences"]
COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: example

Files: *
Copyright: 2020 Someone
License: Expat

Files: lib/md5.c lib/md5.h
 contrib/*
Copyright: 2001 Another
License: GPL-2+

Files: contrib/free.c
Copyright: 2002 Third
License: BSD-3-clause or GPL-2

License: Expat
 Permission is hereby granted, ...
"""


def archive(path: Path, files: dict[str, str]) -> None:
    """A compressed tar archive with these files."""
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))


def code(number: int) -> str:
    """A C file of its own, long enough to be taken."""
    return (
        "\n".join(
            f"int add_{number}_{line}(int left, int right) {{ return left + right * {line}; }}" for line in range(5)
        )
        + "\n"
    )


@pytest.mark.parametrize(
    ("path", "licence"),
    [
        ("src/main.c", "MIT"),
        ("lib/md5.c", "GPL-2+"),
        ("lib/md5.c.orig", "MIT"),
        ("contrib/deep/a.c", "GPL-2+"),
        ("contrib/free.c", "BSD-3-clause OR GPL-2"),
    ],
)
def test_the_last_stanza_that_matches_decides_the_licence(path: str, licence: str) -> None:
    assert dep5.licence_of(path, dep5.stanzas(COPYRIGHT)) == licence


def test_a_copyright_file_for_people_only_is_refused() -> None:
    with pytest.raises(ValueError, match="no machine-readable copyright file"):
        dep5.stanzas("This package was debianised by Someone.\n\nLicense: MIT\n")


@pytest.mark.parametrize("name", ["BSD-3-clause-Google", "Expat-like", "public-domain", "curl", "GPL-2+ and MIT"])
def test_names_that_are_not_on_the_list_stay_refused(name: str) -> None:
    assert not licences.allowed(dep5.expression(name), LISTED)


def test_licences_of_several_files_are_joined_without_the_choices_not_taken() -> None:
    stated = {"MIT", "GPL-2 OR BSD-3-Clause", "Apache-2.0 OR MIT"}
    together = dep5.joined(stated, LISTED)
    assert (together, licences.allowed(together, LISTED)) == ("(Apache-2.0 OR MIT) AND BSD-3-Clause AND MIT", True)


def test_a_debian_source_package_gives_only_files_under_listed_licences(tmp_path: Path) -> None:
    folder = tmp_path / "debian"
    folder.mkdir()
    archive(folder / "example_1.0.orig.tar.gz", {"example-1.0/src/main.c": code(1), "example-1.0/lib/md5.c": code(2)})
    archive(folder / "example_1.0-2.debian.tar.gz", {"debian/copyright": COPYRIGHT})
    row = {"name": "example", "version": "1:1.0-2", "source": True}
    [(package, files)] = debian.load([row], tmp_path, LISTED)
    assert ([name for name, _ in files], package.dropped["licence"]) == (["src/main.c"], 1)


def test_a_missing_debian_package_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"No archive of example 1\.0-2 in .*: run without --offline\."):
        list(debian.load([{"name": "example", "version": "1.0-2", "source": True}], tmp_path, LISTED))


def test_without_apt_the_step_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(SystemExit, match="needs apt-get to fetch Debian packages: run on Debian, or use --offline"):
        debian.fetch([{"name": "example", "version": "1.0-2", "source": True}], tmp_path)


@pytest.mark.parametrize(
    ("row", "files"),
    [
        ({"name": "b", "version": "1:2.0-1", "root": "usr/"}, ["b_1%3a2.0-1_all.deb"]),
        ({"name": "b", "version": "1:2.0-1", "source": True}, ["b_2.0.orig.tar.xz", "b_2.0-1.debian.tar.xz"]),
        ({"name": "b", "version": "2.0+deb12u1", "source": True}, ["b_2.0+deb12u1.tar.xz"]),
    ],
    ids=["library", "source", "native source"],
)
def test_archives_of_debian_are_found_by_their_names(tmp_path: Path, row: dict[str, object], files: list[str]) -> None:
    before = debian.downloaded(row, tmp_path)
    for name in files:
        (tmp_path / name).touch()
    assert (before, debian.downloaded(row, tmp_path)) == (None, row)


def test_a_revision_of_the_same_upstream_source_stands_for_one_that_the_archive_lost(tmp_path: Path) -> None:
    for name in ("b_2.0.orig.tar.xz", "b_2.0-1+deb12u9.debian.tar.xz", "b-tools_2.0-3_all.deb"):
        (tmp_path / name).touch()
    found = debian.downloaded({"name": "b", "version": "1:2.0-1+deb12u10", "source": True}, tmp_path)
    assert found == {"name": "b", "version": "2.0-1+deb12u9", "source": True}


def test_revisions_are_tried_from_the_pinned_one_to_the_oldest_and_other_sources_never() -> None:
    offered = ["1.0-9+deb12u9", "1.0-9+deb12u11", "1.1-1", "1.0-9+deb12u10", "1.0-2"]
    tried = revisions("1.0-9+deb12u10", offered)
    assert tried == ["1.0-9+deb12u10", "1.0-9+deb12u11", "1.0-9+deb12u9", "1.0-2"]


@pytest.mark.parametrize(
    ("package", "licence"),
    [
        ({"license": "MIT"}, "MIT"),
        ({"license": {"type": "ISC"}}, "ISC"),
        ({"licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}, "MIT AND GPL-2.0"),
        ({}, ""),
    ],
)
def test_the_licence_of_an_npm_package_is_read_in_all_its_forms(package: dict[str, object], licence: str) -> None:
    assert npm.stated(package) == licence


def test_javascript_beside_its_typescript_is_not_taken() -> None:
    files = {"src/a.ts": b"x" * 100, "lib/a.js": b"x" * 100, "README.md": b"x"}
    assert [name for name, _ in npm.sources(files)] == ["README.md", "src/a.ts"]


def test_type_declarations_do_not_make_javascript_compiled() -> None:
    files = {"index.d.ts": b"x" * 1000, "lib/a.js": b"x" * 100}
    assert "lib/a.js" in dict(npm.sources(files))


def test_an_npm_package_under_another_licence_stops_the_step(tmp_path: Path) -> None:
    (tmp_path / "npm").mkdir()
    archive(tmp_path / "npm" / "scope-name-1.0.0.tgz", {"package/package.json": json.dumps({"license": "GPL-3.0"})})
    with pytest.raises(SystemExit, match=r"@scope/name@1\.0\.0 is licensed 'GPL-3\.0', which is not on the list"):
        list(npm.load(["@scope/name@1.0.0"], tmp_path, LISTED))


def test_archive_names_are_compared_as_pip_normalises_them() -> None:
    names = [Path("Flask_SQLAlchemy-3.1.1-py3-none-any.whl"), Path("flask_sqlalchemy-3.1.1.tar.gz")]
    assert [pypi.archive_key(name) for name in names] == [pypi.split("flask-sqlalchemy==3.1.1")] * 2


def collected(files: dict[str, str], limits: dict[str, object] = LIMITS, seed: int = 1) -> Package:
    """A package with those of the files that are taken."""
    encoded = [(name, text.encode()) for name, text in files.items()]
    return selection.collect(Package("debian", "example", "1", "MIT"), encoded, limits, seed)


def limited(**changes: int) -> dict[str, object]:
    """The configuration with other sizes for C."""
    return {**LIMITS, "languages": {**LIMITS["languages"], "c": {**LIMITS["languages"]["c"], **changes}}}


def test_every_file_that_is_left_out_is_counted_with_its_reason() -> None:
    secret = 'const char *api_key = "q8ZrT2vXw7LpK4mNs9BdHf3JcYgA6eUo";\n'
    files = {"a.c": code(1), "tests/b.c": code(2), "c.c": "int x;\n", "d.c": code(3) + secret, "e.bin": "x"}
    package = collected(files)
    assert (set(package.files), package.dropped) == ({"a.c"}, {"folder_or_name": 1, "size": 1, "secret": 1})


def test_no_package_exceeds_its_share_of_a_language_by_more_than_a_file() -> None:
    package = collected({f"{n}.c": code(n) for n in range(50)}, limited(max_package_bytes=2000))
    assert 2000 <= sum(map(len, package.files.values())) < 2000 + 2 * len(code(10))


def test_languages_are_cut_to_their_share() -> None:
    packages = [collected({f"{n}.c": code(n) for n in range(50)})]
    selection.cut_languages(packages, limited(max_bytes=3000), seed=1)
    assert 2000 < sum(map(len, packages[0].files.values())) <= 3000


def test_the_same_seed_takes_the_same_files_in_whatever_order_they_are_given() -> None:
    files = {f"{n}.c": code(n) for n in range(50)}
    packages = [collected(dict(order), limited(max_package_bytes=2000)) for order in (files.items(), files.items())]
    assert packages[0].files == packages[1].files


def test_what_is_written_is_read_back_with_the_registry_in_the_name(tmp_path: Path) -> None:
    package = Package("npm", "zod", "1", "MIT", {"a.ts": "const é = 1\n"}, {"a.ts": "typescript"})
    records.write_jsonl(tmp_path / "train.jsonl", [package])
    expected = {"package": "npm:zod", "path": "a.ts", "language": "typescript", "text": "const é = 1\n"}
    assert records.read_jsonl(tmp_path / "train.jsonl") == [expected]


def test_a_corpus_that_was_not_made_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"No corpus at .*: run `python -m training\.corpus` first\."):
        records.read_jsonl(tmp_path / "train.jsonl")
