"""The command `foretype-worker`: arguments to options, errors to sentences."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import ssl
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from gpu_worker import listen, worker_file
from gpu_worker.engine_choice import ENGINES, Choice, choose
from gpu_worker.engines.base import Engine
from gpu_worker.errors import WorkerError
from gpu_worker.files import read_text
from gpu_worker.server import DEFAULT_GRACE_SECONDS, ServeOptions, serve
from gpu_worker.worker_file import WorkerFile

EXIT_USAGE = 2
"""Exit code when the worker cannot start, or cannot go on: bad settings, missing files, a port in use."""
DEFAULT_LISTEN = "127.0.0.1:9100"
MAX_PARALLEL = 1_024
MAX_CONTEXT = 1_048_576
SWITCH_SECONDS = 0.000_5
"""Python lets one thread run 5 ms before another may: tokens would leave in bursts of that, a step takes 0.5 ms."""
MIN_TOKEN_CHARS = 8
"""Shorter secrets are guessed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the worker; the process's exit code."""
    options = _parser().parse_args(argv)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    try:
        serving = _serve_options(options)
        engine = choose(_choice(options))
        _run(serving, engine)
    except WorkerError as error:
        print(f"foretype-worker: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:  # a second Ctrl-C, or one before the signal handlers were there
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="foretype-worker",
        description="Host a model and generate code completions for foretype-proxy or foretype-lsp.",
        epilog="By default it listens on this machine only, where anyone may connect. On any other address it wants "
        "--token-file, --tls-cert and --tls-key.",
    )
    parser.add_argument("--version", action="version", version=f"foretype-worker {_version()}")
    parser.add_argument("--engine", default="llama", metavar="|".join(ENGINES), help="default: llama")
    parser.add_argument(
        "--model",
        metavar="NAME|PATH",
        help="starter (default), a GGUF file, the server's model name; for vllm a folder or a name on the hub",
    )
    parser.add_argument(
        "--engine-config", type=Path, metavar="FILE", help="settings in TOML; SIGHUP reads them again (see README)"
    )
    parser.add_argument(
        "--tier", default="small", choices=["small", "medium", "large"], help="told to proxies (default: %(default)s)"
    )
    parser.add_argument("--listen", default=DEFAULT_LISTEN, metavar="HOST:PORT|unix:PATH", help="default: %(default)s")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="accepted tokens, one a line")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate chain, PEM")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="private key, PEM")
    parser.add_argument("--tls-client-ca", type=Path, metavar="FILE", help="only who it signed may connect, PEM")
    parser.add_argument("--insecure", action="store_true", help="serve other machines without a token or TLS")
    parser.add_argument(
        "--idle-exit", type=_seconds, metavar="SECONDS", help="leave so long after the last connection closed"
    )
    parser.add_argument(
        "--grace", type=_seconds, default=DEFAULT_GRACE_SECONDS, metavar="SECONDS", help="to finish on SIGTERM"
    )
    parser.add_argument(
        "--parallel",
        type=_between(1, MAX_PARALLEL),
        metavar="N",
        help="requests at once (llama 4, openai 16, vllm by preset)",
    )
    parser.add_argument(
        "--context",
        type=_between(1, MAX_CONTEXT),
        default=0,
        metavar="N",
        help="tokens per request; default: the model's",
    )
    parser.add_argument(
        "--log-level", default="warning", choices=["debug", "info", "warning", "error"], help="default: %(default)s"
    )
    llama = parser.add_argument_group("llama engine")
    llama.add_argument("--threads", type=_between(1, 256), default=0, metavar="N", help="default: by model and machine")
    llama.add_argument("--gpu-layers", type=_between(-1, 1_000), default=0, metavar="N", help="on a GPU; -1: all")
    llama.add_argument("--no-mmap", action="store_true", help="read the model into memory instead of mapping it")
    vllm = parser.add_argument_group("vllm engine")
    vllm.add_argument(
        "--preset",
        default="",
        metavar="latency|throughput|cpu",
        help="default: latency; where vLLM runs on a CPU: cpu",
    )
    openai = parser.add_argument_group("openai engine")
    openai.add_argument("--url", metavar="URL", help="of the server, with /v1: http://127.0.0.1:8000/v1")
    openai.add_argument("--api-key-file", type=Path, metavar="FILE", help="the server's key (or OPENAI_API_KEY)")
    openai.add_argument(
        "--fim",
        default="auto",
        choices=["auto", "prompt", "suffix"],
        help="send the model's own fill-in-the-middle prompt, or the API's suffix field",
    )
    openai.add_argument("--fim-family", default="", metavar="NAME", help="qwen, starcoder, deepseek, codellama, …")
    openai.add_argument("--no-logprobs", action="store_true", help="do not ask the server for log-probabilities")
    return parser


