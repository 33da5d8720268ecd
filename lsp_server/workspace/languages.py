"""Which language a file is in by its name, and which languages help one another; pure."""

from __future__ import annotations

import posixpath
from typing import Final

LANGUAGES: Final = {
    ".py": "python", ".pyi": "python", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript",
    ".jsx": "javascriptreact", ".ts": "typescript", ".mts": "typescript", ".cts": "typescript",
    ".tsx": "typescriptreact", ".go": "go", ".rs": "rust", ".java": "java", ".kt": "kotlin", ".c": "c", ".h": "c",
    ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp", ".hh": "cpp", ".cs": "csharp", ".rb": "ruby",
    ".php": "php", ".swift": "swift", ".scala": "scala", ".lua": "lua", ".sh": "shellscript", ".bash": "shellscript",
    ".html": "html", ".css": "css", ".scss": "scss", ".json": "json", ".yaml": "yaml", ".yml": "yaml",
    ".toml": "toml", ".md": "markdown", ".sql": "sql", ".hs": "haskell", ".nix": "nix",
}  # fmt: skip
"""LSP language ids by extension."""

CODE: Final = frozenset({
    "python", "javascript", "javascriptreact", "typescript", "typescriptreact", "go", "rust", "java", "kotlin",
    "c", "cpp", "csharp", "ruby", "php", "swift", "scala", "lua", "shellscript", "haskell",
})  # fmt: skip
"""Languages whose files are looked through for definitions; data and prose define no names."""

_FAMILIES: Final = {
    "javascriptreact": "javascript",
    "typescript": "javascript",
    "typescriptreact": "javascript",
    "vue": "javascript",
    "svelte": "javascript",
    "cpp": "c",
    "objective-c": "c",
    "objective-cpp": "c",
    "cuda-cpp": "c",
    "kotlin": "java",
    "scala": "java",
    "scss": "css",
    "less": "css",
    "jsonc": "json",
}


def language_of(path: str) -> str:
    """The LSP language id of a file's name; "plaintext" for one that is not known."""
    return LANGUAGES.get(posixpath.splitext(path)[1].lower(), "plaintext")


def family(language: str) -> str:
    """Languages of one family call one another's code or look alike: a snippet of one helps in the other."""
    return _FAMILIES.get(language, language)
