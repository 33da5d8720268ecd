"""The status page in a real headless Chromium, in front of real processes with the starter model.

FORETYPE_ARTEFACTS=FOLDER keeps screenshots.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from chromium import Page, installed
from stack import TOKEN, Stack

pytestmark = [
    pytest.mark.skipif(installed() is None, reason="there is no Chromium"),
    pytest.mark.timeout(120),
]

OPERATOR = "operators-only"
EVIL = "<img src=x onerror=document.title='owned'>"
ARTEFACTS = os.environ.get("FORETYPE_ARTEFACTS", "")
MIN_CONTRAST = 4.5
"""Of text to its ground: WCAG 2.2, success criterion 1.4.3, level AA."""
SETTINGS = """
operator_token_file = "operator.txt"
region = "eu-west"
[cost]
usd_per_hour = 2.5
[cache]
bytes = 1048576
"""


@pytest.fixture
async def stack() -> AsyncIterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="ft-"))
    made = Stack(folder)
    (folder / "operator.txt").write_text(f"{OPERATOR}\n")
    (folder / "proxy.toml").write_text(SETTINGS)
    made.tokens.write_text(f"acme:{TOKEN}\n{EVIL}:other\n")
    yield made
    await made.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    made = Page()
    await made.start()
    yield made
    await made.stop()


async def complete(url: str, token: str, number: int) -> None:
    prompt = f"def scale(values):\n    return [value * {number} for value in "
    body = {"model": "foretype", "prompt": prompt, "max_tokens": 12}
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.request("POST", f"{url}/v1/completions", json=body, headers=headers) as response:
        assert response.status in {200, 503}


def keep(name: str, image: bytes) -> None:
    Path(ARTEFACTS, name).write_bytes(image)


async def log_in(page: Page, token: str) -> None:
    await page.until("!document.getElementById('login').hidden")
    await page.look(
        f"document.getElementById('token').value = {token!r};document.querySelector('#login form').requestSubmit(); 1"
    )


def luminance(color: str) -> float:
    """Of `rgb(r, g, b)`: WCAG 2.2, definition of relative luminance."""
    parts = [int(part) / 255 for part in color.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


async def contrasts(page: Page) -> list[tuple[str, float]]:
    """The text and contrast of every element in view that has text of its own."""
    seen: list[list[str]] = await page.look(
        "[...document.querySelectorAll('main *, header *')].filter((one) => one.checkVisibility() &&"
        " [...one.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())).map((one) => {"
        " let ground = one; while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)' &&"
        " ground.parentElement) ground = ground.parentElement;"
        " return [one.textContent.trim().slice(0, 40), getComputedStyle(one).color,"
        " getComputedStyle(ground).backgroundColor]; })"
    )
    found = []
    for text, color, ground in seen:
        bright, dim = sorted((luminance(color), luminance(ground)), reverse=True)
        found.append((text, (bright + 0.05) / (dim + 0.05)))
    return found


async def test_the_page_shows_live_figures_to_operators_only(stack: Stack, page: Page) -> None:
    proxy = stack.proxy_to("worker", more=["--config", str(stack.folder / "proxy.toml")])
    await asyncio.gather(stack.worker.start(), proxy.start())
    url = f"http://127.0.0.1:{stack.port}"
    await page.resize(1100, 900)
    await page.open(f"{url}/")

    await log_in(page, TOKEN)  # a tenant's token is not an operator's
    assert "not the token" in await page.until(
        "document.getElementById('refusal').textContent.includes('not the') &&"
        " document.getElementById('refusal').textContent"
    )
    assert await page.look("document.getElementById('tiles').textContent") == ""

    await log_in(page, OPERATOR)
    await page.until("document.getElementById('state').textContent === 'ready'")
    for number in range(12):
        await complete(url, TOKEN if number % 3 else "other", number % 8)
    await page.until("document.getElementById('tenants').textContent.includes('acme')")
    await page.until("document.querySelector('#rate polyline').getAttribute('points').split(' ').length > 2")
    text = await page.look("document.body.innerText")
    for shown in ("Sessions", "First token, p95", "Goodput", "Cache hits", "Shed", "Cost", "worker.sock", "eu-west"):
        assert shown in text, shown
    assert "$" in text

    # A tenant's name is text, whatever is in it.
    assert EVIL in text
    assert await page.look("document.querySelectorAll('img').length") == 0
    assert await page.look("document.title") == "Foretype proxy: ready"

    for scheme in ("light", "dark"):
        await page.shows_scheme(scheme)
        weak = [(text, round(ratio, 2)) for text, ratio in await contrasts(page) if ratio < MIN_CONTRAST]
        assert weak == []
        if ARTEFACTS:
            keep(f"status-{scheme}.png", await page.screenshot())
    await page.resize(390, 800)
    assert await page.look("document.documentElement.scrollWidth <= window.innerWidth")

    # Everything came from the proxy, nothing was kept as a cookie, and only the refused token's status was an error.
    assert {request.split("/")[2] for request in page.requests if request.startswith("http")} == {url.split("/")[2]}
    assert await page.look("document.cookie") == ""
    assert [error for error in page.errors if "401" not in error] == []

    await page.look("document.getElementById('leave').click(); 1")
    await page.until("!document.getElementById('login').hidden && sessionStorage.length === 0")


async def test_a_script_that_is_not_the_page_s_own_does_not_run(stack: Stack, page: Page) -> None:
    await stack.proxy_to("worker", more=["--config", str(stack.folder / "proxy.toml")]).start()
    await page.open(f"http://127.0.0.1:{stack.port}/")
    await page.until("!document.getElementById('login').hidden")
    await page.look(
        "(() => { const made = document.createElement('script'); made.textContent = 'document.title = \"owned\"';"
        " document.body.append(made); return 1; })()"
    )
    assert await page.look("document.title") == "Foretype proxy"
    assert any("Content Security Policy" in error for error in page.errors)


async def test_it_says_that_the_proxy_is_gone_and_goes_on_when_it_is_back(stack: Stack, page: Page) -> None:
    proxy: Any = stack.proxy_to("worker", more=["--config", str(stack.folder / "proxy.toml")])
    await proxy.start()
    await page.open(f"http://127.0.0.1:{stack.port}/")
    await log_in(page, OPERATOR)
    await page.until("document.getElementById('state').textContent.startsWith('not ready')")
    await proxy.stop()
    await page.until("document.getElementById('state').textContent.startsWith('no answer')")
    await proxy.start()
    await page.until("document.getElementById('state').textContent.startsWith('not ready')")
