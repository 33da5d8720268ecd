"""The administrator's policy of a machine: what no setting of a person or a project can take back.

`/etc/foretype/policy.toml` (macOS: /Library/Application Support/foretype, Windows: ProgramData\\foretype):

    only = "edge"                          # or "local": the other is never used
    allowed_edge_hosts = ["*.example.com"] # an edge elsewhere is never connected to
    forbidden_paths = ["/srv/secret/**"]   # gitignore patterns, on the whole path
    telemetry = false

Every key narrows. A file that is there and cannot be read to the last key counts as one that allows no edge at all.
FORETYPE_POLICY may name a second file; it narrows further and replaces nothing.
"""

from __future__ import annotations

import stat
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

VARIABLE: Final = "FORETYPE_POLICY"
FILE_NAME: Final = "policy.toml"
MAX_BYTES: Final = 262_144

Texts = Annotated[list[Annotated[str, Meta(min_length=1, max_length=512)]], Meta(max_length=2_000)]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As it is written. An unknown key may be a misspelt ban, so it is an error."""

    only: Literal["edge", "local", ""] = ""
    allowed_edge_hosts: Texts | None = None
    forbidden_paths: Texts = []
    telemetry: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed. `hosts`: None for any. `files` were read or ought to have been; `problems` are sentences."""

    edge: bool = True
    local: bool = True
    telemetry: bool = True
    hosts: tuple[str, ...] | None = None
    forbidden: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    """Where, and what."""

    def allows_url(self, url: str) -> bool:
        """Whether an edge at `url` may be connected to."""
        if not self.edge:
            return False
        if self.hosts is None:
            return True
        try:
            host = (urlsplit(url).hostname or "").rstrip(".").lower()
        except ValueError:
            return False
        return any(_matches_host(pattern, host) for pattern in self.hosts)

    def narrowed(self, other: Policy) -> Policy:
        """Both at once."""
        hosts = self.hosts if other.hosts is None else other.hosts
        if self.hosts is not None and other.hosts is not None:
            # A host must be allowed by both, which patterns alone do not say: keep those of one that the other covers.
            hosts = tuple(host for host in other.hosts if any(_covers(wide, host) for wide in self.hosts))
            hosts += tuple(host for host in self.hosts if any(_covers(wide, host) for wide in other.hosts))
            hosts = tuple(dict.fromkeys(hosts))
        return Policy(
            edge=self.edge and other.edge,
            local=self.local and other.local,
            telemetry=self.telemetry and other.telemetry,
            hosts=hosts,
            forbidden=tuple(dict.fromkeys((*self.forbidden, *other.forbidden))),
            files=(*self.files, *other.files),
            problems=(*self.problems, *other.problems),
        )

    def sentences(self) -> list[str]:
        """What it forbids, for `doctor`."""
        said = []
        if not self.edge:
            said.append("no edge may be used")
        if not self.local:
            said.append("the local model may not be used")
        if self.edge and self.hosts is not None:
            said.append(f"edges only at {', '.join(self.hosts) or 'no host at all'}")
        if self.forbidden:
            said.append(f"nothing leaves of files that match {', '.join(self.forbidden)}")
        if not self.telemetry:
            said.append("telemetry is off")
        return said


def policy_file() -> Path:
    """Where the administrator's file is. No variable of a person's environment changes it."""
    if sys.platform == "win32":
        return _program_data() / "foretype" / FILE_NAME
    if sys.platform == "darwin":
        return Path("/Library/Application Support/foretype") / FILE_NAME
    return Path("/etc/foretype") / FILE_NAME


def _program_data() -> Path:
    if sys.platform == "win32":
        import winreg

        # Not %ProgramData%, which a person may set, but what it is set from.
        folders = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\Shell Folders"
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, folders) as key:
                return Path(str(winreg.QueryValueEx(key, "Common AppData")[0]))
        except OSError:
            pass
    return Path("C:/ProgramData")


def load_policy(environ: Mapping[str, str], file: Path | None = None) -> Policy:
    """The machine's policy, narrowed by the one that FORETYPE_POLICY names. Never raises. `file`: instead of the
    machine's own (tests)."""
    policy = read_policy(policy_file() if file is None else file)
    if named := environ.get(VARIABLE):
        policy = policy.narrowed(read_policy(Path(named), required=True))
    return policy


def read_policy(file: Path, *, required: bool = False) -> Policy:
    """One file. If it is not there nothing is forbidden, unless it is `required`."""
    try:
        return replace(_parsed(file), files=(str(file),))
    except (FileNotFoundError, NotADirectoryError):
        return _closed(file, "it does not exist") if required else Policy()
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _closed(file, reason)


def _closed(file: Path, reason: str) -> Policy:
    sentence = (
        f"the administrator's policy cannot be read: {reason}. Until it is mended no edge is used and nothing is "
        "reported; the local model works."
    )
    return Policy(edge=False, telemetry=False, files=(str(file),), problems=((str(file), sentence),))


def _parsed(file: Path) -> Policy:
    """Raises OSError or ValueError (of which tomllib's, msgspec's and Unicode's errors are kinds)."""
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file")
    if status.st_size > MAX_BYTES:
        raise ValueError(f"it has {status.st_size} bytes; at most {MAX_BYTES} are read")
    text = file.read_bytes().decode("utf-8-sig")
    said = msgspec.convert(tomllib.loads(text.replace("\r\n", "\n")), _File)
    return Policy(
        edge=said.only != "local",
        local=said.only != "edge",
        telemetry=said.telemetry,
        hosts=None if said.allowed_edge_hosts is None else tuple(_host(host) for host in said.allowed_edge_hosts),
        forbidden=tuple(said.forbidden_paths),
    )


def _host(pattern: str) -> str:
    """Raises ValueError for what is no name of a host: it would allow none, or not those that were meant."""
    host = pattern.strip().rstrip(".").lower()
    bare = host.removeprefix("*.")
    if not bare or any(character in bare for character in "/*@ ?#") or (":" in bare and bare.count(":") < 2):
        raise ValueError(f"{pattern!r} in allowed_edge_hosts is no host name such as edge.example.com or *.example.com")
    return host.strip("[]")


def _matches_host(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


def _covers(wide: str, host: str) -> bool:
    if host.startswith("*."):
        return wide == host or (wide.startswith("*.") and host[1:].endswith(wide[1:]))
    return _matches_host(wide, host)
