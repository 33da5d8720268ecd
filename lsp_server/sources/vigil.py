"""Looks from time to time whether this machine slept or is in another network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from lsp_server.sources.waking import Waking

LOOK_S: Final = 1.0
"""Between looks: a tenth of a millisecond each."""


async def watch(waking: Waking, route: Callable[[], tuple[str, ...]], tell: Callable[[str], None]) -> None:
    """For ever; `tell` is called with what happened, in words."""
    way = route()
    waking.slept(LOOK_S)
    while True:
        await asyncio.sleep(LOOK_S)
        before, way = way, route()
        if waking.slept(LOOK_S):
            tell("the machine slept")
        elif way != before and way:
            tell("the network is another one")
