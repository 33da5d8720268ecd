"""What an operator sees, put together from the settings: metrics, costs, traces, a log line per request, the status."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, Final

from aiohttp import hdrs, web

from edge_proxy import __version__
from edge_proxy.config import Config
from edge_proxy.errors import StartError
from edge_proxy.metrics import CONTENT_TYPE, Metrics
from edge_proxy.status_page.operators import Operators, check_token
from edge_proxy.status_page.report import report
from edge_proxy.status_page.routes import StatusPage
from edge_proxy.status_page.window import EVERY_SECONDS, Reading, Window, read
from edge_proxy.telemetry.observer import Observer
from edge_proxy.telemetry.scrape import Sources, refresh
from edge_proxy.telemetry.tenants import FIELDS, Tenants
from edge_proxy.telemetry.tracing import OtlpExporter, Tracing

SHOWN_TENANTS: Final = 10
"""On the status page."""


class Operations:
    """Of one proxy, in one event loop. `attach` says where the levels are found; until then nothing may be read."""

    def __init__(self, config: Config, metrics: Metrics) -> None:
        """Raises StartError where the token or the packages for tracing cannot be used."""
        self._metrics: Final = metrics
        self._region: Final = config.region
        self._began: Final = time.monotonic()
        self._operators: Final = Operators(_token(config), everyone=not config.has_auth)
        labels = config.metrics.tenants if self._operators.names_tenants else 0
        self._tracing: Final = _tracing(config)
        self.observer: Final = Observer(
            metrics,
            time.monotonic,
            config.cost,
            Tenants(labels, time.monotonic),
            self._tracing,
            config.log_requests,
        )
        self._window: Final = Window(read(metrics, self.observer, time.monotonic()))
        self._sources: Sources
        self._timer: asyncio.TimerHandle | None = None
        self._page: Final = StatusPage(self._operators, self._status)

    def attach(self, sources: Sources) -> None:
        """The dispatcher and the rest exist now."""
        self._sources = sources

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve `/metrics`, the status page and its data."""
        router.add_get("/metrics", self._scrape)
        self._page.add_routes(router)

    def start(self) -> None:
        """Begin to look at the counts now and then, for the status of the last minute."""
        self._timer = asyncio.get_running_loop().call_later(EVERY_SECONDS, self._look)

    async def stop(self) -> None:
        """Send the traces that wait; takes seconds at most."""
        if self._timer is not None:
            self._timer.cancel()
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)

    def apply(self, config: Config) -> None:
        """Other prices from now on; the rest stays as the process began with it."""
        self.observer.reprice(config.cost, self._sources.dispatcher.workers)

    def _look(self) -> None:
        self._window.add(self._read())
        self.start()

    def _read(self) -> Reading:
        return read(self._metrics, self.observer, time.monotonic())

    async def _scrape(self, request: web.Request) -> web.Response:
        refusal = self._operators.refusal_of_metrics(request.headers.get(hdrs.AUTHORIZATION, ""))
        if refusal is not None:
            return web.Response(status=401, text=f"{refusal}\n", headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
        refresh(self._metrics, self._sources)
        return web.Response(body=self._metrics.render(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})

    def _status(self) -> dict[str, Any]:
        refresh(self._metrics, self._sources)
        dispatcher, now = self._sources.dispatcher, self._read()
        return {
            "version": __version__,
            "region": self._region,
            "ready": dispatcher.ready,
            "draining": dispatcher.draining,
            "uptime_seconds": round(time.monotonic() - self._began, 3),
            "completions_total": self.observer.completions,
            **report(self._metrics, list(dispatcher.workers), now, self._window.oldest),
            "tenants": self._tenants(),
        }

    def _tenants(self) -> list[dict[str, Any]]:
        """The busiest; none where only one, without a name, is there."""
        counts = [(name, one) for name, one in self.observer.tenants.read() if one.requests]
        if [name for name, _ in counts] in ([], [""]):
            return []
        counts.sort(key=lambda pair: -pair[1].requests)
        return [
            {"name": name, **{field: getattr(one, field) for field in FIELDS}} for name, one in counts[:SHOWN_TENANTS]
        ]


def _token(config: Config) -> str:
    file = config.operator_token_file
    if file is None:
        return ""
    try:
        return check_token(file.read_text(encoding="utf-8"), file)
    except OSError as error:
        raise StartError(f"The operators' token file {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise StartError(f"The operators' token file {file} is not UTF-8 text.") from None


def _tracing(config: Config) -> Tracing | None:
    settings = config.tracing
    if not settings.endpoint:
        return None
    exporter = OtlpExporter(settings.endpoint, time.monotonic, time.time, config.region, __version__)
    return Tracing(settings, exporter, time.monotonic, random.random)
