"""A TOML file as a msgspec struct; every mistake is one sentence with file and line."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from edge_proxy import toml_lines
from edge_proxy.errors import StartError


class Problem(NamedTuple):
    """What is wrong with the value at `path`."""

    path: toml_lines.Path
    message: str


def read(file: Path, kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The values in `file`, of which `kind` can be made. Raises StartError."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise StartError(f"The configuration {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise StartError(f"The configuration {file} is not UTF-8 text.") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StartError(f"{file} is not valid TOML: {error}.") from None
    problem = find_problem(values, kind)
    if problem is not None:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem.path).lstrip(".")
        raise StartError(f"{place(file, problem.path, text)}: {where}: {problem.message}")
    return values


def place(file: Path, path: toml_lines.Path, text: str | None = None) -> str:
    """`FILE, line N` of a key in a file that could be read."""
    line = toml_lines.line_of(file.read_text(encoding="utf-8") if text is None else text, path)
    return str(file) if line is None else f"{file}, line {line}"


def find_problem(value: Any, kind: Any) -> Problem | None:
    """The innermost part of `value` that keeps it from being a `kind`; None if it is one."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        inner = _inside(value, kind)
        if inner is not None:
            return inner
        what = str(error).partition(" - at `")[0].replace("`", "")
        return Problem((), f"{what[:1].lower()}{what[1:]}.")
    return None


def _inside(value: Any, kind: Any) -> Problem | None:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    items: list[tuple[str | int, Any, Any]] = []
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        kinds = get_type_hints(kind, include_extras=True)
        for key in value:
            if key not in kind.__struct_fields__:
                return Problem((key,), _unknown(key, kind.__struct_fields__))
        items = [(key, inside, kinds[key]) for key, inside in value.items()]
    elif isinstance(value, dict) and get_origin(kind) is dict:
        items = [(key, inside, get_args(kind)[1]) for key, inside in value.items()]
    elif isinstance(value, list) and get_origin(kind) is list:
        items = [(index, inside, get_args(kind)[0]) for index, inside in enumerate(value)]
    for key, inside, its_kind in items:
        problem = find_problem(inside, its_kind)
        if problem is not None:
            return Problem((key, *problem.path), problem.message)
    return None


def _unknown(key: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(key.replace("-", "_"), known, n=1)
    return "unknown key; " + (f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}.")
