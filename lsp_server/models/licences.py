"""Licences of models: which may be used as one likes, which must be accepted first, and how that is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lsp_server.models.errors import ModelError

PERMISSIVE: Final = {
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
    "bsd": "BSD",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "isc": "ISC",
    "zlib": "Zlib",
    "unlicense": "Unlicense",
    "cc0-1.0": "CC0-1.0",
}
"""The hub's licence tags that do not restrict use, and their names; every other must be accepted."""
YES: Final = frozenset({"y", "yes"})


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence for people: `restricts` says whether it must be accepted, `summary` what it restricts."""

    name: str
    url: str = ""
    restricts: bool = True
    summary: str = ""

    def __str__(self) -> str:
        where = f" ({self.url})" if self.url else ""
        return f"{self.name}{where}{f': {self.summary}' if self.summary else ''}"


def from_hub(tag: str, name: str, link: str, card: str) -> Licence:
    """The licence that a repository's own page declares (`license`, `license_name`, `license_link`); `card` is its URL.

    What is not known to be permissive counts as restricting use, and so does a repository that says nothing.
    """
    if known := PERMISSIVE.get(tag.lower()):
        return Licence(known, link or card, restricts=False)
    if not tag and not name:
        return Licence("no licence named", card, summary="the repository does not say what may be done with the model.")
    shown = name or tag
    return Licence(shown, link or card, summary="read it: Foretype does not know it to be free of restrictions.")


def require_acceptance(
    licence: Licence, *, accepted: bool, ask: Callable[[str], str] | None, say: Callable[[str], None]
) -> bool:
    """Show the licence; whether it was one that had to be accepted, and was. Raises ModelError if it was not.

    `ask` puts a question and returns the answer; None where nobody can be asked.
    """
    say(f"Licence: {licence}")
    if not licence.restricts:
        return False
    if accepted:
        return True
    if ask is None:
        raise ModelError(
            f"The licence {licence.name} restricts what you may do: read it, and run the command again with "
            "--accept-licence if you accept it."
        )
    if ask("It restricts what you may do. Do you accept it? [y/N] ").strip().lower() not in YES:
        raise ModelError(f"The licence {licence.name} was not accepted: nothing was downloaded.")
    return True
