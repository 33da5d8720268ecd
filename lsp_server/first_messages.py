"""The messages that come with each key, converted once beforehand: the converters are made when they are first needed.

They take about 30 ms to make, by measurement; the first key of a session would wait for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lsprotocol import types

_DOCUMENT: Final = {"uri": "file:///", "version": 1}
_PLACE: Final = {"line": 0, "character": 0}
_RANGE: Final = {"start": _PLACE, "end": _PLACE}

ARRIVING: Final[tuple[dict[str, Any], ...]] = (
    {
        "method": types.TEXT_DOCUMENT_DID_CHANGE,
        "params": {"textDocument": _DOCUMENT, "contentChanges": [{"range": _RANGE, "text": "x"}, {"text": "x"}]},
    },
    {
        "id": 0,
        "method": types.TEXT_DOCUMENT_INLINE_COMPLETION,
        "params": {"textDocument": _DOCUMENT, "position": _PLACE, "context": {"triggerKind": 2}},
    },
    {"method": types.CANCEL_REQUEST, "params": {"id": 0}},
)
"""An edit, a request, its cancellation."""


def convert(structure: Callable[[dict[str, Any]], Any], unstructure: Callable[[Any], Any]) -> None:
    """Convert one of each message, from and to JSON."""
    for message in ARRIVING:
        structure({"jsonrpc": "2.0", **message})
    here = types.Position(0, 0)
    command = types.Command("", "", arguments=[{}])
    item = types.InlineCompletionItem("x", range=types.Range(here, here), command=command)
    unstructure(types.InlineCompletionResponse(0, types.InlineCompletionList([item])))
