"""One layer of settings: what its keys may be, checked, with a clear sentence for whatever is wrong; pure.

A layer is a mapping as TOML, JSON or the environment gives it. A bad value loses its key to the layer below; nothing
here raises.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

from lsp_server.printable import printable

Kind = Literal["boolean", "string", "strings", "urls", "milliseconds"]
Severity = Literal["ignored", "warning"]

SESSION_PATH: Final = "/v1/session"
"""Where a proxy and a worker serve sessions; added to an edge URL that has no path."""

MAX_ITEMS: Final = 1_000
"""Entries of one list setting: more is a mistake, and each pattern costs time on every document."""
MAX_STRING: Final = 8_192
"""Code points of one string setting: a token with many claims stays below."""
MAX_WAIT_MS: Final = 10_000
MAX_SCANNED_LINE: Final = 1_000
"""Lines longer than this are not searched for keys: the patterns take quadratic time on a hostile one."""
MAX_REFUSED: Final = 20
"""Keys of one layer that are told as wrong: each costs a look through all names and a line in the editor's log."""
MAX_SHOWN: Final = 60
"""Code points of a bad value shown in a sentence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a key may hold; `project`: whether a project's own files may set it; `secret`: never shown."""

    kind: Kind
    project: bool = False
    secret: bool = False


RULES: Final[Mapping[str, Rule]] = {
    "enabled": Rule("boolean", project=True),
    "languages": Rule("strings", project=True),
    "ignore": Rule("strings", project=True),
    "debounce_ms": Rule("milliseconds"),
    "edge.urls": Rule("urls"),
    "edge.token": Rule("string", secret=True),
    "edge.proxy": Rule("string", secret=True),
    "edge.ca_file": Rule("string"),
    "edge.client_cert": Rule("string"),
    "edge.client_key": Rule("string"),
    "local.enabled": Rule("boolean"),
    "local.model": Rule("string"),
    "completion.enabled": Rule("boolean"),
    "telemetry.enabled": Rule("boolean"),
}
_GROUPS: Final = frozenset(key.partition(".")[0] for key in RULES if "." in key)

