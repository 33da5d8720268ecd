"""TLS of the proxy: what it shows to clients, and what it shows to workers and whom it trusts there."""

from __future__ import annotations

import ssl
from pathlib import Path

from edge_proxy.config import Config
from edge_proxy.errors import StartError


def server_context(config: Config) -> ssl.SSLContext | None:
    """For the listener; None without a certificate. Raises StartError."""
    if config.tls_cert is None or config.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    load_pair(context, config.tls_cert, config.tls_key)
    return context


def worker_context(config: Config) -> ssl.SSLContext | None:
    """For connections to workers; None if neither an authority nor a certificate is set. Raises StartError."""
    if config.worker_ca is None and config.worker_cert is None:
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=config.worker_ca)
    except ssl.SSLError as error:
        raise StartError(f"worker_ca {config.worker_ca} is not a PEM file of certificates: {error.reason}.") from None
    except OSError as error:
        raise StartError(f"worker_ca {config.worker_ca} cannot be read: {error.strerror}.") from None
    if config.worker_cert is not None and config.worker_key is not None:
        load_pair(context, config.worker_cert, config.worker_key)
    return context


def load_pair(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    """Show this certificate from the next handshake on; connections that there are go on. Raises StartError."""
    try:
        context.load_cert_chain(cert, key)
    except ssl.SSLError as error:
        raise StartError(f"The certificate {cert} and key {key} do not work together as PEM: {error.reason}.") from None
    except OSError as error:
        raise StartError(f"The certificate {cert} or its key {key} cannot be read: {error.strerror}.") from None
