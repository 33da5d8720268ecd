"""What a file imports, and in which files of the workspace that is looked for."""

from __future__ import annotations

import pytest

from lsp_server.workspace.file_index import FileIndex
from lsp_server.workspace.imports import Import, imports_of
from lsp_server.workspace.resolve import candidates, defining


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("python", "import os.path as p, sys\n", [Import("os.path", qualifier="p"), Import("sys", qualifier="sys")]),
        ("python", "from ..a.b import (C, d as e)\n", [Import("a.b", ("C", "d"), level=2)]),
        ("python", "from . import x\n", [Import("", ("x",), level=1)]),
        ("python", "from a import *\n", [Import("a", everything=True)]),
        ("python", "if TYPE_CHECKING:\n    from a import B\n", [Import("a", ("B",))]),
        ("typescript", 'import { A, type B as C } from "./x";\n', [Import("./x", ("A", "B"))]),
        ("typescript", 'import D, * as ns from "./x";\n', [Import("./x", ("D",), qualifier="ns")]),
        ("javascript", 'const { a, b } = require("./y");\n', [Import("./y", ("a", "b"))]),
        ("go", 'package a\nimport (\n\t"o.r/p/store"\n\tq "fmt"\n)\n',
         [Import("o.r/p/store", qualifier="store"), Import("fmt", qualifier="q")]),
        ("rust", "use crate::a::{b::C, d};\n",
         [Import("crate::a::b", ("C",), qualifier="C"), Import("crate::a", ("d",), qualifier="d")]),
        ("c", '#include "x/y.h"\n#include <stdio.h>\n',
         [Import("x/y.h", everything=True), Import("stdio.h", everything=True)]),
        ("markdown", "import this\n", []),
    ],
)  # fmt: skip
def test_imports_are_read_from_the_syntax(language: str, text: str, found: list[Import]) -> None:
    assert imports_of(language, text) == found


@pytest.mark.parametrize(
    ("importing", "kind", "wanted", "found"),
    [
        ("src/app/main.py", "python", Import("app.store", ("Store",)), ["src/app/store.py"]),
        ("src/app/main.py", "python", Import("store", ("Store",), level=1), ["src/app/store.py"]),
        ("src/app/sub/x.py", "python", Import("", ("store",), level=2), ["src/app/store.py", "src/app/__init__.py"]),
        ("src/app/main.py", "python", Import("app", ("Store",)), ["src/app/__init__.py"]),
        ("src/app/main.py", "python", Import("os.path", ()), []),
        ("web/a/main.ts", "javascript", Import("../lib/http", ("get",)), ["web/lib/http.ts"]),
        ("web/a/main.ts", "javascript", Import("../lib", ("get",)), ["web/lib/index.ts"]),
        ("web/a/main.ts", "javascript", Import("@/lib/http", ("get",)), ["web/lib/http.ts"]),
        ("web/a/main.ts", "javascript", Import("react", ("useState",)), []),
        ("web/a/main.ts", "javascript", Import("../../../etc/passwd"), []),
        ("cmd/main.go", "go", Import("o.r/x/internal/store"), ["internal/store/open.go"]),
        ("crates/a/src/main.rs", "rust", Import("crate::net", ("Client",)), ["crates/a/src/net.rs"]),
        ("src/main.c", "c", Import("store/store.h", everything=True), ["include/store/store.h"]),
    ],
)
def test_a_module_is_found_by_its_place(importing: str, kind: str, wanted: Import, found: list[str]) -> None:
    index = FileIndex()
    for path in (
        "src/app/__init__.py", "src/app/store.py", "src/app/main.py", "web/lib/http.ts", "web/lib/index.ts",
        "internal/store/open.go", "internal/store/open_test.go", "crates/a/src/net.rs", "include/store/store.h",
        "other/os.py",
    ):  # fmt: skip
        index.add(path)
    assert candidates(index, importing, kind, wanted) == found


def test_a_name_that_a_package_passes_on_is_found_where_it_is_defined() -> None:
    index = FileIndex()
    index.add("pkg/_impl/thing.py", ["Thing"])
    index.add("js/thing.ts", ["Thing"])
    assert defining(index, "pkg/main.py", "python", "Thing") == ["pkg/_impl/thing.py"]


def test_a_name_that_many_files_define_is_not_guessed() -> None:
    index = FileIndex()
    for number in range(10):
        index.add(f"pkg/{number}.py", ["main"])
    assert defining(index, "pkg/x.py", "python", "main") == []
