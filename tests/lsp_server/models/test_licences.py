"""Licences: which must be accepted, and what is asked."""

from __future__ import annotations

import pytest

from lsp_server.models.errors import ModelError
from lsp_server.models.licences import Licence, from_hub, require_acceptance

FREE = Licence("MIT", restricts=False)
BOUND = Licence("Research License", "https://example.org/l", summary="research only.")


@pytest.mark.parametrize(
    ("tag", "name", "shown", "restricts"),
    [
        ("apache-2.0", "", "Apache-2.0", False),
        ("MIT", "", "MIT", False),
        ("other", "qwen-research", "qwen-research", True),
        ("gemma", "", "gemma", True),
        ("", "", "no licence named", True),
    ],
)
def test_only_a_known_permissive_tag_needs_no_acceptance(tag: str, name: str, shown: str, restricts: bool) -> None:
    licence = from_hub(tag, name, "", "https://hub/o/r")
    assert (licence.name, licence.restricts, licence.url) == (shown, restricts, "https://hub/o/r")


def test_a_permissive_licence_is_shown_and_not_asked_about() -> None:
    said: list[str] = []
    assert not require_acceptance(FREE, accepted=False, ask=None, say=said.append)
    assert said == ["Licence: MIT"]


@pytest.mark.parametrize(("answer", "agreed"), [("yes\n", True), ("Y", True), ("", False), ("no\n", False)])
def test_a_restricting_licence_is_asked_about(answer: str, agreed: bool) -> None:
    said: list[str] = []
    if agreed:
        assert require_acceptance(BOUND, accepted=False, ask=lambda question: answer, say=said.append)
    else:
        with pytest.raises(ModelError, match="not accepted: nothing was downloaded"):
            require_acceptance(BOUND, accepted=False, ask=lambda question: answer, say=said.append)
    assert "research only" in said[0]


def test_where_nobody_can_be_asked_the_option_is_named() -> None:
    with pytest.raises(ModelError, match="--accept-licence"):
        require_acceptance(BOUND, accepted=False, ask=None, say=lambda line: None)
    assert require_acceptance(BOUND, accepted=True, ask=None, say=lambda line: None)
