"""Whether anything may be suggested at a cursor at all, and if not, why; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from lsp_server.anchor import Move
from lsp_server.context import uri_path
from lsp_server.privacy.files import Kept, Withheld, by_name
from lsp_server.privacy.globs import matches
from lsp_server.privacy.secret_files import SECRET_FILES
from lsp_server.settings import Settings

__all__ = ["SECRET_FILES", "Reason", "Verdict", "judge_document", "judge_editing", "judge_move", "matches"]

Reason = Literal[
    "allowed", "disabled", "language", "document", "editing", "undone", "edited elsewhere", "deleting", "composing",
    Kept,
]  # fmt: skip

Editing = Literal["selection", "snippet"]
"""What a cursor can be in that a suggestion would tear apart."""

SWITCHED_OFF: Final = "Suggestions are switched off (the setting `enabled`)."


@dataclass(frozen=True, slots=True)
class Verdict:
    """`shows`: something may be suggested. `asks`: a model may be asked for it; else only the cache answers.

    `sentence` says why not, for the log; it names no text of the document.
    """

    reason: Reason
    shows: bool = True
    asks: bool = True
    sentence: str = ""

    @property
    def warns(self) -> bool:
        """Whether the document itself is in the way, so that a person wants to be told."""
        return self.reason in ("document", "secret", "forbidden", "outside")


ALLOWED: Final = Verdict("allowed")


def judge_document(
    settings: Settings, uri: str, path: str, language: str, problem: str | None, withheld: Withheld | None = None
) -> Verdict:
    """Whether suggestions are wanted in a document. `path` is relative to the workspace, `problem` says why its
    text cannot be used (too large, binary, out of sync), `withheld` why it may not be (`privacy.files`)."""
    if not settings.enabled:
        return _refusal("disabled", SWITCHED_OFF)
    if not settings.allows(language):
        return _refusal("language", f"Suggestions are not wanted in {language or 'unnamed'} documents (`languages`).")
    # Again by the name, for whoever asks without having looked at the file.
    withheld = withheld or by_name(uri_path(uri), settings.forbidden)
    if withheld is not None:
        return _refusal(withheld.reason, withheld.sentence)
    if matches(settings.ignore, path):
        return _refusal("ignored", f"{uri} matches a pattern of the setting `ignore`: no suggestions in it.")
    if problem is not None:
        return _refusal("document", problem)
    return ALLOWED


def judge_editing(editing: Editing | None, *, invoked: bool) -> Verdict:
    """Whether anything may be shown where the editor says the cursor is."""
    if editing is None or invoked:
        return ALLOWED
    return _refusal("editing", f"The cursor is in a {editing}: no suggestions in it unless they are asked for.")


def judge_move(move: Move, *, invoked: bool, deletes: bool = False, composing: bool = False) -> Verdict:
    """Whether a model may be asked after this move; `deletes`: several deletions in a row, `composing`: an input method
    is at work. Whoever asks explicitly gets an answer anyway."""
    if invoked:
        return ALLOWED
    if composing:
        return Verdict("composing", asks=False, sentence="An input method is composing.")
    if deletes:
        return Verdict("deleting", asks=False, sentence="Text is being taken away.")
    if move is Move.UNDONE:
        return Verdict("undone", asks=False, sentence="The text is what it was before: nothing was typed.")
    if move is Move.EDITED_ELSEWHERE:
        return Verdict("edited elsewhere", asks=False, sentence="The last edit was not typed at the cursor.")
    return ALLOWED


def _refusal(reason: Reason, sentence: str) -> Verdict:
    return Verdict(reason, shows=False, asks=False, sentence=sentence)
