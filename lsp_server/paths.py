"""Where things are on this machine: the user's configuration file, and the folders for state, sockets and models."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from platformdirs import user_config_path, user_data_path, user_runtime_path, user_state_path

APP: Final = "foretype"
MAX_SOCKET_PATH_BYTES: Final = 100
"""A unix socket's path must fit sun_path: 104 bytes on macOS, 108 on Linux, its end mark included."""
SOCKET_NAME_BYTES: Final = 24
"""Room for a separator and the name of a socket in the runtime folder; see `sources/election.py`."""
PRIVATE: Final = 0o700


class UnsafeFolderError(Exception):
    """A folder that must be the user's alone cannot be; the sentence says which and why."""


def config_file(environ: Mapping[str, str] | None = None) -> tuple[Path, bool]:
    """The user's configuration file, and whether it was named by FORETYPE_CONFIG, so that it ought to exist."""
    environ = os.environ if environ is None else environ
    if named := environ.get("FORETYPE_CONFIG"):
        return Path(named).expanduser(), True
    if sys.platform == "win32":
        return user_config_path(APP, appauthor=False, roaming=True) / "config.toml", False
    # ~/.config on macOS too: where people keep the configuration of command line tools.
    base = environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if os.path.isabs(base) else Path("~/.config").expanduser()
    return folder / APP / "config.toml", False


def state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The private folder for logs, counters and the installation's key; made if missing.

    FORETYPE_STATE_DIR overrides it. Raises UnsafeFolderError.
    """
    environ = os.environ if environ is None else environ
    named = environ.get("FORETYPE_STATE_DIR")
    return private_folder(Path(named).expanduser() if named else user_state_path(APP, appauthor=False))


def data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder for what the user has downloaded (models); not made. FORETYPE_DATA_DIR overrides it."""
    environ = os.environ if environ is None else environ
    named = environ.get("FORETYPE_DATA_DIR")
    return Path(named).expanduser().absolute() if named else user_data_path(APP, appauthor=False)


def runtime_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The private folder for the local worker's socket and lock; made if missing. Raises UnsafeFolderError.

    FORETYPE_RUNTIME_DIR overrides it. Otherwise the platform's runtime folder where a socket's path fits in it, else
    a folder of the user under the temporary folder.
    """
    environ = os.environ if environ is None else environ
    if named := environ.get("FORETYPE_RUNTIME_DIR"):
        return _short_enough(private_folder(Path(named).expanduser()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs tells of a missing session folder; what follows deals with it
        folder = user_runtime_path(APP, appauthor=False)
    # Without a session folder (a container, ssh without a login session) platformdirs falls back to one below the
    # shared temporary folder whose parent could be another user's; ours stands directly in it.
    if socket_fits(folder) and not folder.is_relative_to(tempfile.gettempdir()):
        with contextlib.suppress(UnsafeFolderError):
            return private_folder(folder)
    return _short_enough(private_folder(_temporary_folder()))


def socket_fits(folder: Path) -> bool:
    """Whether the path of a socket in `folder` can be bound."""
    return len(os.fsencode(folder)) + SOCKET_NAME_BYTES <= MAX_SOCKET_PATH_BYTES


def _temporary_folder() -> Path:
    if sys.platform == "win32":
        return Path(tempfile.gettempdir()) / APP
    folder = Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}"
    return folder if socket_fits(folder) else Path("/tmp") / f"{APP}-{os.getuid()}"


def _short_enough(folder: Path) -> Path:
    if sys.platform != "win32" and not socket_fits(folder):
        raise UnsafeFolderError(
            f"The path {folder} is too long for a socket in it ({MAX_SOCKET_PATH_BYTES} bytes are allowed): "
            "set FORETYPE_RUNTIME_DIR to a shorter one."
        )
    return folder


def private_folder(folder: Path) -> Path:
    """`folder`, made if missing, as the user's own with mode 0700. Raises UnsafeFolderError if it cannot be.

    Someone else's folder is refused: in a shared temporary folder another user could have made it first.
    """
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        if sys.platform != "win32":
            # A link's owner counts as well as its target's: another user's link could point at a folder of ours.
            if {folder.lstat().st_uid, folder.stat().st_uid} != {os.getuid()}:
                raise UnsafeFolderError(
                    f"The folder {folder} belongs to another user: remove it, or set FORETYPE_RUNTIME_DIR, "
                    "FORETYPE_STATE_DIR and FORETYPE_DATA_DIR to folders of your own."
                )
            if stat.S_IMODE(folder.stat().st_mode) != PRIVATE:
                folder.chmod(PRIVATE)
    except OSError as error:
        raise UnsafeFolderError(f"The folder {folder} cannot be used: {error.strerror or error}.") from None
    return folder
