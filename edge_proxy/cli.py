"""`foretype-proxy`: flags, and one sentence on stderr for everything that keeps it from starting."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from edge_proxy import __version__
from edge_proxy.check_cli import check
from edge_proxy.config import DEFAULT_LISTEN, LOG_LEVELS, Config, load
from edge_proxy.errors import StartError
from edge_proxy.processes import EXIT_CANNOT_START, INSIDE_FLAG, run_several, start_process
from edge_proxy.serve import run
from edge_proxy.telemetry.logs import set_up as set_up_log
from edge_proxy.tokens_cli import main as tokens

_DESCRIPTION: Final = """\
Holds the sessions of many editors and shares a few workers among them: newest request first, superseded
and hopeless ones never run. Without tokens it listens on this machine only and lets anyone there in.
"""

_EXAMPLES: Final = """\
examples:
  foretype-proxy --listen 127.0.0.1:9000 --worker ws://127.0.0.1:9100
  foretype-proxy --listen 0.0.0.0:443 --worker wss://gpu1:9100 --worker wss://gpu2:9100 \\
                 --token-file tokens.txt --tls-cert edge.pem --tls-key edge.key
  foretype-proxy --config proxy.toml
  foretype-proxy check --config proxy.toml        whether it would start, and what it would do
  foretype-proxy tokens create|list|revoke …      tokens for people; see foretype-proxy tokens --help

Keys of the file are the flags' names with underscores, `workers` being a list, and a table [limits]. Flags
override the file. Serves /v1/session (WebSocket), /v1/completions and /v1/models (OpenAI-compatible), a status
page at /, /healthz, /readyz and /metrics. SIGTERM drains: requests in flight get --grace seconds; a second signal
ends it at once. SIGHUP reads the file again, and drops no session.
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
    add("--tokens", metavar="FILE|URL", help="where `foretype-proxy tokens` keeps them: a file or a Redis URL")
    add("--usage", metavar="FILE|URL", help="where spent tokens are counted, for quotas: a file or a Redis URL")
    add("--worker-token-file", metavar="FILE", help="the token this proxy shows to the workers")
    add("--tls-cert", metavar="FILE", help="certificate chain in PEM")
    add("--tls-key", metavar="FILE", help="its private key in PEM")
    add("--worker-ca", metavar="FILE", help="whom to trust for workers' certificates, in PEM")
    add("--worker-cert", metavar="FILE", help="certificate shown to workers, in PEM")
    add("--worker-key", metavar="FILE", help="its private key in PEM")
    add("--insecure", action="store_true", help="allow an address that others can reach without tokens or TLS")
    add("--region", metavar="NAME", help="told to clients")
    add("--grace", metavar="SECONDS", type=float, help="for requests in flight after SIGTERM (default 10)")
    add("--processes", metavar="N", type=int, help="processes that share the port (default 1)")
    add(INSIDE_FLAG, action="store_true", help=argparse.SUPPRESS)
    add("--log-level", choices=LOG_LEVELS, help="of the log on stderr (default info), which has no tokens in it")
    add("--version", action="version", version=f"foretype-proxy {__version__}")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run the proxy, or `check` or `tokens`; the exit status: 0 after a clean drain, 2 if it could not start."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments[:1] == ["tokens"]:
            return tokens(arguments[1:])
        return _serve(arguments)
    except StartError as error:
        print(f"foretype-proxy: {error}", file=sys.stderr)
        return EXIT_CANNOT_START


def _serve(arguments: list[str]) -> int:
    only_check = arguments[:1] == ["check"]
    flags: dict[str, Any] = vars(parser().parse_args(arguments[1:] if only_check else arguments))
    name = flags.pop("config", None)
    file = None if name is None else Path(name)
    inside = flags.pop(INSIDE_FLAG.lstrip("-").replace("-", "_"), False)

    def settings() -> Config:
        return load(file, flags)

    config = settings()
    if only_check:
        return check(config, file)
    set_up_log(config.log_level, config.log_format)
    if config.processes > 1 and not inside:
        return run_several(config.processes, arguments, start_process)
    return run(config, child=inside, load=settings)
