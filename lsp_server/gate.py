"""Whether anything may be suggested at a cursor at all, and if not, why; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from pathspec import GitIgnoreSpec

from lsp_server.anchor import Move
from lsp_server.context import uri_path
from lsp_server.settings import Settings

Reason = Literal[
    "allowed", "disabled", "language", "document", "secret", "ignored", "editing",
    "undone", "edited elsewhere", "deleting", "composing",
]  # fmt: skip

Editing = Literal["selection", "snippet"]
"""What a cursor can be in that a suggestion would tear apart."""

SECRET_FILES: Final = (
    ".env", ".env.*", "*.env", "!.env.example", "!.env.sample", "!.env.template",
    "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.asc", "*.gpg",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "!*.pub",
    ".netrc", "_netrc", ".pgpass", ".my.cnf", ".npmrc", ".pypirc", ".htpasswd", ".git-credentials",
    ".dockercfg", "**/.docker/config.json", "**/.aws/credentials", "**/.ssh/*", "**/.kube/config", "kubeconfig",
    "*.tfvars", "*.tfstate", "*.tfstate.*", "credentials.json", "client_secret*.json", "service-account*.json",
    "secrets.y*ml", "secrets.json", "secrets.toml",
)  # fmt: skip
"""gitignore patterns of files that hold credentials: nothing of them is sent to any model."""

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


ALLOWED: Final = Verdict("allowed")


@lru_cache(maxsize=16)
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    """The compiled patterns; one that is not valid is left out rather than switch all of them off."""
    valid = [pattern for pattern in patterns if _is_valid(pattern)]
    return GitIgnoreSpec.from_lines(valid)


def _is_valid(pattern: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1_024)
def _matches(patterns: tuple[str, ...], path: str) -> bool:
    return _spec(patterns).match_file(path)


def matches(patterns: Sequence[str], path: str) -> bool:
    """Whether gitignore `patterns` match the workspace-relative `path`."""
    return bool(path) and _matches(tuple(patterns), path.lstrip("/"))


def judge_document(settings: Settings, uri: str, path: str, language: str, problem: str | None) -> Verdict:
    """Whether suggestions are wanted in a document. `path` is relative to the workspace, `problem` says why its
    text cannot be used (too large, binary, out of sync)."""
    if not settings.enabled:
        return _refusal("disabled", SWITCHED_OFF)
    if not settings.allows(language):
        return _refusal("language", f"Suggestions are not wanted in {language or 'unnamed'} documents (`languages`).")
    # The whole path, as a file outside the workspace is known to the rest by its name alone.
    if matches(SECRET_FILES, uri_path(uri)):
        return _refusal("secret", f"{uri} looks like a file of secrets: nothing of it is sent to a model.")
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
