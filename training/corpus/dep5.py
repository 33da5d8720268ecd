"""Reads Debian's machine-readable copyright files (DEP-5): which licence covers which file of a source package."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection

from training import licences

# Debian's short names, lower-cased, where they differ from SPDX. Names that Debian packagers make up for
# a changed text ("BSD-3-clause-Google-variant") are not here, and so are refused.
NAMES = {
    "expat": "MIT",
    "mit/x11": "MIT",
    "bsd-2-clauses": "BSD-2-Clause",
    "bsd-3-clauses": "BSD-3-Clause",
    "bsd-2": "BSD-2-Clause",
    "bsd-3": "BSD-3-Clause",
    "apache-2": "Apache-2.0",
    "apache2.0": "Apache-2.0",
    "zlib/libpng": "Zlib",
    "cc0": "CC0-1.0",
    "psf-2": "PSF-2.0",
    "psf": "PSF-2.0",
}
FIELD = re.compile(r"^([A-Za-z][\w-]*):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)
OPERATOR = re.compile(r"\s+(and|or)\s+", re.IGNORECASE)


@functools.cache
def pattern(glob: str) -> re.Pattern[str]:
    """A Files pattern as a regular expression: `*` and `?` also match slashes, a backslash takes their meaning away."""
    parts = re.findall(r"\\.|.", glob)
    known = {"*": ".*", "?": "."}
    return re.compile("".join(known.get(part, re.escape(part[-1])) for part in parts), re.DOTALL)


def stanzas(text: str) -> list[tuple[list[str], str]]:
    """The Files stanzas as (patterns, licence as an SPDX expression), in their order.

    Raises:
        ValueError: the file is not in the machine-readable format.
    """
    found: list[tuple[list[str], str]] = []
    blocks = re.split(r"\n[ \t]*\n(?=\S)", text.replace("\r\n", "\n"))
    if not re.search(r"^Format:.*copyright-format", blocks[0], re.MULTILINE | re.IGNORECASE):
        raise ValueError("no machine-readable copyright file")
    for block in blocks:
        fields = {name.lower(): value for name, value in FIELD.findall(block)}
        if "files" in fields and "license" in fields:
            found.append((fields["files"].split(), expression(fields["license"].split("\n")[0])))
    return found


def expression(synopsis: str) -> str:
    """A licence line as an SPDX expression; a name that is not known stays as it is, and is on no list."""
    parts = OPERATOR.split(synopsis.strip())
    return " ".join(
        part.upper() if index % 2 else NAMES.get(part.strip().lower(), part.strip()) for index, part in enumerate(parts)
    )


def licence_of(path: str, found: list[tuple[list[str], str]]) -> str:
    """The licence of a file: the last stanza that matches decides. Empty if none does."""
    for patterns, licence in reversed(found):
        if any(pattern(glob.removeprefix("./")).fullmatch(path) for glob in patterns):
            return licence
    return ""


def joined(expressions: Collection[str], listed: Collection[str]) -> str:
    """One expression for files under several: of each choice only what is on the list, all of them joined with AND."""
    kept = set()
    for stated in expressions:
        choices = [choice for choice in re.split(r"\s+OR\s+", stated) if licences.allowed(choice, listed)]
        kept.add(" OR ".join(choices) if len(choices) > 1 else choices[0])
    if len(kept) == 1:
        return kept.pop()
    return " AND ".join(f"({item})" if " OR " in item else item for item in sorted(kept))
