"""Which of a repository's GGUF files to take; pure.

INT4 in this order: Q4_K_M, Q4_0, then the other four-bit kinds. Q4_K_M is about 6 % larger than Q4_0 and keeps
more of the original; whoever wants another kind names its file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from lsp_server.models.errors import ModelError
from lsp_server.models.names import SUFFIX

INT4: Final = ("Q4_K_M", "Q4_0", "Q4_K", "Q4_K_S", "IQ4_NL", "IQ4_XS", "Q4_1")
"""Four-bit kinds of llama.cpp, the preferred first."""
MAX_NAMED: Final = 40
"""Files named in a sentence."""
_KIND: Final = re.compile(r"(?:^|[._-])((?:UD-)?I?Q\d+(?:_[A-Z0-9]+)*|B?F16|F32)$", re.IGNORECASE)
_PART: Final = re.compile(r"-\d{5}-of-\d{5}$", re.IGNORECASE)


def quantisation(file: str) -> str:
    """The kind that a file's name ends with, such as Q4_K_M; empty if it does not say."""
    found = _KIND.search(file.rpartition("/")[2][: -len(SUFFIX)])
    return found[1].upper() if found else ""


def choose(files: Sequence[str], wanted: str | None, repo: str) -> str:
    """The file to take from `repo`: the one `wanted`, else the INT4 one, else the only one. Raises ModelError."""
    models = [file for file in files if file.lower().endswith(SUFFIX) and "mmproj" not in file.lower()]
    if wanted is not None:
        if wanted in models:
            return wanted
        same = [file for file in models if file.rpartition("/")[2].lower() == wanted.lower()]
        if len(same) == 1:
            return same[0]
        raise ModelError(f"There is no file {wanted} in {repo}{_those_there_are(models)}")
    whole = [file for file in models if not _PART.search(file[: -len(SUFFIX)])]
    if not whole:
        why = "only GGUF files in several parts, which Foretype does not join" if models else "no GGUF file"
        raise ModelError(f"{repo} has {why}: choose a repository with one GGUF file per model.")
    for kind in INT4:
        of_kind = [file for file in whole if quantisation(file) == kind]
        if len(of_kind) == 1:
            return of_kind[0]
        if of_kind:
            raise ModelError(f"{repo} has several {kind} files: name one with --file{_those_there_are(of_kind)}")
    if len(whole) == 1:
        return whole[0]
    raise ModelError(f"{repo} has no INT4 file: name one with --file{_those_there_are(whole)}")


def _those_there_are(files: Sequence[str]) -> str:
    if not files:
        return ": it has no GGUF file."
    more = f" and {len(files) - MAX_NAMED} more" if len(files) > MAX_NAMED else ""
    return f". There are: {', '.join(sorted(files)[:MAX_NAMED])}{more}."
