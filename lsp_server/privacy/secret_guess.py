"""Secrets that are guessed: what is assigned to a name such as `password`, and text that looks random; pure.

The aim is to miss little at the price of masking some values that are harmless: a masked value costs the model next to
nothing, since no suggestion should depend on it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from lsp_server.privacy.secret_kinds import Span

_STRONG: Final = (
    r"passw(?:or)?d|passwd|passphrase|passcode|pwd|(?<![A-Za-z])(?:db|database|key|store|user|admin|root)?_?pass"
    r"(?![A-Za-z])|passwort|contrase(?:ñ|n)a|mot_?de_?passe"
)
_WEAK: Final = (
    r"secret|token|api[_\-]?key|app[_\-]?key|access[_\-]?key|private[_\-]?key|secret[_\-]?key|account[_\-]?key|"
    r"(?:encryption|signing|master|service|auth|license|db|database|priv|client|server|shared|storage|host|deploy|"
    r"consumer|softlayer|sl)[_\-]*(?:api[_\-]?)?key|credential|"
    r"conn(?:ection)?[_\-]?str(?:ing)?|webhook|bearer|hmac|salt|cookie|session[_\-]?id|seed|mnemonic|dsn"
)
_NAME: Final = re.compile(rf"(?P<strong>{_STRONG})|(?P<weak>{_WEAK})", re.IGNORECASE)

_STEMS: Final = (
    "pass", "pwd", "secret", "token", "key", "cred", "conn", "webhook", "bearer", "hmac", "salt", "cookie", "session",
    "seed", "mnemonic", "dsn", "mot", "contrase",
)  # fmt: skip
"""Of the names: looking for these is many times faster than the expression."""

_ASSIGNED: Final = re.compile(
    r"""(?P<rest>[\w\-]{0,40})["'\]`]{0,2}\s{0,16}
        (?::\s{0,2}[A-Za-z_&][\w.\[\]|<>\ ]{0,40}?\s{0,4}(?==))?    # a type between the name and `=`
        (?P<operator>===?|!==?|=>|:=|<-|\?=|=|:|,|\(|\|\||\?\?|or\ )\s{0,16}
        (?:new\ |String\(|&)?(?P<quote>[bBrRuUfF]{0,2}(?:\"\"\"|'''|["'`]))?""",
    re.VERBOSE,
)

_NOT_ITSELF: Final = re.compile(
    r"(?:^|[_\-]|(?<=[a-z]))(?:name|type|field|label|ur[li]|path|file|dir|param|header|prefix|suffix|id|ids|format|policy|length|len|"
    r"hint|env|var|regex|pattern|count|limit|size|error|message|msg|title|help|text|placeholder|class|style|required|"
    r"expir\w*|ttl|timeout|list|ize[rd]?|izers?|algorithm|alg|method|scheme|kind|version|scope|issuer|audience|manager|"
    r"provider|service|ref|selector)s?$",
    re.IGNORECASE,
)
"""Ends of names that say something about a secret and are none: `token_url`, `passwordLabel`."""

_PLACEHOLDER: Final = re.compile(
    r"(?i)(?:\$|%[\w({]|\{|<|\[|\(|@|&|\*+$|x+$|\.\.\.|-+$|_+$|"
    r"(?:null|nil|none|true|false|undefined|str|string|text|bool\w*|int\w*|number|bytes|any|object|optional|required|"
    r"password|passwd|secret|token|bearer|hidden|redacted|example|changeme|your[_\-]\w*|my[_\-]\w*|todo|test)$)"
)

_BARE: Final = re.compile(r"""[^\s"'`#;,{}\[\]()<>$%&|]{1,256}(?=\s*(?:$|[#;,]|\s--))""")
"""An unquoted value of a configuration file, up to the line's end or a comment."""

_IN_STRING: Final = re.compile(r"""(?=[A-Za-z+/_\-.=]*[0-9])[A-Za-z0-9+/_\-.=]{8,256}(?=["'`])""")
"""The value of a header that is one string with its name: "X-Api-Key: 9f8e7d6c"."""

MIN_WORDS: Final = 3
"""Of a phrase that is a secret as a whole."""

_RANDOM: Final = re.compile(r"[A-Za-z0-9+/_\-]{20,}={0,2}")
_HEX: Final = re.compile(r"(?:0x)?(?:[0-9a-f]{32,}|[0-9A-F]{32,})=*")
_ONE_CASE: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?=[a-z]*[0-9])(?=[a-f0-9]*[g-z])[a-z0-9]{30,}|(?=[A-Z]*[0-9])(?=[A-F0-9]*[G-Z])[A-Z0-9]{30,})"
    r"(?![A-Za-z0-9])"
)
"""Letters of one case and digits, as in keys in base 32 and 36; what a hash is made of is not enough."""
_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_HEX_NEAR: Final = re.compile(
    r"(?i)key|pwd?\b|secret|token|pass|salt|auth|cred|seed|hmac|cookie|session|signing|private"
)

BASE64_LINE: Final = re.compile(r"""^\s*["'`]?([A-Za-z0-9+/]{40,}={0,2})(?:\\n)?["'`]?\s*[+,\\;)]*\s*$""")
"""A line of nothing but base64: the body of a key whose first and last lines may be out of sight."""

MIN_TRANSITIONS: Final = 0.42
"""Share of neighbouring characters of different kinds (lower, upper, digit, other): 0.62 in random base64, below 0.35
in names of words."""
MIN_ONE_CASE: Final = 30
"""Characters, as in `_ONE_CASE`."""
MIN_TRANSITIONS_ONE_CASE: Final = 0.25
"""The same in random text of one case's letters and digits, where it is 0.40 in base 36 and 0.30 in base 32."""
MIN_MIXED: Final = 10
"""Letters alone, under a name that tells, from which their cases are looked at."""
MIN_ENTROPY: Final = 3.4
"""Bits a character, from its own counts: random text of 20 characters has 4.0 to 4.3."""


def guessed(line: str, *, bare: bool) -> Iterator[Span]:
    """The spans of likely secrets in a line. `bare`: values need no quotes, as in a configuration file."""
    lowered = line.lower()
    names = _NAME.finditer(line) if any(stem in lowered for stem in _STEMS) else ()
    for name in names:
        yield from _assigned(line, name, bare=bare)
    for found in _RANDOM.finditer(line):
        if is_random(found.group()) or (_is_hex(found.group()) and _HEX_NEAR.search(line, 0, found.start())):
            yield found.span()
        elif len(found.group()) >= MIN_ONE_CASE:
            yield from (each.span() for each in _ONE_CASE.finditer(line, *found.span()) if is_random(each.group()))
    found_line = BASE64_LINE.match(line)
    if found_line is not None and not _is_hex(found_line.group(1)):
        yield found_line.span(1)


def _assigned(line: str, name: re.Match[str], *, bare: bool) -> Iterator[Span]:
    assigned = _ASSIGNED.match(line, name.end())
    if assigned is None or (_NOT_ITSELF.search(assigned["rest"]) and not assigned["rest"].isdigit()):
        return
    quote = (assigned["quote"] or "").lstrip("bBrRuUfF")
    start = assigned.end()
    if quote:
        end = _closing(line, start, quote)
    elif (header := _IN_STRING.match(line, start)) is not None and assigned["operator"] == ":":
        end = header.end()
    elif assigned["operator"] in (":", "=", "?=", ":=") and (bare or _is_shell_like(line, name.start(), assigned)):
        found = _BARE.match(line, start)
        if found is None:
            return
        end = found.end()
    else:
        return
    value = line[start:end]
    # After a comma it may be the next of a list of words: `"pass", "print"`.
    listed = assigned["operator"] == "," and not any(map(str.isdigit, value))
    strong = name["strong"] is not None and not listed
    if _is_phrase(name.group(), value) or _is_secret_value(value, strong=strong):
        yield start, end


def _closing(line: str, start: int, quote: str) -> int:
    """Where the string that begins at `start` ends; the line's end if it is not closed: it may still be typed."""
    end = line.find(quote, start)
    while end > start and line[end - 1] == "\\":
        end = line.find(quote, end + 1)
    return len(line) if end < 0 else end


def _is_shell_like(line: str, start: int, assigned: re.Match[str]) -> bool:
    """NAME=value in capitals and without spaces, as in a shell, also inside other files."""
    begin = start
    while begin and (line[begin - 1].isalnum() or line[begin - 1] in "_-"):
        begin -= 1
    text = line[begin : assigned.end()]
    return text.endswith("=") and len(text) > 4 and text == text.upper() and " " not in text


def _is_secret_value(value: str, *, strong: bool) -> bool:
    if not value or _PLACEHOLDER.match(value) or set(value) <= {"x", "X"}:
        return False
    if any(character.isspace() for character in value.strip()):
        return strong and not value[:1].isupper() and sum(map(str.isdigit, value)) > 1  # prose, mostly
    if strong:
        return not _mentions_itself(value)
    if _UUID.fullmatch(value) or _is_hex(value):
        return True
    kinds = sum((any(map(str.isdigit, value)), any(map(str.isupper, value)), any(map(str.islower, value))))
    words = re.fullmatch(r"[A-Za-z]+(?:[_\-. /:][A-Za-z]+)*[0-9]?", value) is not None
    if words:
        return len(value) >= MIN_MIXED and _changes(value) >= MIN_TRANSITIONS * (len(value) - 1)
    return len(value) >= 6 and any(map(str.isdigit, value)) and (kinds > 1 or len(value) >= 12) and not _is_path(value)


def _is_phrase(name: str, value: str) -> bool:
    return name.lower() in ("mnemonic", "passphrase", "seed") and len(value.split()) >= MIN_WORDS


def _mentions_itself(value: str) -> bool:
    return value.replace("_", "").replace("-", "").isalpha() and _NAME.search(value) is not None


def _is_path(value: str) -> bool:
    return value.startswith(("/", "./", "../", "~", "http://", "https://", "file:")) and not is_random(value)


def _is_hex(text: str) -> bool:
    return _HEX.fullmatch(text) is not None and len(set(text)) > 6


def is_random(text: str) -> bool:
    """Whether a token of 20 characters or more looks drawn at random, not made of words."""
    text = text.rstrip("=")
    if len(text) < 20 or _is_hex(text) or _UUID.fullmatch(text):
        return False
    if _ONE_CASE.fullmatch(text):
        return _changes(text) >= MIN_TRANSITIONS_ONE_CASE * (len(text) - 1) and entropy(text) >= MIN_ENTROPY
    counts = Counter(map(_kind, text))
    if not counts[0] or not counts[1] or not counts[2]:
        return False
    if _changes(text) < MIN_TRANSITIONS * (len(text) - 1) or counts[3] > 0.25 * len(text):
        return False
    return entropy(text) >= MIN_ENTROPY


def _changes(text: str) -> int:
    return sum(a != b for a, b in pairwise(map(_kind, text)))


def _kind(character: str) -> int:
    return 0 if character.islower() else 1 if character.isupper() else 2 if character.isdigit() else 3


def entropy(text: str) -> float:
    """Shannon's, in bits a character, of the characters' own frequencies."""
    total = len(text)
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values())
