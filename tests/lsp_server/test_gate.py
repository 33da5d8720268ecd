"""Where nothing is suggested, and why."""

from __future__ import annotations

import pytest

from lsp_server.anchor import Move
from lsp_server.gate import Editing, judge_document, judge_editing, judge_move
from lsp_server.privacy.files import Withheld
from lsp_server.settings import Settings


def reason(path: str, settings: Settings | None = None, language: str = "python", problem: str | None = None) -> str:
    verdict = judge_document(settings or Settings(), "file:///w/" + path, path, language, problem)
    assert verdict.shows == (verdict.reason == "allowed")
    assert bool(verdict.sentence) == (verdict.reason != "allowed")
    return verdict.reason


def test_a_source_file_is_allowed() -> None:
    assert reason("src/app.py") == "allowed"


def test_a_switch_turns_everything_off() -> None:
    assert reason("a.py", Settings(enabled=False)) == "disabled"


def test_only_the_languages_of_the_settings_are_allowed() -> None:
    settings = Settings(languages=frozenset({"go"}))
    assert reason("a.py", settings) == "language"
    assert reason("a.go", settings, "go") == "allowed"


@pytest.mark.parametrize(
    ("pattern", "path", "ignored"),
    [
        ("*.gen.py", "src/a.gen.py", True),
        ("/build/", "build/x.py", True),
        ("/build/", "src/build/x.py", False),
        ("docs/**/*.py", "docs/a/b/c.py", True),
        ("[z-a", "a.py", False),
    ],
)
def test_ignored_files_are_those_that_gitignore_patterns_match(pattern: str, path: str, ignored: bool) -> None:
    assert (reason(path, Settings(ignore=(pattern,))) == "ignored") is ignored


@pytest.mark.parametrize(
    "path", [".env", "deploy/.env.production", "certs/server.pem", ".ssh/id_rsa", "x/.aws/credentials", "tls.key"]
)
def test_files_of_secrets_are_never_read(path: str) -> None:
    assert reason(path) == "secret"


@pytest.mark.parametrize("path", [".env.example", "id_rsa.pub", "environment.py", "keys.py"])
def test_files_that_only_look_like_secrets_are_allowed(path: str) -> None:
    assert reason(path) == "allowed"


def test_a_document_with_a_problem_says_it() -> None:
    verdict = judge_document(Settings(), "file:///a.py", "a.py", "python", "a.py is too large: no suggestions in it.")
    assert (verdict.reason, verdict.sentence) == ("document", "a.py is too large: no suggestions in it.")


@pytest.mark.parametrize("move", [Move.UNDONE, Move.EDITED_ELSEWHERE])
def test_no_model_is_asked_after_an_undo_or_an_edit_elsewhere_but_the_cache_may_answer(move: Move) -> None:
    verdict = judge_move(move, invoked=False)
    assert verdict.shows
    assert not verdict.asks


@pytest.mark.parametrize("move", list(Move))
def test_who_asks_explicitly_is_answered_after_any_move(move: Move) -> None:
    assert judge_move(move, invoked=True).asks


@pytest.mark.parametrize("move", [Move.OPENED, Move.TYPED, Move.JUMPED])
def test_typing_and_moving_may_ask(move: Move) -> None:
    assert judge_move(move, invoked=False).asks


def test_deleting_and_composing_ask_nobody_unless_a_person_does() -> None:
    assert judge_move(Move.TYPED, invoked=False, deletes=True).reason == "deleting"
    assert judge_move(Move.TYPED, invoked=False, composing=True).reason == "composing"
    assert not judge_move(Move.TYPED, invoked=False, deletes=True).asks
    assert not judge_move(Move.TYPED, invoked=False, composing=True).asks
    assert judge_move(Move.TYPED, invoked=True, deletes=True, composing=True).asks


@pytest.mark.parametrize("editing", ["selection", "snippet"])
def test_nothing_is_shown_in_a_selection_or_a_snippet_unless_it_is_asked_for(editing: Editing) -> None:
    assert not judge_editing(editing, invoked=False).shows
    assert judge_editing(editing, invoked=True).shows
    assert judge_editing(None, invoked=False).shows


def test_what_privacy_withholds_is_refused_with_its_reason() -> None:
    withheld = Withheld("ignored", "a.py is ignored by .gitignore: nothing of it is sent.")
    verdict = judge_document(Settings(), "file:///w/a.py", "a.py", "python", None, withheld)
    assert (verdict.reason, verdict.sentence, verdict.shows) == ("ignored", withheld.sentence, False)


def test_the_name_counts_even_if_nobody_has_looked_at_the_file() -> None:
    assert reason("a_pb2.py") == "generated"
    assert reason("a.py", Settings(forbidden=("/w/**",))) == "forbidden"


def test_a_person_is_warned_of_what_the_document_is_not_of_what_a_setting_does() -> None:
    assert judge_document(Settings(), "file:///w/.env", ".env", "x", None).warns
    assert not judge_document(Settings(ignore=("a.py",)), "file:///w/a.py", "a.py", "python", None).warns
