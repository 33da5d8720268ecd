"""Secrets by rules that others wrote: texts that match the expressions of detect-secrets' plugins, drawn from a seed.

Our own planted secrets and our own rules have the same author; these rules have not.
"""

from __future__ import annotations

import importlib
import pkgutil
import random
import re
import string
from collections.abc import Iterator
from inspect import isabstract
from re import _parser  # type: ignore[attr-defined]  # there is no public way to look into an expression
from typing import Any

import detect_secrets.plugins
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.keyword import DENYLIST

NOT_SECRETS = {"IPPublicDetector", "PrivateKeyDetector"}
"""Addresses are no secrets; files with private keys do not leave at all."""
FORMS = (
    '{name} = "{value}"',
    "{name}: '{value}'",
    '"{name}": "{value}",',
    "{name}={value}",
    'set({name} => "{value}")',
)
"""How configuration and code write a value to a name."""
MOST = 24
"""Repetitions without an upper bound are drawn up to so many more than their least."""
ANY = string.ascii_letters + string.digits


def by_form(rng: random.Random, each: int) -> Iterator[tuple[str, str, str]]:
    """Kind, line and the secret in it: `each` for every expression of every plugin."""
    for module in pkgutil.iter_modules(detect_secrets.plugins.__path__):
        plugins = vars(importlib.import_module(f"detect_secrets.plugins.{module.name}")).values()
        for plugin in plugins:
            if not _is_wanted(plugin, module.name):
                continue
            for expression in plugin().denylist:
                for _ in range(each):
                    yield plugin.__name__, *_drawn(expression, rng)


def by_name(rng: random.Random, each: int) -> Iterator[tuple[str, str, str]]:
    """Kind, line and the secret in it: a random value assigned to every name that the keyword plugin knows."""
    for pattern in DENYLIST:
        for _ in range(each):
            name = _text(_parser.parse(pattern), rng)
            value = "".join(rng.choices(ANY, k=rng.randint(12, 24)))
            yield "KeywordDetector", rng.choice(FORMS).format(name=name, value=value), value


def _is_wanted(plugin: object, module: str) -> bool:
    return (
        isinstance(plugin, type)
        and issubclass(plugin, RegexBasedDetector)
        and not isabstract(plugin)
        and plugin.__module__.endswith(f".{module}")
        and plugin.__name__ not in NOT_SECRETS
    )


def _drawn(expression: re.Pattern[str], rng: random.Random) -> tuple[str, str]:
    """A line with a text that matches, and the text: its last group if it has one, as the plugins have it."""
    for _ in range(100):
        text = _text(_parser.parse(expression.pattern, expression.flags), rng)
        line = f"connect({text})" if text[:1] in "\"' =:" else f'connect("{text}")'
        if found := expression.search(line):
            groups = [group for group in found.groups() if group and len(group) >= 8]
            return line, groups[-1] if groups else found.group().strip("\"' =:")
    raise AssertionError(f"nothing that was drawn matches {expression.pattern}")


def _text(parsed: Any, rng: random.Random) -> str:
    return "".join(_part(str(kind), value, rng) for kind, value in parsed)


def _part(kind: str, value: Any, rng: random.Random) -> str:
    match kind:
        case "LITERAL":
            return chr(value)
        case "ANY" | "NOT_LITERAL":
            return rng.choice(ANY)
        case "IN":
            return rng.choice(_members(value))
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, most, inner = value
            times = rng.randint(least, min(int(most), least + MOST))
            return "".join(_text(inner, rng) for _ in range(times))
        case "SUBPATTERN":
            return _text(value[-1], rng)
        case "BRANCH":
            return _text(rng.choice(value[1]), rng)
    return ""  # what looks around or says where a line begins adds no text


def _members(items: Any) -> str:
    if str(items[0][0]) == "NEGATE":
        excluded = set(_members(items[1:]))
        return "".join(sign for sign in ANY if sign not in excluded)
    signs = ""
    for kind, value in items:
        match str(kind):
            case "LITERAL":
                signs += chr(value)
            case "RANGE":
                signs += "".join(map(chr, range(value[0], value[1] + 1)))
            case "CATEGORY":
                signs += {"CATEGORY_DIGIT": string.digits, "CATEGORY_WORD": ANY + "_"}.get(str(value), " ")
    return signs
