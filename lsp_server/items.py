"""Suggestions as LSP carries them: items of inline completion, and of the completion menu where that is wanted."""

from __future__ import annotations

import re
from typing import Any, Final

from lsprotocol import types

from lsp_server.completer import Suggested
from lsp_server.documents import Snapshot
from lsp_server.positions import Position, width
from lsp_server.pygls_adapter import position_to_lsp

ACCEPTED_COMMAND: Final = "foretype.accepted"

_JETBRAINS: Final = re.compile(
    r"jetbrains|intellij|pycharm|webstorm|goland|clion|phpstorm|rubymine|rider|datagrip|dataspell|rustrover"
    r"|android studio|appcode|aqua|mps|writerside",
    re.IGNORECASE,
)
"""Names by which the IDEs introduce themselves through LSP4IJ, which ignores an item's command."""

_WORD: Final = re.compile(r"\w+\Z")
MAX_LABEL: Final = 60
"""Characters of a menu entry."""


def takes_commands(client_name: str) -> bool:
    """Whether the editor runs the command of an accepted item."""
    return not _JETBRAINS.search(client_name)


def accepted_command(suggestion: Suggested) -> types.Command:
    """What the editor runs when the item was accepted."""
    argument: dict[str, Any] = {
        "id": suggestion.id,
        "source": suggestion.source,
        "latencyMs": round(suggestion.latency_ms, 1),
    }
    return types.Command(title="Foretype: suggestion accepted", command=ACCEPTED_COMMAND, arguments=[argument])


def inline_item(
    suggestion: Suggested,
    cursor: Position,
    selected: types.SelectedCompletionInfo | None,
    *,
    with_command: bool,
) -> types.InlineCompletionItem:
    """A pure insertion at the cursor; with an item selected in the menu, in its range and starting with its text."""
    here = position_to_lsp(cursor)
    return types.InlineCompletionItem(
        insert_text=suggestion.text if selected is None else selected.text + suggestion.text,
        range=types.Range(here, here) if selected is None else selected.range,
        command=accepted_command(suggestion) if with_command else None,
    )


def menu_item(suggestion: Suggested, snapshot: Snapshot, *, with_command: bool) -> types.CompletionItem:
    """An entry of the completion menu. It takes the word before the cursor into its range, by which editors filter."""
    line = snapshot.between(snapshot.text.line_offset(snapshot.cursor.line), snapshot.offset)
    found = _WORD.search(line)
    word = found.group() if found else ""
    units = width(word, snapshot.text.encoding)
    start = Position(snapshot.cursor.line, snapshot.cursor.character - units)
    first = (word + suggestion.text).strip().partition("\n")[0]
    return types.CompletionItem(
        label=first if len(first) <= MAX_LABEL else first[: MAX_LABEL - 1] + "…",
        kind=types.CompletionItemKind.Text,
        detail="Foretype",
        documentation=word + suggestion.text,
        filter_text=word + suggestion.text,
        sort_text="0000",
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(
            types.Range(position_to_lsp(start), position_to_lsp(snapshot.cursor)), word + suggestion.text
        ),
        command=accepted_command(suggestion) if with_command else None,
    )


def suggestion_id(value: object) -> int | None:
    """The suggestion that an editor speaks of: the command's argument, or an item that carries the command."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    argument = _get(value, "id")
    if argument is not None:
        return suggestion_id(argument)
    arguments = _get(_get(value, "command"), "arguments")
    return suggestion_id(arguments[0]) if isinstance(arguments, list | tuple) and arguments else None


def _get(value: object, name: str) -> Any:
    """A field of what pygls made of JSON: a dictionary, or an object of its own."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
