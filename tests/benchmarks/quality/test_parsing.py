"""Whether files are well formed."""

from __future__ import annotations

import pytest

from benchmarks.quality.parsing import GRAMMARS, parser

WELL_FORMED = {
    "python": "def f(a):\n    return a\n",
    "toml": "[a]\nb = 1\n",
    "typescript": "const f = (a: number): string => `${a}`;\n",
    "typescriptreact": "const a = <b>{1}</b>;\n",
    "javascript": "const f = (a) => a;\n",
    "javascriptreact": "const a = <b>{1}</b>;\n",
    "go": "package p\n\nfunc f() int { return 1 }\n",
    "rust": "fn f(a: &str) -> usize { a.len() }\n",
    "c": "int f(int a) { return a; }\n",
    "shellscript": 'if [ -n "$a" ]; then echo b; fi\n',
    "yaml": "a:\n  - b\n  - c: 1\n",
}
BROKEN = {name: text.replace("f(", "f((", 1) for name, text in WELL_FORMED.items()} | {
    "toml": "[a\nb = 1\n",
    "typescript": "const f = (a: number): string => `${a};\n",
    "typescriptreact": "const a = <b>{1</b>;\n",
    "javascript": "const f = (a => {;\n",
    "javascriptreact": "const a = <b>{1</b>;\n",
    "shellscript": 'if [ -n "$a" ]; then echo b;\n',
    "yaml": "a: [b\nc: }\n",
}


@pytest.mark.parametrize("language", sorted(WELL_FORMED))
def test_a_well_formed_file_is_told_from_a_broken_one(language: str) -> None:
    judge = parser(language)
    if judge is None:
        assert language in GRAMMARS
        pytest.skip(f"the tree-sitter grammar for {language} is not installed")
    assert judge(WELL_FORMED[language])
    assert not judge(BROKEN[language])


@pytest.mark.parametrize("text", ["\0", "(" * 100_000, "x = '\ud800'\n" + ")"])
def test_no_python_text_breaks_the_judge(text: str) -> None:
    judge = parser("python")
    assert judge is not None
    assert judge(text) is False


def test_of_prose_nobody_can_say() -> None:
    assert parser("markdown") is None
