"""Certificates for tests, made with the openssl command: an authority, and what it signs."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

DAYS = "2"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Pair:
    """Files in PEM form."""

    cert: Path
    key: Path


class FakeAuthority:
    """A certificate authority nobody trusts unless told to."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self.pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
        _openssl(
            *("req", "-x509", *_KEY, "-days", DAYS, "-subj", f"/CN={name}"),
            *("-keyout", str(self.pair.key), "-out", str(self.pair.cert)),
            *("-addext", "keyUsage=critical,keyCertSign"),
        )

    def sign(self, host: str) -> Pair:
        """A certificate for a server or a client called `host`."""
        name = f"{self.pair.cert.stem}-{host}"
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        _openssl(
            *("req", "-x509", *_KEY, "-days", DAYS, "-subj", f"/CN={host}"),
            *("-keyout", str(pair.key), "-out", str(pair.cert)),
            *("-CA", str(self.pair.cert), "-CAkey", str(self.pair.key)),
            *("-addext", f"subjectAltName=DNS:{host}", "-addext", "basicConstraints=critical,CA:FALSE"),
        )
        return pair


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)
