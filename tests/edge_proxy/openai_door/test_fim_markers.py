"""Prompts that come laid out for a model's fill-in-the-middle are taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.openai_door.fim_markers import FAMILIES, Parts, is_control, take_apart


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("<|fim_prefix|>a = <|fim_suffix|>\nb<|fim_middle|>", Parts("a = ", "\nb")),
        ("<|fim_prefix|>a = <|fim_suffix|>\nb<|fim_middle|>fo", Parts("a = ", "\nb", "fo")),
        ("<fim_prefix>a = <fim_suffix>\nb<fim_middle>", Parts("a = ", "\nb")),
        ("<fim_suffix>\nb<fim_prefix>a = <fim_middle>", Parts("a = ", "\nb")),
        ("<｜fim▁begin｜>a = <｜fim▁hole｜>\nb<｜fim▁end｜>", Parts("a = ", "\nb")),
        ("<PRE> a =  <SUF>\nb <MID>", Parts("a = ", "\nb")),
        ("[SUFFIX]\nb[PREFIX]a = ", Parts("a = ", "\nb")),
        ("<[fim-suffix]>\nb<[fim-prefix]>a = <[fim-middle]>", Parts("a = ", "\nb")),
    ],
)
def test_each_family_s_layout_gives_before_and_after(prompt: str, parts: Parts) -> None:
    assert take_apart(prompt) == parts


def test_other_files_of_a_repository_prompt_become_files() -> None:
    prompt = (
        "<|repo_name|>shop\n<|file_sep|>price.py\nVAT = 0.19\n<|file_sep|>cart.py\n"
        "<|fim_prefix|>from price import VAT\n<|fim_suffix|>\n<|fim_middle|>"
    )
    assert take_apart(prompt) == Parts(
        "from price import VAT\n", "\n", path="cart.py", files=(("price.py", "VAT = 0.19\n"),)
    )


@pytest.mark.parametrize(
    "prompt",
    ["def add(a, b):\n    return ", "<|fim_prefix|>only", "a <|fim_middle|> b", "<|fim_prefix|>a<|fim_suffix|>b"],
)
def test_any_other_prompt_is_left_as_it_is(prompt: str) -> None:
    assert take_apart(prompt) is None


@given(before=st.text("ab<|>\n "), after=st.text("ab<|>\n "), typed=st.text("ab\n"))
def test_what_a_template_put_together_comes_apart_again(before: str, after: str, typed: str) -> None:
    for markers in FAMILIES[:6]:
        prompt = f"{markers.prefix}{before}{markers.suffix}{after}{markers.middle}{typed}"
        assert take_apart(prompt) == Parts(before, after, typed)


@pytest.mark.parametrize("text", ["<|endoftext|>", "<|fim_pad|>", "<file_sep>", "</s>", "<EOT>"])
def test_control_tokens_are_known_as_stops(text: str) -> None:
    assert is_control(text)


@pytest.mark.parametrize("text", ["\n\n", "```", "<div>", "/src/", "#- coding: utf-8"])
def test_texts_that_code_can_have_are_real_stops(text: str) -> None:
    assert not is_control(text)
