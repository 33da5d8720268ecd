"""What is imported when: by name, as times differ from machine to machine."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import lsp_server

NOT_FOR_THE_COMMAND = {
    "asyncio", "attrs", "cachetools", "filelock", "lsprotocol", "msgspec", "pathspec", "pygls", "rich", "ssl",
    "websockets",
}  # fmt: skip
"""`foretype-lsp` itself, which decides what to load."""
NOT_FOR_THE_SERVER = {
    "aiohttp", "detect_secrets", "gguf", "huggingface_hub", "hypothesis", "llama_cpp", "numpy", "prometheus_client",
    "pygments", "requests", "rich", "tokenizers", "torch", "uvloop", "yaml", "unittest", "lsp_server.demo",
    "lsp_server.doctor", "lsp_server.privacy.bundle", "lsp_server.privacy.clean", "lsp_server.privacy.explain",
    "tree_sitter_python", "tree_sitter_typescript", "tree_sitter_cpp", "edge_proxy", "gpu_worker",
}  # fmt: skip
"""A server that waits for an editor. Grammars come with the first file of their language."""


def imported(module: str) -> set[str]:
    script = f"import sys, {module}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_command_loads_nothing_heavy() -> None:
    assert imported("lsp_server.cli") & NOT_FOR_THE_COMMAND == set()


def test_the_server_loads_nothing_that_it_may_not_need() -> None:
    assert imported("lsp_server.serve") & NOT_FOR_THE_SERVER == set()


def test_one_place_alone_makes_the_frame_in_which_text_goes_to_an_edge() -> None:
    """So that all of it goes through the mask, and a second way out cannot be added unseen."""
    package = Path(lsp_server.__file__).parent
    makers = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Complete"
    }
    assert makers == {"sources/edge_dialect.py"}
