"""TLS and a token for the proxy under test: a certificate of its own, made by `openssl`."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

TOKEN: Final = "bench-token"
_NAME: Final = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


class Secured(NamedTuple):
    """The proxy's flags, and what its clients trust."""

    flags: list[str]
    client: ssl.SSLContext


def secure(folder: Path) -> Secured:
    """Make certificate, key and token file in `folder`."""
    cert, key, tokens = folder / "cert.pem", folder / "key.pem", folder / "tokens"
    command = ["openssl", "req", "-x509", *_KEY, *_NAME, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, capture_output=True, check=True)
    tokens.write_text(f"bench:{TOKEN}\n")
    tokens.chmod(0o600)
    flags = ["--tls-cert", str(cert), "--tls-key", str(key), "--token-file", str(tokens)]
    return Secured(flags, ssl.create_default_context(cafile=str(cert)))
