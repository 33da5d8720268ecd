"""Settings of the proxy: defaults, then the TOML file, then flags; every mistake is one sentence with file and line."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from edge_proxy import toml_file
from edge_proxy.addresses import WorkerAddress, parse_listen, parse_worker
from edge_proxy.answer_cache import DEFAULT_BYTES, DEFAULT_SECONDS
from edge_proxy.errors import SettingError, StartError, about
from edge_proxy.escalation import Escalation
from edge_proxy.near_match.settings import NearMatchSettings
from edge_proxy.telemetry.settings import CostSettings, LogFormat, MetricsSettings, TracingSettings
from edge_proxy.tenancy.allowances import TenantPolicy
from edge_proxy.tenancy.settings import TenantSettings, check_jwt, origin, policies
from edge_proxy.tenancy.signed_tokens import JwtSettings
from edge_proxy.tenancy.token_store import is_redis
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
    near_match: NearMatchSettings = NearMatchSettings()


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
    tokens: str = ""
    """Where `foretype-proxy tokens` keeps them: a file, or a Redis URL."""
    usage: str = ""
    """Where spent tokens are counted across restarts and proxies: a file, or a Redis URL."""
    jwt: JwtSettings = JwtSettings()
    tenants: dict[str, TenantSettings] = {}
    origins: list[str] = []
    """Pages of these may use the proxy from a browser, beside its own."""
    worker_token_file: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    worker_ca: str = ""
    """Who signs the workers' certificates; without it, whom the system trusts."""
    worker_cert: str = ""
    worker_key: str = ""
    """What the proxy shows to workers that ask for a certificate."""
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
    escalation: Escalation = Escalation()
    processes: Annotated[int, Meta(ge=1, le=MAX_PROCESSES)] = 1
    """Processes that share the port."""
    log_format: LogFormat = "text"
    log_requests: bool = False
    """A line in the log for each completion, without its text."""
    operator_token_file: str = ""
    """The token that the status page and `/metrics` ask for."""
    cost: CostSettings = CostSettings()
    metrics: MetricsSettings = MetricsSettings()
    tracing: TracingSettings = TracingSettings()


