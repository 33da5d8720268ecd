"""Files to type in: packages held out of all training where they are there, else this repository's own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.client.traces import Source
from benchmarks.quality import held_out

LANGUAGES: Final = ("python", "typescript", "go")
OWN: Final = {
    "python": ("lsp_server", "*.py"),
    "typescript": ("editors/vscode/src", "*.ts"),
    "lua": ("editors/nvim", "*.lua"),
}
ROOT: Final = Path(__file__).parents[2]


def read(path: Path) -> tuple[str, list[Source]]:
    """Where they are from, and the files. Raises BenchError if the held-out file is damaged."""
    if path.is_file():
        records = held_out.read(path)
        return path.name, [
            Source(f"{each.package.rpartition(':')[2]}/{each.path}", each.language, each.text)
            for each in records
            if each.language in LANGUAGES
        ]
    sources = [
        Source(str(file.relative_to(ROOT)), language, file.read_text(encoding="utf-8"))
        for language, (folder, pattern) in OWN.items()
        for file in sorted((ROOT / folder).rglob(pattern))
        if "node_modules" not in file.parts
    ]
    return "this repository's own sources", sources
