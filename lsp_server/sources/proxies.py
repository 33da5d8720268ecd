"""Which HTTP proxy lies on the way to an edge: the setting's, else the system's."""

from __future__ import annotations

import urllib.request
from typing import Final
from urllib.parse import urlsplit

from lsp_server.settings_layers import is_loopback

NO_PROXY: Final = "none"
"""`edge.proxy` for: ask no proxy, whatever the environment says."""


class ProxySettingError(Exception):
    """An address that is no proxy's; the sentence never shows it, since it may have a password in it."""


def proxy_for(url: str, setting: str) -> str | None:
    """The proxy towards `url` (ws:// or wss://), None if there is none. Raises ProxySettingError.

    `setting` goes first; it is used for every edge but those on this machine. Without it the environment counts
    (HTTPS_PROXY and NO_PROXY in either case), and the system's settings on Windows and macOS.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or setting == NO_PROXY:
        return None
    if setting:
        return _checked(setting, "edge.proxy")
    secure = parts.scheme == "wss"
    port = parts.port or (443 if secure else 80)
    if urllib.request.proxy_bypass(f"{host}:{port}"):
        return None
    proxies = urllib.request.getproxies()
    # A proxy for https carries any connection (CONNECT), which is what a WebSocket needs, encrypted or not.
    for scheme in ("wss", "https") if secure else ("ws", "https", "http"):
        if found := proxies.get(scheme):
            return _checked(found, f"the proxy of the environment ({scheme}_proxy)")
    return None


def _checked(proxy: str, name: str) -> str:
    address = proxy if "://" in proxy else f"http://{proxy}"  # as curl reads it
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise ProxySettingError(f"{_upper(name)} is no address: write http://HOST:PORT.") from None
    if parts.scheme not in ("http", "https"):
        raise ProxySettingError(f"{_upper(name)} is not an HTTP proxy; only http:// and https:// ones are supported.")
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ProxySettingError(f"{_upper(name)} is no address of a proxy: write http://HOST:PORT.")
    if parts.username is not None and parts.password is None:
        raise ProxySettingError(f"{_upper(name)} has a user but no password: write http://USER:PASSWORD@HOST:PORT.")
    return address


def _upper(text: str) -> str:
    return text if text.startswith("edge.") else text[:1].upper() + text[1:]


def shown(proxy: str) -> str:
    """`proxy` for people and logs, without its password."""
    parts = urlsplit(proxy)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