WAYS_IN: Final = "one of --token-file, --tokens and the table [jwt]"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Checked settings, with addresses and paths resolved."""

    listen: Address
    workers: tuple[WorkerAddress, ...]
    token_file: Path | None = None
    tokens: str = ""
    usage: str = ""
    jwt: JwtSettings = JwtSettings()
    tenants: dict[str, TenantPolicy] = {}
    origins: tuple[str, ...] = ()
    worker_token_file: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    worker_ca: Path | None = None
    worker_cert: Path | None = None
    worker_key: Path | None = None
    region: str = ""
    grace: float = 10.0
    log_level: LogLevel = "info"
    limits: LimitSettings = LimitSettings()
    cache: CacheSettings = CacheSettings()
    redis: RedisSettings = RedisSettings()
    weights: dict[str, float] = {}
    languages: dict[str, Tier] = {}
    arms: dict[str, ArmSettings] = {}
    escalation: Escalation = Escalation()
    processes: int = 1
    insecure: bool = False
    log_format: LogFormat = "text"
    log_requests: bool = False
    operator_token_file: Path | None = None
    cost: CostSettings = CostSettings()
    metrics: MetricsSettings = MetricsSettings()
    tracing: TracingSettings = TracingSettings()

    @property
    def has_auth(self) -> bool:
        """Whether anybody is asked for a token."""
        return bool(self.token_file or self.tokens or self.jwt.issuer)


def load(file: Path | None, flags: dict[str, Any]) -> Config:
    """The configuration from `file` and from the `flags` that were given. Raises StartError."""
    values: dict[str, Any] = {} if file is None else _read(file)
    try:
        settings = msgspec.convert({**values, **flags}, Settings)
    except msgspec.ValidationError as error:
        raise StartError(f"The flags are wrong: {error}. See foretype-proxy --help.") from None
    try:
        return check(settings)
    except SettingError as error:
        if file is None or error.path[0] in flags or error.path[0] not in values:
            raise
        raise StartError(f"{toml_file.place(file, error.path)}: {error}") from None


_PATHS: Final = (
    "token_file",
    "worker_token_file",
    "tls_cert",
    "tls_key",
    "worker_ca",
    "worker_cert",
    "worker_key",
    "operator_token_file",
)
_STORES: Final = ("tokens", "usage")
"""Paths, unless they are Redis URLs."""


def _read(file: Path) -> dict[str, Any]:
    values = toml_file.read(file, Settings)
    redis = values.get("redis", {})
    if redis.get("key_file"):
        redis["key_file"] = str(file.parent / redis["key_file"])
    for key in (*_PATHS, *_STORES):
        if values.get(key) and not (key in _STORES and is_redis(values[key])):
            values[key] = str(file.parent / values[key])
    return values


def load_store(file: Path) -> str:
    """Where the settings in `file` keep tokens. Raises StartError."""
    where = _read(file).get("tokens", "")
    if not where:
        raise StartError(f"{file} does not say where tokens are kept: set `tokens`, or use --store.")
    return str(where)


def check(settings: Settings) -> Config:
    """What cannot be said by types: addresses, pairs, and that nobody is let in by accident. Raises StartError."""
    with about("listen"):
        listen = parse_listen(settings.listen)
    if not settings.workers:
        raise StartError("No worker is given: say where one is with --worker ws://HOST:PORT or `workers` in the file.")
    workers = tuple(_workers(settings.workers))
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise StartError("TLS needs both a certificate and its key: give --tls-cert and --tls-key, or neither.")
    if bool(settings.worker_cert) != bool(settings.worker_key):
        raise StartError("A certificate for workers needs its key: give worker_cert and worker_key, or neither.")
    with about("jwt"):
        check_jwt(settings.jwt)
    auth = bool(settings.token_file or settings.tokens or settings.jwt.issuer)
    tls = bool(settings.tls_cert)
    reason = unsafe_reason(listen, token=auth, tls=tls, insecure=settings.insecure, tokens=WAYS_IN)
    if reason is not None:
        raise SettingError(("listen",), reason)
    if sum(arm.share for arm in settings.arms.values()) > 1.0 + _ROUNDING:
        raise SettingError(("arms",), "The shares of all [arms] are more than 1 together: give each arm less.")
    _check_processes(settings.processes, listen)
    _check_prices(settings)
    if settings.redis.url and not (settings.redis.key_file and settings.cache.bytes):
        message = "A shared cache needs redis.key_file, to encrypt what lies there, and cache.bytes above 0."
        raise SettingError(("redis",), message)
    return Config(
        listen=listen,
        workers=workers,
        token_file=_path(settings.token_file),
        tokens=settings.tokens,
        usage=settings.usage,
        jwt=settings.jwt,
        tenants=policies(settings.tenants),
        origins=_origins(settings.origins),
        worker_token_file=_path(settings.worker_token_file),
        tls_cert=_path(settings.tls_cert),
        tls_key=_path(settings.tls_key),
        worker_ca=_path(settings.worker_ca),
        worker_cert=_path(settings.worker_cert),
        worker_key=_path(settings.worker_key),
        region=settings.region,
        grace=settings.grace,
        log_level=settings.log_level,
        limits=settings.limits,
        cache=settings.cache,
        redis=settings.redis,
        weights=settings.weights,
        languages=settings.languages,
        arms=settings.arms,
        escalation=settings.escalation,
        processes=settings.processes,
        insecure=settings.insecure,
        log_format=settings.log_format,
        log_requests=settings.log_requests,
        operator_token_file=_path(settings.operator_token_file),
        cost=settings.cost,
        metrics=settings.metrics,
        tracing=settings.tracing,
    )


def _workers(addresses: list[str]) -> Iterator[WorkerAddress]:
    for index, text in enumerate(addresses):
        with about("workers", index):
            if text not in addresses[:index]:
                yield parse_worker(text)


def _origins(origins: list[str]) -> tuple[str, ...]:
    with about("origins"):
        return tuple(map(origin, origins))


def _check_processes(processes: int, listen: Address) -> None:
    if processes == 1:
        return
    if not hasattr(socket, "SO_REUSEPORT"):
        raise StartError("This system has no SO_REUSEPORT for several processes on one port: use --processes 1.")
    if not isinstance(listen, TcpAddress):
        raise StartError(f"Several processes cannot share {listen}: use --processes 1, or listen on HOST:PORT.")
    if listen.port == 0:
        raise StartError("Several processes need one port to share: give --listen a port instead of 0.")


def _check_prices(settings: Settings) -> None:
    for address in settings.cost.workers:
        if address not in settings.workers:
            message = f"{address!r} has a price and is not among `workers`: write it as it is there, or take it out."
            raise SettingError(("cost", "workers", address), message)


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None
