"""Settings of the proxy: defaults, then the TOML file, then flags; every mistake is one sentence with file and line."""

from __future__ import annotations

import difflib
import re
import socket
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from edge_proxy.addresses import WorkerAddress, parse_listen, parse_worker
from edge_proxy.answer_cache import DEFAULT_BYTES, DEFAULT_SECONDS
from edge_proxy.errors import StartError
from edge_proxy.tiers import Tier
from wire_protocol.addresses import Address, TcpAddress, unsafe_reason
from wire_protocol.frames import MAX_BUDGET_MS, MAX_NAME

MIB: Final = 1_048_576
DEFAULT_LISTEN: Final = "127.0.0.1:9000"
MAX_GRACE: Final = MAX_BUDGET_MS / 1_000

LogLevel = Literal["debug", "info", "warning", "error"]
LOG_LEVELS: Final[tuple[LogLevel, ...]] = ("debug", "info", "warning", "error")

Positive = Annotated[int, Meta(ge=1)]
Weight = Annotated[float, Meta(ge=0.01, le=100.0)]
MAX_PROCESSES: Final = 256
_ROUNDING: Final = 1e-9
"""0.7 + 0.2 + 0.1 is a little more than 1 in floating point."""


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `[limits]` table: what bounds the proxy's memory and a session's share of it."""

    sessions: Positive = 20_000
    in_flight: Annotated[int, Meta(ge=1, le=65_536)] = 64
    """Requests per session without their end."""
    frame_bytes: Annotated[int, Meta(ge=1_024, le=64 * MIB)] = MIB
    waiting: Positive = 1_024
    """Requests in line for a worker."""
    session_context_bytes: Annotated[int, Meta(ge=4_096)] = 2 * MIB
    """Contexts kept per session: some hundred documents of the size the design sends."""
    total_context_bytes: Annotated[int, Meta(ge=4_096)] = 1_024 * MIB
    outgoing_bytes: Annotated[int, Meta(ge=4_096)] = MIB
    """Answers a session may leave unread before it is cut off: minutes of text."""


class CacheSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `[cache]` table: answers kept in this process."""

    bytes: Annotated[int, Meta(ge=0)] = DEFAULT_BYTES
    """0 keeps nothing."""
    seconds: Annotated[float, Meta(gt=0.0)] = DEFAULT_SECONDS


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `[redis]` table: the cache that several proxies share."""

    url: str = ""
    """`redis://`, `rediss://` or `unix://` as redis-py takes it; without it there is no shared cache."""
    key_file: str = ""
    """What encrypts the answers there: the same for all proxies that share them."""
    seconds: Annotated[float, Meta(gt=0.0)] = 3_600.0


class ArmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table `[arms.NAME]`: an A/B arm."""

    share: Annotated[float, Meta(gt=0.0, le=1.0)]
    """Of all sessions."""
    models: Annotated[list[str], Meta(min_length=1)]
    """Names of the models that answer this arm."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file's keys. Relative paths are the file's neighbours; from flags, the working directory's."""

    listen: str = DEFAULT_LISTEN
    workers: list[str] = []
    token_file: str = ""
    worker_token_file: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    insecure: bool = False
    region: Annotated[str, Meta(max_length=MAX_NAME)] = ""
    grace: Annotated[float, Meta(ge=0.0, le=MAX_GRACE)] = 10.0
    """Seconds that requests in flight have to finish after SIGTERM."""
    log_level: LogLevel = "info"
    limits: LimitSettings = LimitSettings()
    cache: CacheSettings = CacheSettings()
    redis: RedisSettings = RedisSettings()
    weights: dict[str, Weight] = {}
    """A tenant's share of the workers under overload; 1 unless it is here."""
    languages: dict[str, Tier] = {}
    """The least tier of model for a language."""
    arms: dict[str, ArmSettings] = {}
    processes: Annotated[int, Meta(ge=1, le=MAX_PROCESSES)] = 1
    """Processes that share the port."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Checked settings, with addresses and paths resolved."""

    listen: Address
    workers: tuple[WorkerAddress, ...]
    token_file: Path | None = None
    worker_token_file: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    region: str = ""
    grace: float = 10.0
    log_level: LogLevel = "info"
    limits: LimitSettings = LimitSettings()
    cache: CacheSettings = CacheSettings()
    redis: RedisSettings = RedisSettings()
    weights: dict[str, float] = {}
    languages: dict[str, Tier] = {}
    arms: dict[str, ArmSettings] = {}
    processes: int = 1


