"""The model card's figures come from files, and stay when a file is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from training import card, settings

CONFIG = settings.load()
ESTIMATE = {"value": 0.253, "low": 0.219, "high": 0.29, "count": 600}


def test_a_share_is_written_with_its_interval() -> None:
    assert card.percent(ESTIMATE) == "25.3 % (21.9–29.0)"
    assert card.percent({"value": None, "low": None, "high": None, "count": 0}) == "–"


def test_a_block_is_replaced_and_the_prose_around_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(card.BLOCKS, "speed", lambda config: "new\n")
    text = "before\n<!-- figures: speed -->\nold\n<!-- end -->\nafter\n"
    assert card.filled(text, CONFIG) == ("before\n<!-- figures: speed -->\nnew\n<!-- end -->\nafter\n", [])


def test_a_block_without_its_file_keeps_what_it_says_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(config: settings.Settings) -> str:
        raise FileNotFoundError(2, "No such file", "speed.json")

    monkeypatch.setitem(card.BLOCKS, "speed", absent)
    text = "<!-- figures: speed -->\nold\n<!-- end -->\n"
    filled, missing = card.filled(text, CONFIG)
    assert filled == text
    assert missing == ["speed keeps its old figures: there is no speed.json."]


def test_every_block_of_the_card_is_known_and_every_known_block_is_in_it() -> None:
    named = re.findall(r"<!-- figures: (\w+) -->", card.CARD.read_text(encoding="utf-8"))
    assert sorted(named) == sorted(card.BLOCKS)


def test_the_corpus_table_is_made_from_the_committed_manifest() -> None:
    text = card.data(CONFIG)
    assert "| python |" in text
    assert "packages are held out whole" in text


def test_the_suggestions_keep_what_they_say_without_the_quality_benchs_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(card, "QUALITY", tmp_path / "quality.json")
    text = "<!-- figures: suggestions -->\nold\n<!-- end -->\n"
    filled, missing = card.filled(text, CONFIG)
    assert (filled, len(missing)) == (text, 1)
