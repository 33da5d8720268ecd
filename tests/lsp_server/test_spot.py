"""What the cursor `│` is in, by the syntax of the code before it."""

from __future__ import annotations

import pytest
from completion_fakes import at_cursor

from lsp_server import syntax
from lsp_server.multiline import choose_lines
from lsp_server.spot import Spot, spot

EMPTY_BLOCKS = [
    ("python", "def f():│"),
    ("python", "def f():\n    │"),
    ("python", "def f(\n    a,\n):\n    │"),
    ("python", "class A:\n    def f(self) -> dict[str, int]:│\n\n    def g(self):\n        pass\n"),
    ("python", 'def f():\n    """What it does."""\n    │'),
    ("python", "def f():\n    # first the easy case\n    │"),
    ("python", "try:\n    a()\nexcept OSError:\n    │\n"),
    ("python", "if a:\n    b()\nelse:\n    │"),
    ("python", "@dataclass\nclass A:\n    │"),
    ("python", "x = [\n    │\n]\n"),
    ("python", "│"),
    ("javascript", "function f() {\n  │\n}\n"),
    ("javascript", "const f = () => {\n  │\n};\n"),
    ("javascript", "if (a) {\n  b();\n} else {\n  │\n}\n"),
    ("typescript", "class A {\n  f(): number {│\n  g() {}\n}\n"),
    ("typescriptreact", "export function App() {\n  │\n}\n"),
    ("go", "func f() error {\n\t│\n}\n"),
    ("rust", "impl A {\n    fn f(&self) -> u8 {\n        │\n    }\n}\n"),
    ("c", "int f(void)\n{\n    │\n}\n"),
    ("cpp", "struct A {\n  int f() {\n    │\n  }\n};\n"),
    ("java", "class A {\n    int f() {\n        │\n    }\n}\n"),
    ("csharp", "class A\n{\n    int F()\n    {\n        │\n    }\n}\n"),
    ("php", "<?php\nfunction f() {\n    │\n}\n"),
    ("ruby", "def f\n  │\nend\n"),
    ("lua", "function f()\n  │\nend\n"),
]
DOCS = [
    ("python", 'def f():\n    """│'),
    ("python", 'def f():\n    """Sums up.\n\n    │'),
    ("python", '"""│'),
    ("javascript", "/**│"),
    ("javascript", "/**\n * Sums up.\n */\n│"),
    ("typescript", "class A {\n  /** Sums up. */\n  │\n}\n"),
    ("rust", "/// Sums up.\n│"),
    ("go", "package a\n\n// Sum adds.\n│\n"),
]
CODE = [
    ("python", "def f():\n    a = 1\n    │"),
    ("python", "def f():\n    a = 1\n│"),
    ("python", "import os\n│"),
    ("python", "def f():\n    │\n    return 1\n"),
    ("python", "def f():│\n    return 1\n"),
    ("python", "│\nimport os\n"),
    ("python", 'x = {"a":│'),
    ("python", "x = {\n    'a':│"),
    ("python", "f = lambda x:│"),
    ("javascript", "function f() {\n  a();\n  │\n}\n"),
    ("javascript", "// Sums up.\na();\n│"),
    ("go", "func f() {\n\ta()\n\t│\n}\n"),
    ("c", "int f(void)\n{\n    int a;\n    │\n}\n"),
    ("rust", "fn f() {\n    let a = 1;\n    │\n}\n"),
]
PROSE = [
    ("python", "# as follows:│"),
    ("python", "x = 1  # such as {│"),
    ("python", 'sql = """\n  select │'),
    ("python", 'sql = """\n  │'),
    ("javascript", "// like {│"),
    ("javascript", "/* plain\n   │"),
    ("go", "/* such as {│"),
]


@pytest.mark.parametrize(("language", "marked"), EMPTY_BLOCKS)
def test_in_an_empty_block_several_lines_are_suggested(language: str, marked: str) -> None:
    assert spot(at_cursor(marked, language)) is Spot.BLOCK
    assert choose_lines(at_cursor(marked, language), invoked=False) == "multi"


@pytest.mark.parametrize(("language", "marked"), DOCS)
def test_at_a_doc_comment_several_lines_are_suggested(language: str, marked: str) -> None:
    assert spot(at_cursor(marked, language)) is Spot.DOC
    assert choose_lines(at_cursor(marked, language), invoked=False) == "multi"


@pytest.mark.parametrize(("language", "marked"), CODE)
def test_among_statements_one_line_is_suggested(language: str, marked: str) -> None:
    assert spot(at_cursor(marked, language)) is Spot.CODE
    assert choose_lines(at_cursor(marked, language), invoked=False) == "single"


@pytest.mark.parametrize(("language", "marked"), PROSE)
def test_in_comments_and_strings_one_line_is_suggested(language: str, marked: str) -> None:
    assert spot(at_cursor(marked, language)) is Spot.PROSE
    assert choose_lines(at_cursor(marked, language), invoked=False) == "single"


def test_without_a_grammar_indentation_decides() -> None:
    assert spot(at_cursor("a {\n  │", "fortran")) is None
    assert choose_lines(at_cursor("a {│", "fortran"), invoked=False) == "multi"
    assert choose_lines(at_cursor("a\n│", "fortran"), invoked=False) == "multi"
    assert choose_lines(at_cursor("a│", "fortran"), invoked=False) == "single"


def test_a_line_that_is_being_typed_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(language: str, text: str) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr("lsp_server.spot.parse", parse)
    assert choose_lines(at_cursor("def f():\n    x = val│"), invoked=False) == "single"


@pytest.mark.parametrize("language", sorted(syntax.GRAMMARS))
def test_every_grammar_loads(language: str) -> None:
    assert syntax.load(language)
    assert syntax.parse(language, "a") is not None


def test_a_grammar_that_is_not_installed_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(syntax.GRAMMARS, "absent", ("tree_sitter_absent", "language"))
    assert not syntax.load("absent")
    assert syntax.parse("absent", "a") is None


def test_a_text_longer_than_a_context_is_not_parsed() -> None:
    assert syntax.parse("python", "a\n" * syntax.MAX_PARSED) is None


def test_a_window_starts_where_a_string_is_unlikely_to_be_open() -> None:
    assert syntax.whole_lines_from("    in a string\n  too\ndef f():\n    a\n", 30) == "def f():\n    a\n"
    assert syntax.whole_lines_from("    a\n" * 9, 15) == "    a\n" * 2
    assert syntax.whole_lines_from("x" * 99, 9) == "x" * 9
