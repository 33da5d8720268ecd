"""The groups of filters that the ablation benchmark switches off."""

from __future__ import annotations

from dataclasses import fields, replace

from lsp_server.techniques import Techniques
from lsp_server.trim import FILTERS, GROUPS, filters_of


def test_all_filters_are_on() -> None:
    assert filters_of(Techniques()) == FILTERS


def test_each_group_is_a_technique_and_no_filter_is_in_two() -> None:
    assert set(GROUPS) == {each.name for each in fields(Techniques) if each.name.startswith("trim_")}
    members = [each for group in GROUPS.values() for each in group]
    assert len(members) == len(set(members))
    assert set(members) < set(FILTERS)


def test_a_technique_that_is_off_takes_its_filters_away_and_leaves_the_order() -> None:
    for name, group in GROUPS.items():
        left = filters_of(replace(Techniques(), **{name: False}))
        assert left == tuple(each for each in FILTERS if each not in group)
