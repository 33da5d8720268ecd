"""`foretype-proxy check`: whether a proxy would start with these settings, without starting one."""

from __future__ import annotations

from pathlib import Path

from edge_proxy.auth import load_secret, load_worker_token
from edge_proxy.config import Config
from edge_proxy.guard import Guard
from edge_proxy.tls import server_context, worker_context


def check(config: Config, file: Path | None) -> int:
    """Read every file that the settings name, and say what the proxy would do; the exit status. Raises StartError."""
    Guard(config)
    server_context(config)
    worker_context(config)
    if config.worker_token_file is not None:
        load_worker_token(config.worker_token_file)
    if config.redis.url:
        load_secret(Path(config.redis.key_file))
    ways = {"a token file": config.token_file, "tokens given out": config.tokens, "JWT": config.jwt.issuer}
    who = " and ".join(way for way, there in ways.items() if there) or "nobody: anyone who reaches it may use it"
    print(f"{file or 'The flags'}: good.")
    print(f"  listens on {config.listen}, {'with' if config.tls_cert else 'without'} TLS; asks for {who}")
    print(f"  workers: {', '.join(worker.name for worker in config.workers)}")
    return 0
