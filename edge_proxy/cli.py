"""`foretype-proxy`: flags, and one sentence on stderr for everything that keeps it from starting."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from edge_proxy import __version__
from edge_proxy.config import DEFAULT_LISTEN, LOG_LEVELS, load
from edge_proxy.errors import StartError
from edge_proxy.processes import EXIT_CANNOT_START, INSIDE_FLAG, run_several, start_process
from edge_proxy.serve import run

_DESCRIPTION: Final = """\
Holds the sessions of many editors and shares a few workers among them: newest request first, superseded
and hopeless ones never run. Without a token file it listens on this machine only and lets anyone there in.
"""

_EXAMPLES: Final = """\
examples:
  foretype-proxy --listen 127.0.0.1:9000 --worker ws://127.0.0.1:9100
  foretype-proxy --listen 0.0.0.0:443 --worker wss://gpu1:9100 --worker wss://gpu2:9100 \\
                 --token-file tokens.txt --tls-cert edge.pem --tls-key edge.key
  foretype-proxy --config proxy.toml

Keys of the file are the flags' names with underscores, `workers` being a list, and a table [limits]. Flags
override the file. Serves /v1/session (WebSocket), /healthz, /readyz and /metrics. SIGTERM drains: requests in
flight get --grace seconds; a second signal ends it at once.
"""


def parser() -> argparse.ArgumentParser:
    """The command line. Flags that were not given are absent from the result."""
    made = argparse.ArgumentParser(
        prog="foretype-proxy",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("--config", metavar="FILE", help="settings in TOML")
    add("--listen", metavar="HOST:PORT|unix:PATH", help=f"where clients connect (default {DEFAULT_LISTEN})")
    add(
        "--worker",
        metavar="URL",
        dest="workers",
        action="append",
        help="a worker: ws://HOST:PORT, wss://HOST:PORT or unix:PATH; may be repeated",
    )
    add("--token-file", metavar="FILE", help="tokens of clients, one per line: TOKEN or NAME:TOKEN")
    add("--worker-token-file", metavar="FILE", help="the token this proxy shows to the workers")
    add("--tls-cert", metavar="FILE", help="certificate chain in PEM")
    add("--tls-key", metavar="FILE", help="its private key in PEM")
    add("--insecure", action="store_true", help="allow an address that others can reach without tokens or TLS")
    add("--region", metavar="NAME", help="told to clients")
    add("--grace", metavar="SECONDS", type=float, help="for requests in flight after SIGTERM (default 10)")
    add("--processes", metavar="N", type=int, help="processes that share the port (default 1)")
    add(INSIDE_FLAG, action="store_true", help=argparse.SUPPRESS)
    add("--log-level", choices=LOG_LEVELS, help="of the log on stderr (default info); code is never logged")
    add("--version", action="version", version=f"foretype-proxy {__version__}")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run the proxy; the exit status: 0 after a clean drain, 2 if it could not start."""
    flags: dict[str, Any] = vars(parser().parse_args(argv))
    file = flags.pop("config", None)
    inside = flags.pop(INSIDE_FLAG.lstrip("-").replace("-", "_"), False)
    try:
        config = load(None if file is None else Path(file), flags)
        logging.basicConfig(level=config.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        if config.processes > 1 and not inside:
            return run_several(config.processes, sys.argv[1:] if argv is None else argv, start_process)
        return run(config, child=inside)
    except StartError as error:
        print(f"foretype-proxy: {error}", file=sys.stderr)
        return EXIT_CANNOT_START
