"""Whom TLS towards an edge trusts, and who we are to it: the system's store, `edge.ca_file`, a client certificate."""

from __future__ import annotations

import ssl
from pathlib import Path


class TlsSettingError(Exception):
    """A certificate or key that cannot be used; the sentence says which setting."""


def client_context(ca_file: str = "", client_cert: str = "", client_key: str = "") -> ssl.SSLContext:
    """A context that checks names and certificates. Raises TlsSettingError. Reads files: some 50 ms.

    It trusts what the system trusts, through truststore: on Windows and macOS also what an administrator or a person
    put into the system's own store, which OpenSSL never sees; and `ca_file` (PEM) beside it. `client_key` may be empty
    if the key is in the file of `client_cert`.
    """
    context = _system_context()
    if ca_file:
        try:
            context.load_verify_locations(Path(ca_file).expanduser())
        except ssl.SSLError:
            raise TlsSettingError(f"edge.ca_file {ca_file} has no certificate in PEM form.") from None
        except OSError as error:
            raise TlsSettingError(f"edge.ca_file {ca_file} cannot be read: {error.strerror}.") from None
    if client_key and not client_cert:
        raise TlsSettingError("edge.client_key is set without edge.client_cert: set both.")
    if client_cert:
        key = Path(client_key).expanduser() if client_key else None
        try:
            context.load_cert_chain(Path(client_cert).expanduser(), key, password=_no_password)
        except ssl.SSLError:
            raise TlsSettingError(
                f"edge.client_cert {client_cert} and its key do not work together as PEM without a password."
            ) from None
        except OSError as error:
            raise TlsSettingError(f"edge.client_cert or edge.client_key cannot be read: {error.strerror}.") from None
    return context


def _no_password() -> str:
    """OpenSSL would ask on the terminal for the password of a key, and wait for ever."""
    return ""


def _system_context() -> ssl.SSLContext:
    try:
        import truststore  # 40 ms: only those who have an edge over TLS pay for it
    except ImportError:  # an installation without it: OpenSSL's own idea of what the system trusts
        return ssl.create_default_context()
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def problem(error: ssl.SSLError, address: str) -> str:
    """What went wrong in the handshake with `address`, as a sentence with what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message or "it cannot be verified"
        if "hostname" in why.lower() or "ip address mismatch" in why.lower():
            return f"{address} shows a certificate for another name: {why}."
        return (
            f"{address} shows a certificate that this machine does not trust ({why}). If your network inspects TLS, "
            "set edge.ca_file to the certificate of its authority."
        )
    if error.reason and "CERTIFICATE_REQUIRED" in error.reason:
        return f"{address} wants a certificate from you: set edge.client_cert and edge.client_key."
    return f"{address}: TLS failed ({error.reason or 'no reason given'})."
