"""Which lines of a file somebody typed as code: not blank, no comment, no docstring, not too long; pure."""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

MIN_CHARACTERS: Final = 2
"""After the indentation: of a line that is one closing bracket there is nothing to suggest."""
MAX_CHARACTERS: Final = 200
"""Nobody types longer lines."""

_HASH: Final = re.compile(r"#")
_SLASHES: Final = re.compile(r"//|/\*|\*/|\* |\*$")
_COMMENT: Final = {
    **dict.fromkeys(("python", "shellscript", "toml", "yaml", "dockerfile"), _HASH),
    **dict.fromkeys(("typescript", "javascript", "typescriptreact", "javascriptreact", "go", "rust", "c"), _SLASHES),
    "markdown": re.compile(r"<!--"),
}
"""How a comment's line begins, by LSP language id. `* ` begins the further lines of a block comment; that C also has
`* pointer = …` at the start of a line costs nothing but that line."""


@dataclass(frozen=True)
class Lines:
    """A text's lines, split at \\n only. Offsets are in code points."""

    text: str
    starts: list[int]

    @classmethod
    def of(cls, text: str) -> Lines:
        """The lines of `text`; what follows the last \\n is a line too, perhaps an empty one."""
        return cls(text, [0, *(match.end() for match in re.finditer("\n", text))])

    def __len__(self) -> int:
        return len(self.starts)

    def at(self, index: int) -> str:
        """A line without its end."""
        end = self.starts[index + 1] - 1 if index + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[index] : end]

    def first(self, index: int) -> int:
        """The offset of a line's first visible character (of its end, if it is blank)."""
        line = self.at(index)
        return self.starts[index] + len(line) - len(line.lstrip())

    def last(self, index: int) -> int:
        """The offset behind a line's last visible character."""
        return self.starts[index] + len(self.at(index).rstrip())

    def indent(self, index: int) -> int:
        """How many blanks a line starts with."""
        return self.first(index) - self.starts[index]

    def blank(self, index: int) -> bool:
        """Whether a line has no visible character."""
        return not self.at(index).strip()

    def index(self, offset: int) -> int:
        """The line that an offset lies in."""
        return bisect_right(self.starts, offset) - 1


def code_lines(lines: Lines, language: str) -> list[int]:
    """The numbers (from 0) of the lines that hold code, in order."""
    prose = docstring_lines(lines.text) if language == "python" else frozenset()
    comment = _COMMENT.get(language)
    found = []
    for index in range(len(lines)):
        line = lines.at(index).strip()
        if not MIN_CHARACTERS <= len(line) <= MAX_CHARACTERS or index in prose:
            continue
        if comment is None or not comment.match(line):
            found.append(index)
    return found


def docstring_lines(text: str) -> frozenset[int]:
    """The lines (from 0) of Python's strings that stand alone: docstrings. None where the text is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the files' own faults, such as `"\d"`
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found.update(range(node.lineno - 1, node.end_lineno or node.lineno))
    return frozenset(found)
