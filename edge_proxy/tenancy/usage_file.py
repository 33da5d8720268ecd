"""Spent tokens in a JSON file: of this day and this month only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from edge_proxy import atomic_file
from edge_proxy.tenancy.accounts import Row
from edge_proxy.tenancy.quotas import Period, Total
from edge_proxy.tenancy.usage_store import UsageError, field_of, rows


class _Content(msgspec.Struct, kw_only=True):
    day: str = ""
    month: str = ""
    spent_today: dict[str, int] = {}
    spent_this_month: dict[str, int] = {}


class UsageFile:
    """Several processes of one machine may share it; a proxy on another day than the file's starts a new one."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path

    def totals(self, period: Period) -> dict[Row, Total]:
        """What is in the file, if it is of this period. Raises UsageError."""
        try:
            before = atomic_file.read(self._path)
            content = _Content() if before is None else msgspec.json.decode(before, type=_Content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._strange(error) from None
        except OSError as error:
            raise UsageError(f"The counts in {self._path} cannot be read: {error.strerror or error}.") from None
        today = content.spent_today if content.day == period.day else {}
        return rows(today, content.spent_this_month) if content.month == period.month else {}

    def _strange(self, error: Exception) -> UsageError:
        return UsageError(f"{self._path} has something else in it than counts of tokens ({error}).")

    def exchange(self, spent: Mapping[Row, int], period: Period) -> dict[Row, Total]:
        """Add, and give the totals. Raises UsageError."""
        content = _Content()

        def edited(before: bytes | None) -> bytes:
            nonlocal content
            content = _Content() if before is None else msgspec.json.decode(before, type=_Content)
            if content.day != period.day:
                content.day, content.spent_today = period.day, {}
            if content.month != period.month:
                content.month, content.spent_this_month = period.month, {}
            for row, tokens in spent.items():
                name = field_of(row)
                for counts in (content.spent_today, content.spent_this_month):
                    if tokens:
                        counts[name] = counts.get(name, 0) + tokens
            return msgspec.json.encode(content)

        try:
            atomic_file.change(self._path, edited)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._strange(error) from None
        except OSError as error:
            raise UsageError(f"The counts in {self._path} cannot be kept: {error.strerror or error}.") from None
        names = {row: field_of(row) for row in spent}
        return {
            row: Total(content.spent_today.get(name, 0), content.spent_this_month.get(name, 0))
            for row, name in names.items()
        }
