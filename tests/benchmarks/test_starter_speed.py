"""What the speed bench sends and how it judges; the servers themselves are started by the bench only."""

from __future__ import annotations

import pytest

from benchmarks import speed_contexts, speed_servers, starter_speed

TOKENS = 1_000


def test_a_cold_context_has_about_the_tokens_asked_for() -> None:
    for context in speed_contexts.cold_contexts(0, 4, TOKENS):
        count = len(speed_contexts.tokenizer().encode(context.before + context.after).ids)
        assert 0.9 * TOKENS <= count <= TOKENS


def test_no_round_repeats_a_context_of_another() -> None:
    found = [context for number in range(3) for context in speed_contexts.cold_contexts(number, 3, TOKENS)]
    assert len({(context.path, context.before) for context in found}) == len(found)


def test_keys_are_typed_where_the_file_goes_on() -> None:
    typing = speed_contexts.typing_contexts(0, 20, TOKENS)[0]
    texts = [text for name, text in speed_contexts.texts() if typing.context.path.endswith(f"/{name}")]
    assert any(typing.context.before + typing.keys + typing.context.after in text for text in texts)
    assert len(typing.keys) == 20


def test_a_key_changes_only_what_was_typed() -> None:
    typing = speed_contexts.typing_contexts(0, 20, TOKENS)[0]
    one, two = typing.after_keys(4), typing.after_keys(5)
    assert (one.before, one.after, one.path) == (two.before, two.after, two.path)
    assert two.typed == one.typed + typing.keys[4]


def test_the_peer_is_asked_in_the_workers_layout() -> None:
    context = speed_contexts.Context(before="a\n", typed="b", after="c", path="d.py")
    assert speed_servers.prompt(context) == "<|file_sep|>d.py\n<|fim_prefix|>a\n<|fim_suffix|>c<|fim_middle|>b"


@pytest.mark.parametrize(("cold", "rate", "met"), [(119.0, 401.0, True), (121.0, 401.0, False), (119.0, 399.0, False)])
def test_a_missed_target_is_said(cold: float, rate: float, met: bool, capsys: pytest.CaptureFixture[str]) -> None:
    figures = starter_speed.Figures()
    figures.begin("cold", "rate 1")
    figures.add("cold", cold, None)
    figures.add("rate 1", rate, 1.5)
    assert starter_speed.report({"foretype-worker": figures}, starter_speed.TARGETS) is met
    assert ("missed" in capsys.readouterr().out) is not met
