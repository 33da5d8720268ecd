"""The one kind of error that ends `foretype-proxy` before it starts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class StartError(Exception):
    """One sentence for the person who started the program: what is wrong, where, what to do."""


class SettingError(StartError):
    """It is about the setting at `path`: keys from the top, so that the line in the file can be told."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


@contextlib.contextmanager
def about(*path: str | int) -> Iterator[None]:
    """What is wrong inside is about the setting at `path`."""
    try:
        yield
    except SettingError:
        raise
    except StartError as error:
        raise SettingError(path, str(error)) from None
