"""`foretype-proxy tokens create|list|revoke`: gives tokens out, and takes them back from proxies that run."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from edge_proxy.config import load_store
from edge_proxy.errors import StartError
from edge_proxy.tenancy import tokens
from edge_proxy.tenancy.token_store import StoreError, TokenStore, open_store
from edge_proxy.tenancy.tokens import TokenRecord
from wire_protocol.frames import MAX_NAME

_DAY: Final = 86_400
_UNITS: Final = {"h": 3_600, "d": _DAY, "w": 7 * _DAY}
_EPILOG: Final = """\
examples:
  foretype-proxy tokens create --store tokens.json --tenant acme --user ada --name laptop --expires 90d
  foretype-proxy tokens list --config proxy.toml
  foretype-proxy tokens revoke --config proxy.toml 3f9c2a71d0

A proxy whose setting `tokens` names the same file or Redis notices within seconds, without a restart.
"""


def parser() -> argparse.ArgumentParser:
    """Of the subcommand."""
    made = argparse.ArgumentParser(
        prog="foretype-proxy tokens",
        description="Tokens that clients show. Only their hashes are kept.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    where = argparse.ArgumentParser(add_help=False)
    place = where.add_mutually_exclusive_group(required=True)
    place.add_argument("--store", metavar="FILE|URL", help="a file, or redis://, rediss:// or unix://")
    place.add_argument("--config", metavar="FILE", type=Path, help="settings whose key `tokens` says where")
    commands = made.add_subparsers(dest="command", required=True, metavar="create|list|revoke")
    create = commands.add_parser("create", parents=[where], help="make a token and show it, once")
    create.add_argument("--tenant", required=True, type=_name, help="whose caches, weights and quotas count")
    create.add_argument("--user", type=_name, help="who it is for; without it only the tenant is measured")
    create.add_argument("--name", type=_name, help="what it is for, for lists")
    create.add_argument("--expires", metavar="WHEN", type=_expiry, help="30d, 12h, 8w, or a date as 2027-01-31 (UTC)")
    shown = commands.add_parser("list", parents=[where], help="all tokens, without the tokens themselves")
    shown.add_argument("--json", action="store_true", help="for programs")
    revoke = commands.add_parser("revoke", parents=[where], help="let tokens in no more, and end their sessions")
    revoke.add_argument("ids", metavar="ID", nargs="*", help="as `list` shows it")
    revoke.add_argument("--tenant", type=_name, help="with --user: all tokens of that person")
    revoke.add_argument("--user", type=_name)
    return made


def main(argv: Sequence[str], wall: Callable[[], float] = time.time) -> int:
    """Run the subcommand; the exit status. `wall` gives seconds since the epoch. Raises StartError."""
    made = parser()
    options = made.parse_args(argv)
    store = open_store(load_store(options.config) if options.config else options.store)
    try:
        if options.command == "create":
            return _create(store, options, int(wall()))
        if options.command == "list":
            return _list(store, wall(), as_json=options.json)
        if bool(options.ids) == bool(options.tenant and options.user):
            made.error("revoke needs either ids, or --tenant and --user")
        return _revoke(store, options, wall())
    except StoreError as error:
        raise StartError(str(error)) from None


def _create(store: TokenStore, options: argparse.Namespace, now: int) -> int:
    expires = None if options.expires is None else options.expires(now)
    if expires is not None and expires <= now:
        raise StartError("That end is over already: give --expires a later one.")
    token, record = tokens.new_token(options.tenant, options.user or "", options.name or "", now, expires)
    store.change(lambda records: records.update({record.id: record}))
    end = "never" if expires is None else f"{_shown(expires)} UTC"
    print(f"Token {record.id} in {store.where}; expires: {end}. It is shown this once:", file=sys.stderr)
    print(token)
    return 0


def _list(store: TokenStore, now: float, *, as_json: bool) -> int:
    records = sorted(store.read().values(), key=lambda record: (record.tenant, record.user, record.created))
    if as_json:
        shown = [{key: value for key, value in msgspec.structs.asdict(one).items() if key != "hash"} for one in records]
        print(msgspec.json.format(msgspec.json.encode(shown)).decode())
        return 0
    table = Table("id", "tenant", "user", "name", "created", "expires", "state", box=None)
    for record in records:
        times = (_shown(record.created), "never" if record.expires is None else _shown(record.expires))
        table.add_row(record.id, record.tenant, record.user, record.name, *times, _state(record, now))
    Console(soft_wrap=True, markup=False, highlight=False).print(table)
    return 0


def _revoke(store: TokenStore, options: argparse.Namespace, now: float) -> int:
    ended: list[str] = []

    def edit(records: dict[str, TokenRecord]) -> None:
        ids = list(options.ids) or [
            record.id for record in records.values() if (record.tenant, record.user) == (options.tenant, options.user)
        ]
        missing = [id for id in ids if id not in records]
        if missing or not ids:
            what = ", ".join(missing) or f"of {options.user} in {options.tenant}"
            raise StartError(f"There is no token {what} in {store.where}: see foretype-proxy tokens list.")
        for id in ids:
            records[id] = tokens.revoked(records[id], now)
        ended[:] = ids

    store.change(edit)
    print(f"Revoked {', '.join(ended)}: proxies end their sessions within 5 seconds.")
    return 0


def _state(record: TokenRecord, now: float) -> str:
    if record.revoked is not None:
        return f"revoked {_shown(record.revoked)}"
    return "valid" if record.usable(now) else "expired"


def _shown(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _name(text: str) -> str:
    if not 0 < len(text) <= MAX_NAME or not text.isprintable():
        raise argparse.ArgumentTypeError(f"a name has 1 to {MAX_NAME} printable characters")
    return text


def _expiry(text: str) -> Callable[[int], int]:
    """From now (epoch seconds) to when it is."""
    span = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if span is not None:
        seconds = int(span[1]) * _UNITS[span[2]]
        return lambda now: now + seconds
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a span as 30d nor a date as 2027-01-31") from None
    at = int((end if end.tzinfo else end.replace(tzinfo=UTC)).timestamp())
    return lambda _: at
