"""Whether a file is well formed: Python by its own parser, others by tree-sitter where its grammars are installed."""

from __future__ import annotations

import ast
import importlib
import tomllib
import warnings
from collections.abc import Callable
from functools import cache
from typing import Final

Parses = Callable[[str], bool]

GRAMMARS: Final[dict[str, tuple[str, str]]] = {
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "typescriptreact": ("tree_sitter_typescript", "language_tsx"),
    "javascript": ("tree_sitter_javascript", "language"),
    "javascriptreact": ("tree_sitter_javascript", "language"),
    "go": ("tree_sitter_go", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "c": ("tree_sitter_c", "language"),
    "shellscript": ("tree_sitter_bash", "language"),
    "yaml": ("tree_sitter_yaml", "language"),
}
"""By LSP language id: the module of a grammar and its function. Of the rest, Markdown has no wrong texts, and no
grammar of Dockerfiles that we would depend on is on PyPI."""


def _python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as of `"\d"`: the file's own business
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    return True


@cache
def parser(language: str) -> Parses | None:
    """The judge of a language's files; None where there is none, or its grammar is not installed."""
    if language == "python":
        return _python
    if language == "toml":
        return _toml
    if language not in GRAMMARS:
        return None
    module, function = GRAMMARS[language]
    try:
        import tree_sitter

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # older grammars hand over a number, not a capsule
            grammar = tree_sitter.Language(getattr(importlib.import_module(module), function)())
    except ImportError:
        return None
    reader = tree_sitter.Parser(grammar)
    return lambda text: not reader.parse(text.encode("utf-8", "replace")).root_node.has_error


def missing_grammars() -> list[str]:
    """The languages whose grammars are known here and not installed."""
    return [language for language in GRAMMARS if parser(language) is None]
