"""JSON values as pygls gives them (mappings, named tuples, attrs objects) read in one way; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def get(value: object, name: str) -> Any:
    """The field `name` of a JSON object in whatever shape pygls gives it; None if it is not there."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def as_mapping(value: object) -> Mapping[str, object] | None:
    """A JSON object as pygls gives it, at any depth; None if it is none."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "_asdict"):
        return {str(key): plain(item) for key, item in value._asdict().items()}
    if hasattr(value, "__dict__") and not callable(value):
        return {str(key): plain(item) for key, item in vars(value).items()}
    return None


def plain(value: object) -> object:
    """A JSON value as plain dictionaries, lists and scalars."""
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, Sequence) and not hasattr(value, "_asdict"):
        return [plain(item) for item in value]
    mapping = as_mapping(value)
    return value if mapping is None else mapping