def load(file: Path | None, flags: dict[str, Any]) -> Config:
    """The configuration from `file` and from the `flags` that were given. Raises StartError."""
    values: dict[str, Any] = {} if file is None else _read(file)
    try:
        settings = msgspec.convert({**values, **flags}, Settings)
    except msgspec.ValidationError as error:
        raise StartError(f"The flags are wrong: {error}. See foretype-proxy --help.") from None
    return check(settings)


_TABLES: Final[dict[str, type[msgspec.Struct]]] = {
    "limits": LimitSettings,
    "cache": CacheSettings,
    "redis": RedisSettings,
}
_PATHS: Final = ("token_file", "worker_token_file", "tls_cert", "tls_key")


def _read(file: Path) -> dict[str, Any]:
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
    _refuse_unknown(file, text, values, Settings, "")
    for table, known in _TABLES.items():
        if isinstance(inside := values.get(table), dict):
            _refuse_unknown(file, text, inside, known, f"{table}.")
    try:
        msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise StartError(_located(file, text, str(error))) from None
    redis = values.get("redis", {})
    if redis.get("key_file"):
        redis["key_file"] = str(file.parent / redis["key_file"])
    for key in _PATHS:
        if values.get(key):
            values[key] = str(file.parent / values[key])
    return values


def _line_of(text: str, key: str) -> str:
    """` line N` of the first place where `key` is set, or nothing if it is written in a way this does not find."""
    name = re.escape(key.rpartition(".")[2])
    pattern = re.compile(rf"""^\s*(?:[\w.]+\.)?["']?{name}["']?\s*=|^\s*\[\s*{name}\s*\]""")
    for number, line in enumerate(text.splitlines(), start=1):
        if pattern.search(line):
            return f", line {number}"
    return ""


def _refuse_unknown(file: Path, text: str, values: dict[str, Any], known: type[msgspec.Struct], prefix: str) -> None:
    names = known.__struct_fields__
    for key in values:
        if key in names:
            continue
        near = difflib.get_close_matches(key.replace("-", "_"), names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(names)}."
        raise StartError(f"{file}{_line_of(text, key)}: unknown key {prefix + key!r}; {hint}")


def _located(file: Path, text: str, problem: str) -> str:
    """msgspec's problem (`Expected … - at `$.limits.sessions``) with file and line."""
    what, _, where = problem.partition(" - at `$.")
    key = where.rstrip("`")
    name = re.sub(r"\[.*?\]", "", key)
    what = what.replace("`", "")
    return f"{file}{_line_of(text, name)}: {key or 'the file'}: {what[:1].lower()}{what[1:]}."


def check(settings: Settings) -> Config:
    """What cannot be said by types: addresses, pairs, and that nobody is let in by accident. Raises StartError."""
    listen = parse_listen(settings.listen)
    if not settings.workers:
        raise StartError("No worker is given: say where one is with --worker ws://HOST:PORT or `workers` in the file.")
    workers = tuple(parse_worker(text) for text in dict.fromkeys(settings.workers))
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise StartError("TLS needs both a certificate and its key: give --tls-cert and --tls-key, or neither.")
    reason = unsafe_reason(
        listen, token=bool(settings.token_file), tls=bool(settings.tls_cert), insecure=settings.insecure
    )
    if reason is not None:
        raise StartError(reason)
    if sum(arm.share for arm in settings.arms.values()) > 1.0 + _ROUNDING:
        raise StartError("The shares of all [arms] are more than 1 together: give each arm less.")
    _check_processes(settings.processes, listen)
    if settings.redis.url and not (settings.redis.key_file and settings.cache.bytes):
        raise StartError("A shared cache needs redis.key_file, to encrypt what lies there, and cache.bytes above 0.")
    return Config(
        listen=listen,
        workers=workers,
        token_file=_path(settings.token_file),
        worker_token_file=_path(settings.worker_token_file),
        tls_cert=_path(settings.tls_cert),
        tls_key=_path(settings.tls_key),
        region=settings.region,
        grace=settings.grace,
        log_level=settings.log_level,
        limits=settings.limits,
        cache=settings.cache,
        redis=settings.redis,
        weights=settings.weights,
        languages=settings.languages,
        arms=settings.arms,
        processes=settings.processes,
    )


def _check_processes(processes: int, listen: Address) -> None:
    if processes == 1:
        return
    if not hasattr(socket, "SO_REUSEPORT"):
        raise StartError("This system has no SO_REUSEPORT for several processes on one port: use --processes 1.")
    if not isinstance(listen, TcpAddress):
        raise StartError(f"Several processes cannot share {listen}: use --processes 1, or listen on HOST:PORT.")
    if listen.port == 0:
        raise StartError("Several processes need one port to share: give --listen a port instead of 0.")


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None
