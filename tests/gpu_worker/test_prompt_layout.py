"""The prompt's layout, in tokens and as text: stable under typing, and closed to users' control tokens."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_worker.engines.llama_api import Model
from gpu_worker.errors import WorkerError
from gpu_worker.fim import FAMILIES, Family, Parts, family_named, family_of_model, neutral, render
from gpu_worker.prompt import PromptBuilder
from wire_protocol.frames import Context, Snippet

CONTEXT_TOKENS = 1_024
HOSTILE = st.lists(
    st.sampled_from(
        [
            *(text for family in FAMILIES for text in (family.prefix, family.suffix, family.middle, family.separator)),
            "<|endoftext|>",
            "<",
            "|>",
            "<|fim_",
            "middle|>",
            "\n",
            " x = 1",
            "é",
        ]
    ),
    max_size=6,
).map("".join)


@pytest.fixture(scope="module")
def model(random_gguf: Path) -> Model:
    return Model(str(random_gguf), vocabulary_only=True)


def texts_of(model: Model, tokens: list[int]) -> list[str]:
    """The prompt with its markers spelled out."""
    assert model.fim is not None
    names = {
        model.fim.prefix: "<PRE>",
        model.fim.suffix: "<SUF>",
        model.fim.middle: "<MID>",
        model.fim.separator: "<SEP>",
    }
    return [names.get(token) or model.piece(token).decode("utf-8", "replace") for token in tokens]


def layout(model: Model, context: Context) -> str:
    return "".join(texts_of(model, PromptBuilder(model, CONTEXT_TOKENS).build(context, 32).tokens))


def test_parts_come_in_the_anchored_order(model: Model) -> None:
    context = Context(
        before="def f(a):\n",
        typed="    return",
        tail=")",
        after="\nprint(f)\n",
        path="pkg/a.py",
        snippets=[Snippet(path="pkg/b.py", text="B = 1\n")],
    )
    assert layout(model, context) == (
        "<SEP>pkg/b.py\nB = 1\n<SEP>pkg/a.py\n<PRE>def f(a):\n<SUF>\nprint(f)\n<MID>    return"
    )


def test_the_tail_is_not_in_the_prompt(model: Model) -> None:
    assert layout(model, Context(before="f", typed="(", tail=")")) == layout(model, Context(before="f", typed="("))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_typing_changes_only_the_tokens_after_the_middle_marker(model: Model, typed: str, more: str) -> None:
    builder = PromptBuilder(model, CONTEXT_TOKENS)
    context = Context(before="import os\n", after="\nend", path="a.py")
    assert model.fim is not None
    head = builder.build(context, 32).tokens
    for text in (typed, typed + more):
        tokens = builder.build(Context(before="import os\n", after="\nend", path="a.py", typed=text), 32).tokens
        assert tokens[: len(head)] == head
        assert b"".join(map(model.piece, tokens[len(head) :])) == text.encode("utf-8", "replace")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_no_user_text_becomes_a_control_token(model: Model, before: str, after: str, typed: str, path: str) -> None:
    context = Context(before=before, after=after, typed=typed, path=path, snippets=[Snippet(path=path, text=after)])
    tokens = PromptBuilder(model, CONTEXT_TOKENS).build(context, 32).tokens
    assert model.fim is not None
    found = Counter(token for token in tokens if token in model.end_tokens)
    separators = 2 if path else 1
    assert found == Counter(
        {model.fim.prefix: 1, model.fim.suffix: 1, model.fim.middle: 1, model.fim.separator: separators}
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
@given(st.integers(128, 1_024), st.integers(1, 600), st.integers(0, 4_000), st.integers(0, 4_000))
def test_long_contexts_are_cut_to_the_models_length(
    model: Model, size: int, max_tokens: int, before: int, after: int
) -> None:
    context = Context(before="x = 1\n" * (before // 6), after="y = 2\n" * (after // 6), typed="z" * 50, path="p/" * 300)
    prompt = PromptBuilder(model, size).build(context, max_tokens)
    assert len(prompt.tokens) + prompt.max_new <= size


def test_a_cut_window_begins_at_a_line_start(model: Model) -> None:
    context = Context(before="value = compute(one, two)\n" * 200, typed="v")
    text = layout(model, context)
    assert text.removeprefix("<PRE>").startswith("value = compute")


def test_a_model_without_fim_tokens_continues_what_is_before(plain_gguf: Path) -> None:
    plain = Model(str(plain_gguf), vocabulary_only=True)
    assert plain.fim is None
    tokens = PromptBuilder(plain, CONTEXT_TOKENS).build(Context(before="ab\n", typed="cd", after="ef"), 32).tokens
    assert b"".join(map(plain.piece, tokens)) == b"ab\ncd"


def test_an_empty_document_still_gives_a_prompt(plain_gguf: Path) -> None:
    plain = Model(str(plain_gguf), vocabulary_only=True)
    assert PromptBuilder(plain, CONTEXT_TOKENS).build(Context(), 32).tokens


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_rendered_prompts_have_each_marker_once(family: Family, before: str, after: str, typed: str) -> None:
    text = render(Parts(before=before, after=after, typed=typed, path="a.py"), family)
    for marker in filter(None, (family.prefix, family.suffix, family.middle)):
        assert text.count(marker) == 1
    assert "<|endoftext|>" not in text


@given(st.text(alphabet="abc <>\n", max_size=40))
def test_ordinary_code_is_rendered_unchanged(text: str) -> None:
    assert neutral(text, family_named("qwen")) == text


def test_the_text_layout_is_the_same_as_in_tokens() -> None:
    parts = Parts(before="a\n", after="\nz", typed="b", path="p.py", snippets=[("q.py", "s\n")])
    assert render(parts, family_named("qwen")) == (
        "<|file_sep|>q.py\ns\n<|file_sep|>p.py\n<|fim_prefix|>a\n<|fim_suffix|>\nz<|fim_middle|>b"
    )


def test_suffix_first_families_begin_with_what_follows() -> None:
    assert render(Parts(before="a", after="z", typed="b"), family_named("codestral")) == "[SUFFIX]z[PREFIX]ab"


@pytest.mark.parametrize(
    ("model_name", "family"),
    [("Qwen/Qwen2.5-Coder-1.5B", "qwen"), ("bigcode/starcoder2-3b", "starcoder"), ("gpt-4", None)],
)
def test_families_are_known_by_model_names(model_name: str, family: str | None) -> None:
    found = family_of_model(model_name)
    assert (found.name if found else None) == family


def test_an_unknown_family_names_those_there_are() -> None:
    with pytest.raises(WorkerError, match="choose one of qwen"):
        family_named("nope")