_ALLOWED: Final[Mapping[Kind, str]] = {
    "boolean": "true or false",
    "string": "a text",
    "strings": "a list of texts",
    "urls": "a list of ws:// or wss:// addresses",
    "milliseconds": f"a whole number of milliseconds from 0 to {MAX_WAIT_MS}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the settings: `where` (file:line, or the layer's name), `key`, and what to do, as a sentence.

    `severity` is "ignored" if the value was not used, "warning" if it was.
    """

    where: str
    key: str
    sentence: str
    severity: Severity = "ignored"

    def __str__(self) -> str:
        return printable(f"{self.where}: {self.sentence}")


@dataclass(slots=True)
class Layer:
    """The accepted values of one layer by dotted key, and its problems."""

    values: dict[str, object] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


Locate = Callable[[str], str]
"""Where a dotted key stands, for people."""


def read_layer(mapping: Mapping[str, object], locate: Locate, *, project: bool = False) -> Layer:
    """Check `mapping` (nested tables, dotted keys, or both). With `project`, only keys a project may set are taken."""
    layer = Layer()
    refused = 0
    for key, value in _flatten(mapping):
        rule = RULES.get(key)
        if value is None:
            continue  # editors send null for "not set"
        if rule is not None and (rule.project or not project):
            _take(layer, locate(key), key, rule, value)
        elif refused < MAX_REFUSED:
            sentence = _unknown(key) if rule is None else _not_for_projects(key)
            layer.problems.append(Problem(locate(key), key, sentence))
        elif refused == MAX_REFUSED:
            sentence = f"more than {MAX_REFUSED} keys are not for here; the others are ignored without a word."
            layer.problems.append(Problem(locate(key), "", sentence))
        refused += rule is None or (project and not rule.project)
    return layer


def _flatten(mapping: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in mapping.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and not prefix and key in _GROUPS:
            yield from _flatten(value, f"{key}.")
        else:
            yield key, value


def _take(layer: Layer, where: str, key: str, rule: Rule, value: object) -> None:
    try:
        layer.values[key] = _checked(rule.kind, value)
    except ValueError as error:
        reason = f" ({error})" if str(error) else ""
        found = "a value that is not shown" if rule.secret else shown(value)
        sentence = f"`{key}` is {found}{reason}; it must be {_ALLOWED[rule.kind]}. It is ignored."
        layer.problems.append(Problem(where, key, sentence))
        return
    if rule.kind == "urls":
        layer.problems += _plain_text_warnings(where, key, value)


def shown(value: object) -> str:
    """`value` for a sentence, shortened."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _checked(kind: Kind, value: object) -> object:
    """The value in its final form. Raises ValueError, with what is wrong if the kind alone does not say it."""
    match kind:
        case "boolean" if isinstance(value, bool):
            return value
        case "string" if isinstance(value, str):
            return _string(value)
        case "strings" if isinstance(value, list | tuple):
            return tuple(_string(item) for item in _short(value))
        case "urls" if isinstance(value, list | tuple):
            return tuple(dict.fromkeys(session_url(_string(item)) for item in _short(value)))
        case "milliseconds" if isinstance(value, int | float) and not isinstance(value, bool):
            if not (0 <= value <= MAX_WAIT_MS and float(value).is_integer()):  # not NaN nor infinite either
                raise ValueError
            return int(value)
    raise ValueError


def _short(items: list[object] | tuple[object, ...]) -> list[object] | tuple[object, ...]:
    if len(items) > MAX_ITEMS:
        raise ValueError(f"{len(items)} entries; at most {MAX_ITEMS}")
    return items


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a text")
    if len(value) > MAX_STRING:
        raise ValueError(f"longer than {MAX_STRING} characters")
    if "\0" in value:
        raise ValueError("it holds a NUL character")
    return value


def session_url(url: str) -> str:
    """`url` checked, with the path of sessions if it has none. Raises ValueError saying what is wrong with it."""
    parts = urlsplit(url.strip())
    if parts.scheme in ("http", "https"):
        raise ValueError(f"write {'ws' if parts.scheme == 'http' else 'wss'}:// instead of {parts.scheme}://")
    if parts.scheme not in ("ws", "wss"):
        raise ValueError("the address does not begin with ws:// or wss://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("put the token into edge.token, not into the address")
    if not parts.hostname:
        raise ValueError("the address has no host")
    _ = parts.port  # raises ValueError for a port that is none
    if parts.fragment or re.search(r"\s", url.strip()):
        raise ValueError("the address has a # or a space in it")
    path = SESSION_PATH if parts.path in ("", "/") else parts.path
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, by its spelling alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _plain_text_warnings(where: str, key: str, urls: object) -> Iterator[Problem]:
    for url in urls if isinstance(urls, list | tuple) else ():
        parts = urlsplit(str(url).strip())
        if parts.scheme == "ws" and not is_loopback(parts.hostname or ""):
            yield Problem(
                where,
                key,
                f"{shown(url)} is not encrypted: your code and token can be read on the way. Use wss://.",
                "warning",
            )


def _unknown(key: str) -> str:
    near = _nearest(key, RULES)
    hint = f"did you mean `{near}`?" if near else f"known are {', '.join(RULES)}."
    return f"`{key[:MAX_SHOWN]}` is not a setting; {hint}"


def _nearest(name: str, known: Iterable[str]) -> str | None:
    import difflib  # 5 ms, for mistakes only

    return next(iter(difflib.get_close_matches(name, known, n=1)), None)


def _not_for_projects(key: str) -> str:
    return (
        f"`{key}` cannot be set by a project, so that opening a repository is safe. "
        "Put it into your own configuration file, the editor's user settings or the environment."
    )


_TABLE: Final = re.compile(r"^\s*\[\s*([A-Za-z0-9_.\-\s]+?)\s*\]")
_KEY: Final = re.compile(r"^\s*([A-Za-z0-9_\-]+(?:\s*\.\s*[A-Za-z0-9_\-]+)*)\s*=")


def toml_lines(text: str) -> dict[str, int]:
    """The 1-based line of each key of a TOML text, by dotted name, as well as a line scan can tell.

    The standard library's parser keeps no positions; a key inside a multi-line string may be listed by mistake.
    """
    lines: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MAX_SCANNED_LINE:
            continue
        if table := _TABLE.match(line):
            name = re.sub(r"\s", "", table[1])
            lines.setdefault(name, number)
            prefix = f"{name}."
        elif key := _KEY.match(line):
            lines.setdefault(prefix + re.sub(r"\s", "", key[1]), number)
    return lines


_ENV_PREFIX: Final = "FORETYPE_"
ENVIRONMENT: Final[Mapping[str, str]] = {_ENV_PREFIX + key.upper().replace(".", "_"): key for key in RULES}
"""Environment variable names and the keys they set."""

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


def read_environment(environ: Mapping[str, str]) -> Layer:
    """The layer of `FORETYPE_…` variables: lists are split at commas; an empty variable is not set."""
    mapping: dict[str, object] = {}
    names: dict[str, str] = {}
    unknown: list[Problem] = []
    for name, text in environ.items():
        key = ENVIRONMENT.get(name)
        if key is not None and text.strip():
            mapping[key] = _from_text(RULES[key].kind, text.strip())
            names[key] = name
        elif key is None and name.startswith(tuple(f"{_ENV_PREFIX}{group.upper()}_" for group in _GROUPS)):
            near = _nearest(name, ENVIRONMENT)
            hint = f"; did you mean {near}?" if near else "."
            unknown.append(Problem("environment", name, f"{name} is not a setting{hint}"))
    layer = read_layer(mapping, lambda key: f"environment {names[key]}")
    layer.problems += unknown
    return layer


def _from_text(kind: Kind, text: str) -> object:
    match kind:
        case "boolean" if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        case "milliseconds" if text.isdecimal():
            return int(text)
        case "strings" | "urls":
            return [item.strip() for item in text.split(",") if item.strip()]
    return text
