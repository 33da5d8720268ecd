"""Makes the fakes of this folder importable, and gives an edge that speaks the protocol."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_peer import FakePeer


@pytest.fixture
async def edge() -> AsyncIterator[FakePeer]:
    """A fake edge on a free port of this machine."""
    peer = FakePeer()
    await peer.start()
    yield peer
    await peer.stop()
