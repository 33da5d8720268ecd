"""LSP's classes, made when first used, are as `lsprotocol` makes them; each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LAZY = "from lsp_server import protocol_types; assert protocol_types.load()\n"

COMPARED = """
import attrs, json, re
from lsprotocol import types
def described(cls):
    made = [(each.name, str(each.type), repr(each.default),
             re.sub(' at 0x\\w+', '', repr(each.validator)), each.kw_only, each.init, each.eq)
            for each in attrs.fields(cls)]
    return made, cls.__hash__ is None, cls.__eq__ is not object.__eq__, repr(cls.__init__.__annotations__)
# Annotations are resolved by the first converter where they are made at once.
from lsprotocol.converters import get_converter
converter = get_converter()
messages = {
    types.InitializeRequest: {"id": 1, "method": "initialize", "jsonrpc": "2.0", "params": {
        "processId": None, "rootUri": None, "workspaceFolders": [{"uri": "file:///w", "name": "w"}],
        "capabilities": {"workspace": {"configuration": True}, "general": {"positionEncodings": ["utf-8", "utf-16"]},
                         "textDocument": {"inlineCompletion": {"dynamicRegistration": True}}}}},
    types.DidChangeTextDocumentNotification: {"method": "textDocument/didChange", "jsonrpc": "2.0", "params": {
        "textDocument": {"uri": "file:///a", "version": 2}, "contentChanges": [{"text": "x", "range": {
            "start": {"line": 0, "character": 1}, "end": {"line": 0, "character": 2}}}, {"text": "all"}]}},
    types.InlineCompletionRequest: {"id": "a", "method": "textDocument/inlineCompletion", "jsonrpc": "2.0", "params": {
        "textDocument": {"uri": "file:///a"}, "position": {"line": 3, "character": 4}, "context": {
            "triggerKind": 1, "selectedCompletionInfo": {"text": "t", "range": {
                "start": {"line": 0, "character": 1}, "end": {"line": 0, "character": 2}}}}}},
}
out = []
for cls, message in messages.items():
    made = converter.structure(message, cls)
    out.append([repr(made), converter.unstructure(made), made == converter.structure(message, cls)])
one, other = types.Position(1, 2), types.Position(1, 3)
out.append([one < other, one == types.Position(1, 2), repr(types.Range(one, other)), repr(attrs.evolve(one, line=5))])
try:
    types.Position(-1, 0)
except ValueError as error:
    out.append(type(error).__name__)
classes = {name: described(each) for name, each in types.ALL_TYPES_MAP.items()
           if isinstance(each, type) and attrs.has(each)}
print(json.dumps({"classes": classes, "messages": out}))
"""


def said_by(script: str, path: Path | None = None) -> Any:
    environment = (
        os.environ if path is None else {**os.environ, "PYTHONPATH": os.pathsep.join((str(path), os.getcwd()))}
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def both() -> tuple[Any, Any]:
    """What is said where the classes are made at once, and where they are put off."""
    return said_by(COMPARED), said_by(LAZY + COMPARED)


def test_each_class_is_made_as_lsprotocol_makes_it(both: tuple[Any, Any]) -> None:
    usual, lazy = both
    assert len(usual["classes"]) > 500
    assert lazy["classes"] == usual["classes"]


def test_messages_are_read_and_written_alike(both: tuple[Any, Any]) -> None:
    usual, lazy = both
    assert len(usual["messages"]) == 5
    assert lazy["messages"] == usual["messages"]


def test_a_server_that_is_ready_has_made_few_of_them() -> None:
    count = """
import json
from lsp_server import protocol_types
protocol_types.load()
from lsp_server.server import ForetypeServer
ForetypeServer()
from lsprotocol import types
put_off = [each.__dict__["__attrs_attrs__"] for each in types.ALL_TYPES_MAP.values()
           if isinstance(each, type) and "__attrs_attrs__" in each.__dict__]
print(json.dumps([sum(not isinstance(each, protocol_types._Fields) for each in put_off), len(put_off)]))
"""
    made, there = said_by(count)
    assert there > 500
    assert made < 50


def test_a_package_that_is_otherwise_is_imported_as_usual(tmp_path: Path) -> None:
    package = tmp_path / "lsprotocol"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "_hooks.py").touch()
    (package / "types.py").write_text("import attrs\n@attrs.define\nclass Position:\n    line: int\n")
    script = (
        "import json\nfrom lsp_server import protocol_types\nlazy = protocol_types.load()\n"
        "from lsprotocol import types\nimport attrs\n"
        "print(json.dumps([lazy, repr(types.Position(1)), types.attrs is attrs, types.__file__]))"
    )
    assert said_by(script, tmp_path) == [False, "Position(line=1)", True, str(package / "types.py")]
