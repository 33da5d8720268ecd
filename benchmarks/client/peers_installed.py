"""Which peers are there, and the sentence for each that is not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

PEERS: Final = Path(__file__).parent / "peers"
TABBY: Final = PEERS / "node_modules" / "tabby-agent" / "dist" / "cli.js"
CONTINUE: Final = PEERS / "bundle" / "continue.mjs"
VERSIONS: Final = {"Tabby": "tabby-agent 1.5.0", "Continue": "@continuedev/core 1.1.0"}


def missing() -> dict[str, str]:
    """The peers that cannot run here, and why."""
    if shutil.which("node") is None:
        return dict.fromkeys(VERSIONS, "Node.js is not installed")
    files = {"Tabby": TABBY, "Continue": CONTINUE}
    return {
        name: f"{VERSIONS[name]} is not installed: run scripts/setup_bench_client.sh"
        for name, file in files.items()
        if not file.is_file()
    }
