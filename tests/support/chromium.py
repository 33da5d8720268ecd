"""A headless Chromium driven over the DevTools protocol: enough to open a page, look at it and press its buttons."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

START_S = 30.0
PATIENCE_S = 20.0
LOOK_S = 0.05


def installed() -> str | None:
    """Where Chromium is; None without one."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


class Page:
    """One page. `errors` has what it failed at, also for its security policy; `requests` the addresses it asked."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._folder = tempfile.mkdtemp(prefix="ft-chromium-")
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._loaded = asyncio.Event()

    async def start(self) -> None:
        """Open an empty page."""
        program = installed()
        assert program is not None, "there is no Chromium"
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        flags += ["--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={self._folder}"]
        self._process = await asyncio.create_subprocess_exec(
            program, *flags, "about:blank", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        port_file = Path(self._folder) / "DevToolsActivePort"
        async with asyncio.timeout(START_S):
            while not port_file.exists() or not port_file.read_text().strip():  # noqa: ASYNC110 - another process's
                await asyncio.sleep(LOOK_S)
        port = port_file.read_text().split()[0]
        self._http = aiohttp.ClientSession()
        async with self._http.get(f"http://127.0.0.1:{port}/json/list") as response:
            pages = [target for target in await response.json() if target["type"] == "page"]
        self._socket = await self._http.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def stop(self) -> None:
        """Close it."""
        if self._reader is not None:
            self._reader.cancel()
        if self._http is not None:
            await self._http.close()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def call(self, method: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A command of the protocol, and its result."""
        assert self._socket is not None
        id = next(self._ids)
        self._answers[id] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": id, "method": method, "params": parameters or {}})
        answer = await asyncio.wait_for(self._answers[id], PATIENCE_S)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def open(self, url: str) -> None:
        """Go there, and wait until the page is loaded."""
        self._loaded.clear()
        await self.call("Page.navigate", {"url": url})
        await asyncio.wait_for(self._loaded.wait(), PATIENCE_S)

    async def look(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = await self.call("Runtime.evaluate", {"expression": expression, "returnByValue": True})
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Wait until the expression has a value that is true, and give it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                value = await self.look(expression)
                if value:
                    return value
                await asyncio.sleep(LOOK_S)

    async def shows_scheme(self, scheme: str) -> None:
        """As a person who set `light` or `dark` sees it."""
        await self.call("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    async def resize(self, width: int, height: int) -> None:
        """The window's size in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", size)

    async def screenshot(self) -> bytes:
        """A PNG of what is in the window."""
        return base64.b64decode((await self.call("Page.captureScreenshot", {"format": "png"}))["data"])

    async def _read(self) -> None:
        assert self._socket is not None
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
                continue
            details = said["params"]
            match said["method"]:
                case "Page.loadEventFired":
                    self._loaded.set()
                case "Log.entryAdded":
                    self.errors.append(f"{details['entry']['source']}: {details['entry']['text']}")
                case "Runtime.exceptionThrown":
                    self.errors.append(str(details["exceptionDetails"]))
                case "Network.requestWillBeSent":
                    self.requests.append(details["request"]["url"])
