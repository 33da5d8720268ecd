"""Mistakes in a TOML file: found where they are, however the key is written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from edge_proxy import toml_file, toml_lines
from edge_proxy.errors import StartError


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    size: Annotated[int, Meta(ge=1)] = 1
    names: list[str] = []


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: Inner = msgspec.field(default_factory=Inner)
    by_name: dict[str, Inner] = {}
    many: list[Inner] = []
    level: Annotated[float, Meta(le=1.0)] | None = None


DOCUMENT = """\
level = 1        # 1
# a comment
by_name.dotted.size = 3
"quoted key" = 4

[inner]
size = 7
names = [
  "nine",

  "eleven",
]
[by_name."with.dot"] # 13
size = 14
inline = { size = 15, names = ["b"] }
[[many]]
size = 17
[[many]]
size = 19
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("level",), 1),
        (("by_name", "dotted", "size"), 3),
        (("quoted key",), 4),
        (("inner",), 6),
        (("inner", "size"), 7),
        (("inner", "names", 1), 11),
        (("by_name", "with.dot"), 13),
        (("by_name", "with.dot", "inline", "size"), 15),
        (("many", 0, "size"), 17),
        (("many", 1, "size"), 19),
        (("many", 1, "nothing", "deeper"), 18),
        (("nothing",), None),
    ],
)
def test_a_keys_line_is_found_however_it_is_written(path: toml_lines.Path, line: int | None) -> None:
    assert toml_lines.line_of(DOCUMENT, path) == line


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\n[inner]\nsise = 1\n", "line 3: inner.sise: unknown key; did you mean 'size'?"),
        ("[by_name.a]\nsize = 1\n[by_name.b]\nsize = 0\n", "line 4: by_name.b.size: expected int >= 1."),
        ("by_name.x.size = 'a'\n", "line 1: by_name.x.size: expected int, got str."),
        ("many = [\n {size = 1},\n {size = 0},\n]\n", "line 3: many[1].size: expected int >= 1."),
        ("[inner]\nnames = [\n'a',\n2]\n", "line 4: inner.names[1]: expected str, got int."),
        ("level = 1.5\n", "line 1: level: expected float <= 1.0."),
        ("inner = 3\n", "line 1: inner: expected object, got int."),
    ],
)
def test_a_mistake_is_named_with_its_line_and_its_whole_path(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "f.toml"
    file.write_text(text)
    with pytest.raises(StartError) as error:
        toml_file.read(file, Outer)
    assert str(error.value) == f"{file}, {sentence}"


@pytest.mark.parametrize("values", [{}, {"inner": {"size": 3}}, {"many": [{}], "level": 0.5}])
def test_what_is_right_has_no_problem(values: dict[str, Any]) -> None:
    assert toml_file.find_problem(values, Outer) is None


@given(st.text(alphabet="ab.=[]{}\"'#\\n,1 \\t", max_size=60), st.lists(st.sampled_from("ab"), max_size=3))
def test_no_text_makes_the_search_for_a_line_fail(text: str, path: list[str]) -> None:
    line = toml_lines.line_of(text, tuple(path))
    assert line is None or 1 <= line <= text.count("\n") + 1