def _serve_options(options: argparse.Namespace) -> ServeOptions:
    address = listen.parse(options.listen)
    tokens = _tokens(options.token_file) if options.token_file else ()
    tls = _tls(options.tls_cert, options.tls_key, options.tls_client_ca)
    listen.require_safe(address, token=bool(tokens), tls=tls is not None, insecure=options.insecure)
    return ServeOptions(
        address=address,
        tokens=tokens,
        tls=tls,
        tier=options.tier,
        idle_exit=options.idle_exit,
        grace=options.grace,
        reload=(lambda: choose(_choice(options))) if options.engine_config else None,
    )


def _choice(options: argparse.Namespace) -> Choice:
    """The engine's settings, its file read again each time. Raises WorkerError."""
    return Choice(
        engine=options.engine,
        model=options.model,
        parallel=options.parallel,
        context=options.context,
        file=worker_file.read(options.engine_config) if options.engine_config else WorkerFile(),
        threads=options.threads,
        gpu_layers=options.gpu_layers,
        mmap=not options.no_mmap,
        url=options.url,
        api_key_file=options.api_key_file,
        fim=options.fim,
        fim_family=options.fim_family,
        logprobs=not options.no_logprobs,
        preset=options.preset,
    )


def _run(serving: ServeOptions, engine: Engine) -> None:
    async def life() -> None:
        await serve(serving, engine, asyncio.Event(), lambda line: print(line, flush=True))

    sys.setswitchinterval(SWITCH_SECONDS)
    factory = None
    if sys.platform != "win32":
        with contextlib.suppress(ImportError):
            import uvloop

            factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(life())


def _tokens(path: Path) -> tuple[str, ...]:
    lines = [line.strip() for line in read_text(path).splitlines()]
    tokens = tuple(line for line in lines if line and not line.startswith("#"))
    if not tokens:
        raise WorkerError(f"The token file {path} has no token: write one on a line of its own.")
    if any(len(token) < MIN_TOKEN_CHARS for token in tokens):
        raise WorkerError(f"A token in {path} is shorter than {MIN_TOKEN_CHARS} characters: use a longer one.")
    return tokens


def _tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> ssl.SSLContext | None:
    if certificate is None and key is None and client_ca is None:
        return None
    if certificate is None or key is None:
        raise WorkerError("TLS needs both --tls-cert and --tls-key.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or "they do not match or are not PEM"
        raise WorkerError(f"The certificate {certificate} with key {key} cannot be used: {why}.") from None
    if client_ca is not None:
        try:
            context.load_verify_locations(client_ca)
        except (OSError, ssl.SSLError) as error:
            why = error.strerror or "it is not PEM"
            raise WorkerError(f"The authority {client_ca} of --tls-client-ca cannot be used: {why}.") from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 86_400 * 365:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.lstrip("-").isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low} to {high}")
        return int(text)

    return parse


def _version() -> str:
    try:
        return metadata.version("foretype")
    except metadata.PackageNotFoundError:
        return "0+unknown"
